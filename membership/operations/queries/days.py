"""Days of the newsroom, from midnight to midnight of its own clock."""

from datetime import UTC, date, datetime, time, timedelta

from membership.newsroom.queries import zone

HOUR = timedelta(hours=1)


def bounds_of(day: date) -> tuple[datetime, datetime]:
    """Begin and end of a day, in UTC."""
    begin, end = (datetime.combine(each, time(), tzinfo=zone()) for each in (day, day + timedelta(days=1)))
    return begin.astimezone(UTC), end.astimezone(UTC)


def hours_of(day: date) -> list[datetime]:
    """The beginning of each hour of a day, in UTC: 24 of them, 23 or 25 where the clocks are changed."""
    begin, end = bounds_of(day)
    return [begin + n * HOUR for n in range(round((end - begin) / HOUR))]
