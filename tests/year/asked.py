"""A question to the dashboard, and what its answer must be: the newsroom's calendar and rates, worked out anew."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from tests.year.place import DAY
from tests.year.rows import Rows

MINOR = {"EUR": 2, "USD": 2, "UAH": 2, "GBP": 2}
REPORTING = "EUR"
QUOTES_LAST = timedelta(days=10)


@dataclass(frozen=True)
class Asked:
    """The days `[first, end)` in one currency, or (None) all of them in the reporting currency."""

    name: str
    first: date
    end: date
    currency: str | None = None

    @property
    def shown(self) -> str:
        return self.currency or REPORTING

    @property
    def before(self) -> "Asked":
        """As many days, just before."""
        return Asked(self.name, self.first - (self.end - self.first), self.first, self.currency)

    def pieces(self) -> list[tuple[date, date]]:
        """Single days of up to 45, weeks from Monday of up to 27 weeks, else months of the calendar."""
        n_days = (self.end - self.first).days
        cuts = [self.first]
        for n in range(1, n_days):
            day = self.first + n * DAY
            if n_days <= 45 or (day.weekday() == 0 if n_days <= 27 * 7 else day.day == 1):
                cuts.append(day)
        return list(zip(cuts, [*cuts[1:], self.end], strict=True))

    def __str__(self) -> str:
        return f"{self.name} ({self.first} to {self.end - DAY}, {self.currency or f'all in {REPORTING}'})"


@dataclass(frozen=True)
class Answer:
    """What a metric must say. `lines`: key -> its values piece by piece, its total, and how many (None: not said).

    `table`: its rows where it has some: the name of each (None: words of ours), then all cells that are no words.
    Amounts are whole minor units of the currency that is shown.
    """

    now: Any
    before: Any
    lines: dict[str, tuple[list, Any, int | None]] = field(default_factory=dict)
    table: list[tuple] | None = None


def rate_on(rows: Rows, currency: str, day: date) -> Fraction:
    """What one unit of the currency is worth in euros, by the newest quote of that day or of ten days before."""
    if currency == REPORTING:
        return Fraction(1)
    quoted = [on for on, of in rows.quotes if of == currency and day - QUOTES_LAST <= on <= day]
    return 1 / Fraction(rows.quotes[max(quoted), currency])


def half_even(value: Fraction) -> int:
    """To the nearest whole; of two that are equally near, the even one (as Python rounds fractions)."""
    return round(value)


def in_reporting(rows: Rows, minor: int, currency: str, day: date) -> Fraction:
    return Fraction(minor) * Fraction(10) ** (MINOR[REPORTING] - MINOR[currency]) * rate_on(rows, currency, day)
