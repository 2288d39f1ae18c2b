"""What check-books asks of the dashboard: whether its roll-ups are what the rows say."""

from collections.abc import Iterator
from datetime import date

from sqlalchemy import select

from membership.billing.books import Finding, Scope
from membership.dashboard.models import DaySum, StaleDay
from membership.dashboard.queries.sums import find_state
from membership.dashboard.rules.days import ONE_DAY, days_between
from membership.dashboard.services.noticing import days_not_looked_at, is_current
from membership.dashboard.services.summing import raw_sums
from membership.dashboard.sources import SOURCES, Source
from membership.db import db
from membership.newsroom.queries import day_of

Kept = dict[tuple[str, str, str], tuple[int, int]]


def unlike_rows(scope: Scope) -> Iterator[Finding]:
    """Every day is summed again and compared with what is kept; where only the newest bookings are asked about, the
    days since then. Days that wait to be summed are left out, and so are those of rows that nobody looked at yet.
    """
    state = find_state()
    if state is None or not is_current(state):
        return
    last = day_of(state.rolled_to)
    for source in SOURCES:
        first = day_of(scope.since) if scope.since is not None else _first(source, last)
        for day, differs in compare(source, first, last):
            if differs:
                yield Finding("rollup_differs", f"{source.name} of {day}: the roll-up is not what the rows say.")


def compare(source: Source, first: date, last: date) -> Iterator[tuple[date, bool]]:
    """Each day with whether its roll-up differs from its rows."""
    state = find_state()
    if state is None:
        return
    waiting = set(db.session.scalars(select(StaleDay.day_on).where(StaleDay.source == source.name)))
    waiting |= days_not_looked_at(source)
    for day in days_between(first, last):
        if day in waiting:
            continue
        raw = {(s.measure, s.currency, s.dim): (s.n, s.amount) for s in raw_sums(source, day, state.rolled_to)}
        yield day, raw != _kept(source, day)


def days_of(source: Source) -> tuple[date, date]:
    """The first and the last day that the source and its roll-ups know of, up to what was summed last."""
    state = find_state()
    today = day_of(state.rolled_to) if state else date.min
    return _first(source, today), today


def _first(source: Source, last: date) -> date:
    first = source.find_first()
    summed = db.session.scalar(
        select(DaySum.day_on).where(DaySum.measure.in_(source.measures)).order_by(DaySum.day_on).limit(1)
    )
    return min((day for day in (first and day_of(first), summed) if day), default=last + ONE_DAY)


def _kept(source: Source, day: date) -> Kept:
    rows = db.session.execute(
        select(DaySum.measure, DaySum.currency, DaySum.dim, DaySum.n, DaySum.amount).where(
            DaySum.day_on == day, DaySum.measure.in_(source.measures)
        )
    )
    return {(measure, currency, dim): (n, amount) for measure, currency, dim, n, amount in rows}


CHECKS = (unlike_rows,)
