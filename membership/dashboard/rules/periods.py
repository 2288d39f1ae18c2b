"""Ranges of days that a page is about, the range before each, and the pieces that a picture shows.

Ranges are half-open: `[start_on, end_on)`. Pure functions of dates.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from dateutil.relativedelta import relativedelta

from membership.kernel.errors import InvalidInput

ONE_DAY = timedelta(days=1)
# So many days are shown one by one, so many weeks as weeks; longer ranges as months.
MOST_DAYS, MOST_WEEKS = 45, 27
LONGEST_YEARS = 20


class Range(StrEnum):
    """The ranges that are one click away; OWN is between two dates that were typed."""

    MONTH = "month"
    DAYS30 = "30"
    QUARTER = "quarter"
    YEAR = "year"
    OWN = "own"


class Step(StrEnum):
    """What one bar or point of a picture is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Period:
    """The days `[start_on, end_on)`, at least one, and those they are compared with.

    For a month, quarter or year that still runs, `before` is as many days from the start of the one before it.
    """

    range: Range
    start_on: date
    end_on: date
    before: tuple[date, date]

    @property
    def last_on(self) -> date:
        """Its last day."""
        return self.end_on - ONE_DAY

    @property
    def n_days(self) -> int:
        """How many days it has."""
        return (self.end_on - self.start_on).days

    @property
    def step(self) -> Step:
        """In which pieces it is shown."""
        if self.n_days <= MOST_DAYS:
            return Step.DAY
        return Step.WEEK if self.n_days <= MOST_WEEKS * 7 else Step.MONTH


def period_of(name: str, today: date, start_on: date | None = None, end_on: date | None = None) -> Period:
    """The range of that name up to `today`; OWN is from `start_on` to `end_on`, both included.

    Raises InvalidInput `range` for a name that is none, `range_dates` for dates that make no range.
    """
    try:
        wanted = Range(name)
    except ValueError:
        raise InvalidInput("range", "There is no such range. Choose one of those above.", field="range") from None
    tomorrow = today + ONE_DAY
    match wanted:
        case Range.MONTH:
            return _to_date(wanted, today.replace(day=1), tomorrow, relativedelta(months=1))
        case Range.QUARTER:
            start = today.replace(month=today.month - (today.month - 1) % 3, day=1)
            return _to_date(wanted, start, tomorrow, relativedelta(months=3))
        case Range.YEAR:
            return _to_date(wanted, today.replace(month=1, day=1), tomorrow, relativedelta(years=1))
        case Range.DAYS30:
            return _plain(wanted, tomorrow - timedelta(days=30), tomorrow)
    return _own(today, start_on, end_on)


def _to_date(wanted: Range, start: date, end: date, length: relativedelta) -> Period:
    before = start - length
    return Period(wanted, start, end, (before, min(before + (end - start), start)))


def _plain(wanted: Range, start: date, end: date) -> Period:
    return Period(wanted, start, end, (start - (end - start), start))


def _own(today: date, start_on: date | None, end_on: date | None) -> Period:
    if start_on is None or end_on is None or end_on < start_on:
        raise InvalidInput("range_dates", "Please give two days, the first one not after the second.", field="from")
    if end_on > today:
        raise InvalidInput("range_dates", "Please choose days that are not ahead of today.", field="to")
    if start_on < today - relativedelta(years=LONGEST_YEARS):
        raise InvalidInput("range_dates", "Please choose days of the last twenty years.", field="from")
    return _plain(Range.OWN, start_on, end_on + ONE_DAY)


def pieces(start_on: date, end_on: date, step: Step) -> list[tuple[date, date]]:
    """`[start_on, end_on)` cut at the begin of each day, week (Monday) or month; first and last may be shorter."""
    cut: list[tuple[date, date]] = []
    while start_on < end_on:
        following = min(_next(start_on, step), end_on)
        cut.append((start_on, following))
        start_on = following
    return cut


def _next(day: date, step: Step) -> date:
    if step is Step.DAY:
        return day + ONE_DAY
    if step is Step.WEEK:
        return day + timedelta(days=7 - day.weekday())
    return day.replace(day=1) + relativedelta(months=1)
