"""The newsroom's calendar: days as half-open spans of moments. A day lasts 23 or 25 hours where clocks are changed."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo

ONE_DAY = timedelta(days=1)

STAYS_AFTER = timedelta(days=90)
"""So long after the close of a poll it is looked who is a patron."""


def start_of(day: date, zone: tzinfo) -> datetime:
    """The first moment of `day` in `zone`, in UTC. Where midnight is skipped, the moment of the change."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def span_of(day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """`day` as `[start, end)` in UTC."""
    return start_of(day, zone), start_of(day + ONE_DAY, zone)


def days_between(first: date, last: date) -> Iterator[date]:
    """Every day from `first` to `last`, both included; none where `last` is earlier."""
    return (first + timedelta(days=n) for n in range((last - first).days + 1))
