"""What one currency is worth in another on a day, from what was published up to then. Pure functions of values.

A published rate holds until the next one, for ten days at most (the European Central Bank publishes none at weekends
and on its holidays). Where nothing was published, the newest rate that staff set by hand holds, however old. Where
there is none either, there is no rate: never a silent 1:1.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal

from membership.kernel.money import MINOR_DIGITS, Money

# Of two published on one day, the first of these counts: a table of the newsroom's own before those of the banks.
PUBLISHED = ("csv", "ecb", "nbu")
MANUAL = "manual"
LASTS = timedelta(days=10)
# Exact enough for the budget of a state; every step rounds half to even.
EXACT = Context(prec=16, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True)
class Quote:
    """One unit of `base` cost `rate` units of `currency` on `quoted_on`, says `source`."""

    source: str
    quoted_on: date
    base: str
    currency: str
    rate: Decimal


@dataclass(frozen=True, slots=True)
class Rate:
    """One unit of a currency is worth `rate` of another one, by a quote of `source` from `quoted_on`."""

    rate: Decimal
    source: str
    quoted_on: date


class RateBook:
    """Every quote that may matter, and the rate of any pair on any day."""

    def __init__(self, quotes: Iterable[Quote]) -> None:
        self._tables: dict[tuple[date, str], dict[tuple[str, str], Decimal]] = {}
        for quote in quotes:
            table = self._tables.setdefault((quote.quoted_on, quote.source), {})
            table[quote.base, quote.currency] = quote.rate
        self._days = {
            source: sorted(day for day, of in self._tables if of == source) for source in (*PUBLISHED, MANUAL)
        }

    def find(self, currency: str, reporting: str, day: date) -> Rate | None:
        """What one unit of `currency` is worth in `reporting` on `day`; None where nobody knows."""
        if currency == reporting:
            return Rate(Decimal(1), "same", day)
        found = [self._newest(source, currency, reporting, day, day - LASTS) for source in PUBLISHED]
        published = [rate for rate in found if rate is not None]
        if published:
            return max(published, key=lambda rate: (rate.quoted_on, -PUBLISHED.index(rate.source)))
        return self._newest(MANUAL, currency, reporting, day, date.min)

    def _newest(self, source: str, currency: str, reporting: str, day: date, oldest: date) -> Rate | None:
        days = self._days[source]
        for quoted_on in reversed(days[: bisect_right(days, day)]):
            if quoted_on < oldest:
                return None
            rate = _across(self._tables[quoted_on, source], currency, reporting)
            if rate is not None:
                return Rate(rate, source, quoted_on)
        return None


def _across(table: dict[tuple[str, str], Decimal], currency: str, reporting: str) -> Decimal | None:
    """From `currency` to `reporting` by one day's table of one source: directly, or over what both are quoted in."""
    direct = _direct(table, currency, reporting)
    if direct is not None:
        return direct
    for pivot in sorted({code for pair in table for code in pair}):
        first, second = _direct(table, currency, pivot), _direct(table, pivot, reporting)
        if first is not None and second is not None:
            return EXACT.multiply(first, second)
    return None


def _direct(table: dict[tuple[str, str], Decimal], currency: str, other: str) -> Decimal | None:
    if (currency, other) in table:
        return table[currency, other]
    if (other, currency) in table:
        return EXACT.divide(Decimal(1), table[other, currency])
    return None


def convert(amount: Money, reporting: str, rate: Decimal) -> Money:
    """`amount` in the `reporting` currency, rounded half to even to its smallest unit."""
    major = Decimal(amount.minor).scaleb(MINOR_DIGITS[reporting] - MINOR_DIGITS[amount.currency])
    return Money(int((major * rate).quantize(Decimal(1), ROUND_HALF_EVEN)), reporting)
