"""Days are summed anew, each as a whole, so that doing it twice changes nothing."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import delete, insert, select, tuple_

from membership.dashboard.models import DaySum, FrozenRate, StaleDay
from membership.dashboard.queries.rates import frozen_rates, rate_book, used_currencies
from membership.dashboard.rules.days import span_of
from membership.dashboard.rules.rates import RateBook, convert
from membership.dashboard.services.noticing import locked_state
from membership.dashboard.sources import MONEY, SOURCES, Source, Sum
from membership.db import db, transaction
from membership.kernel import clock
from membership.kernel.money import Money
from membership.newsroom.queries import day_of, reporting_currency, zone

AT_A_TIME = 40
"""Days in one transaction: a fraction of a second, for which others wait on SQLite."""

_BY_NAME = {source.name: source for source in SOURCES}
_SOURCE_OF = {measure: source.name for source in SOURCES for measure in source.measures}
Key = tuple[str, str, str]
"""Measure, currency, dimension."""
Kept = tuple[int, int, int | None]
"""How many, how much, and how much in the reporting currency."""
# What a moment of business time includes: everything up to it, itself among that.
_TICK = timedelta(microseconds=1)


def sum_some(now: datetime, limit: int = AT_A_TIME) -> int:
    """Sum up to `limit` days anew that wait for it, the newest first; how many were done, 0 where none waits."""
    with transaction("dashboard.sum_some"):
        state = locked_state(now)
        query = select(StaleDay.source, StaleDay.day_on).order_by(StaleDay.day_on.desc(), StaleDay.source)
        waiting = [(name, day) for name, day in db.session.execute(query.limit(limit))]
        if not waiting:
            state.summed_at = clock.real_now()
            return 0
        rates = _Rates({day for _, day in waiting}, day_of(state.rolled_to))
        kept = _kept(waiting)
        for name, day in waiting:
            if name in _BY_NAME:  # a source that is gone with a new version leaves nothing to sum
                _sum_day(_BY_NAME[name], day, state.rolled_to, rates, kept.get((name, day), {}))
        db.session.execute(delete(StaleDay).where(tuple_(StaleDay.source, StaleDay.day_on).in_(waiting)))
    return len(waiting)


def raw_sums(source: Source, day: date, upto: datetime) -> list[Sum]:
    """What one source comes to on a day, from its rows, as far as the day lies before or at `upto`."""
    start, end = span_of(day, zone())
    end = min(end, upto + _TICK)
    return list(source.sums(start, end)) if start < end else []


class _Rates:
    """The rates of the days at hand: frozen once a day is over, and then for good."""

    def __init__(self, days: Collection[date], today: date) -> None:
        first, last = min(days), max(days)
        self._today = today
        self._reporting = reporting_currency()
        self._frozen = dict(frozen_rates(first, last))
        currencies = used_currencies()
        self._book: RateBook = rate_book(first, last, currencies)
        for day in days:
            for currency in currencies:
                self._freeze(day, currency)

    def _freeze(self, day: date, currency: str) -> None:
        if day >= self._today or currency == self._reporting or (day, currency) in self._frozen:
            return
        rate = self._book.find(currency, self._reporting, day)
        if rate is None:
            return
        values = {"rate": str(rate.rate), "source": rate.source, "quoted_on": rate.quoted_on}
        db.session.add(FrozenRate(day_on=day, currency=currency, reporting=self._reporting, **values))
        self._frozen[day, currency] = rate.rate

    def value(self, each: Sum, day: date) -> int | None:
        """A sum in minor units of the reporting currency; None where there is no rate, or no money."""
        if each.measure not in MONEY or not each.currency:
            return None
        if each.currency == self._reporting:
            return each.amount
        self._freeze(day, each.currency)
        rate = self._frozen.get((day, each.currency))
        if rate is None and day >= self._today:
            found = self._book.find(each.currency, self._reporting, day)
            rate = found.rate if found else None
        return None if rate is None else convert(Money(each.amount, each.currency), self._reporting, rate).minor


def _kept(waiting: Sequence[tuple[str, date]]) -> dict[tuple[str, date], dict[Key, Kept]]:
    """What is kept of these days, by source and day."""
    rows = db.session.execute(
        select(
            DaySum.measure, DaySum.day_on, DaySum.currency, DaySum.dim, DaySum.n, DaySum.amount, DaySum.reporting_minor
        ).where(DaySum.day_on.in_({day for _, day in waiting}))
    )
    found: dict[tuple[str, date], dict[Key, Kept]] = {}
    for measure, day, currency, dim, n, amount, value in rows:
        name = _SOURCE_OF.get(measure, "")
        found.setdefault((name, day), {})[measure, currency, dim] = (n, amount, value)
    return found


def _sum_day(source: Source, day: date, upto: datetime, rates: _Rates, kept: dict[Key, Kept]) -> None:
    wanted: dict[Key, Kept] = {
        (each.measure, each.currency, each.dim): (each.n, each.amount, rates.value(each, day))
        for each in raw_sums(source, day, upto)
    }
    if kept == wanted:
        return
    if kept:
        db.session.execute(delete(DaySum).where(DaySum.day_on == day, DaySum.measure.in_(source.measures)))
    names = ("measure", "currency", "dim", "n", "amount", "reporting_minor")
    rows = [dict(zip(names, (*key, *numbers), strict=True), day_on=day) for key, numbers in wanted.items()]
    if rows:
        db.session.execute(insert(DaySum), rows)
