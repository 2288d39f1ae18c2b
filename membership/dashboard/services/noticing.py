"""Which days have to be summed anew: those that go on, those to which new rows belong, those that got a rate."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

from membership.dashboard.models import DaySum, ExchangeRate, FrozenRate, RollupMark, RollupState, StaleDay
from membership.dashboard.queries.rates import rate_book, used_currencies
from membership.dashboard.rules.days import ONE_DAY, days_between
from membership.dashboard.sources import SOURCES, Source
from membership.db import Model, db, is_sqlite, transaction
from membership.kernel import clock
from membership.newsroom.queries import day_of, reporting_currency, zone

LATE_COMMIT = timedelta(minutes=10)
"""No transaction is open for longer: all rows with lower numbers than one that was seen so long ago are there."""

ON_THEIR_WAY = 20_000
"""So many of the newest rows are looked at again after everything was summed: some before them may come late."""

ROWS_AT_A_TIME = 500


def notice(now: datetime) -> bool:
    """Write down what has to be summed anew by `now`; False where nothing was ever summed, or by other settings: then
    all of it has to be rebuilt.
    """
    with transaction("dashboard.notice"):
        state = locked_state(now)
        if not is_current(state):
            return False
        today = day_of(now)
        # The clock of a demo may be set back; what was summed ahead of it goes again.
        since = min(day_of(state.rolled_to), today)
        ahead = db.session.scalar(select(func.max(DaySum.day_on))) or today
        for source in SOURCES:
            touched = {day for day in _touched(source) if day <= today}
            mark_stale(source, {*touched, *days_between(since, max(today, min(ahead, day_of(state.rolled_to))))})
        _notice_rates(state, today)
        state.rolled_to = now
    return True


def begin_anew(now: datetime) -> int:
    """Write down every day there ever was, for every source; how many."""
    with transaction("dashboard.begin_anew"):
        state = locked_state(now)
        state.rolled_to, state.zone, state.reporting = now, zone().key, reporting_currency()
        state.rate_id = db.session.scalar(select(func.max(ExchangeRate.id))) or 0
        for source in SOURCES:
            mark, newest = _mark(source), source.newest_id()
            mark.sure_id, mark.seen_id, mark.seen_at = max(0, newest - ON_THEIR_WAY), newest, clock.real_now()
            _remember(source, mark, newest)
            mark_stale(source, _every_day(source, day_of(now)))
        db.session.flush()
        return db.session.scalar(select(func.count()).select_from(StaleDay)) or 0


def is_current(state: RollupState) -> bool:
    """Whether days were summed by the zone and the reporting currency that are set now."""
    return (state.zone, state.reporting) == (zone().key, reporting_currency())


def locked_state(now: datetime) -> RollupState:
    """The one row of state, locked, so that one worker at a time looks and sums; made where there is none."""
    values = {"id": 1, "rolled_to": now, "zone": "", "reporting": "", "rate_id": 0}
    _add(RollupState, [values])
    query = select(RollupState).where(RollupState.id == 1).with_for_update()
    return db.session.scalars(query, execution_options={"populate_existing": True}).one()


def mark_stale(source: Source, days: Iterable[date]) -> None:
    """Have these days summed anew from one source."""
    rows = [{"source": source.name, "day_on": day} for day in sorted(days)]
    for at in range(0, len(rows), ROWS_AT_A_TIME):
        _add(StaleDay, rows[at : at + ROWS_AT_A_TIME])


def _add(model: type[Model], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write those rows that are not there yet."""
    insert = insert_on_sqlite if is_sqlite() else insert_on_postgresql
    db.session.execute(insert(model).values(rows).on_conflict_do_nothing())


def _touched(source: Source) -> set[date]:
    """Days of rows that came since the last look, whatever their number; moves the mark."""
    days = days_not_looked_at(source)
    mark, newest, real_now = _mark(source), source.newest_id(), clock.real_now()
    if real_now - mark.seen_at >= LATE_COMMIT:
        mark.sure_id, mark.seen_id, mark.seen_at = mark.seen_id, newest, real_now
    _remember(source, mark, newest)
    return days


def _remember(source: Source, mark: RollupMark, newest: int) -> None:
    mark.last_id, mark.n_looked_at = newest, source.n_between(mark.sure_id, newest)


def _mark(source: Source) -> RollupMark:
    mark = db.session.get(RollupMark, source.name)
    if mark is None:
        mark = RollupMark(source=source.name, sure_id=0, seen_id=0, seen_at=clock.real_now(), last_id=0, n_looked_at=0)
        db.session.add(mark)
    return mark


def days_not_looked_at(source: Source) -> set[date]:
    """Days of rows that came since the last look: their sums cannot be right yet."""
    mark = db.session.get(RollupMark, source.name)
    if mark is None:
        return {day_of(moment) for moment in source.moments_after(0)}
    came_late = source.n_between(mark.sure_id, mark.last_id) != mark.n_looked_at
    return {day_of(moment) for moment in source.moments_after(mark.sure_id if came_late else mark.last_id)}


def _every_day(source: Source, today: date) -> Iterator[date]:
    first = source.find_first()
    summed = select(func.min(DaySum.day_on), func.max(DaySum.day_on)).where(DaySum.measure.in_(source.measures))
    first_sum, last_sum = db.session.execute(summed).one()
    begin = min((day for day in (first and day_of(first), first_sum) if day), default=today)
    return days_between(begin, max(today, last_sum or today))


def _notice_rates(state: RollupState, today: date) -> None:
    """Days that are over and had no rate are summed anew once there is one."""
    newest = db.session.scalar(select(func.max(ExchangeRate.id))) or 0
    first = db.session.scalar(select(func.min(DaySum.day_on)))
    if newest == state.rate_id or first is None:
        return
    state.rate_id = newest
    reporting, currencies = state.reporting, used_currencies()
    book = rate_book(first, today, currencies)
    frozen = {
        (day, currency)
        for day, currency in db.session.execute(
            select(FrozenRate.day_on, FrozenRate.currency).where(FrozenRate.reporting == reporting)
        )
    }
    days = {
        day
        for day in days_between(first, today - ONE_DAY)
        for currency in currencies
        if currency != reporting and (day, currency) not in frozen and book.find(currency, reporting, day)
    }
    for source in SOURCES:
        if source.money:
            mark_stale(source, days)
