"""The roll-up of what came day by day. Every run counts the last hours anew and no more, so that it costs the same
after ten years; a run that was missed is made up for by the next one.
"""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

from membership.db import db, is_sqlite, transaction
from membership.newsroom.queries import day_of
from membership.operations.models import DailyCount
from membership.operations.queries import counters
from membership.operations.queries.days import HOUR, bounds_of, hours_of
from membership.operations.rules import WEEKS, Stream

REACH = timedelta(weeks=WEEKS, days=7)
"""So far back a new installation counts what is there already."""

A_DAY = timedelta(days=1)


def count(now: datetime) -> None:
    """Bring the roll-up of every stream up to `now`."""
    for stream in counters.HOURLY:
        _count_hours(stream, now)
    _count_votes(now)
    for day in (day_of(now) - A_DAY, day_of(now), day_of(now) + A_DAY):
        _count_charges(day, now)


def _count_hours(stream: Stream, now: datetime) -> None:
    """The hours since the last run, and the one before: what came in the last minute of one may be written later."""
    last = db.session.scalar(select(func.max(DailyCount.counted_at)).where(DailyCount.stream == stream))
    since = max(now - REACH, last - HOUR if last else now - REACH)
    first = day_of(since)
    span = (first + n * A_DAY for n in range((day_of(now) - first).days + 1))
    days = {day: _hours_now(stream, day, since, now) for day in span}
    if last is None:
        _forget_before_the_first(days)
    with transaction("operations.count"):
        for day, hours in days.items():
            _write(stream, day, now, hours=hours, n=sum(each for each in hours if each is not None))


def _hours_now(stream: Stream, day: date, since: datetime, now: datetime) -> list[int | None]:
    """The hours of one day as they stand: those since a moment counted anew, the others as they were."""
    hours, before = hours_of(day), _find(stream, day)
    counts: list[int | None] = list(before.hours) if before else [None] * len(hours)
    wanted = [n for n, begin in enumerate(hours) if since - HOUR < begin <= now and _is_known(stream, begin, now)]
    counter = counters.HOURLY[stream]
    # Asked at once first: most of the days that a new installation looks back on were empty.
    if not wanted or not counter(hours[wanted[0]], hours[wanted[-1]] + HOUR):
        return [0 if n in wanted else each for n, each in enumerate(counts)]
    return [counter(hours[n], hours[n] + HOUR) if n in wanted else each for n, each in enumerate(counts)]


def _forget_before_the_first(days: dict[date, list[int | None]]) -> None:
    """Before anything ever came there was no newsroom here: those hours are not zero, but unknown."""
    for hours in days.values():  # in order
        for n, each in enumerate(hours):
            if each:
                return
            hours[n] = None


def _is_known(stream: Stream, begin: datetime, now: datetime) -> bool:
    """Whether the rows of an hour are all still there."""
    known_for = counters.KNOWN_FOR.get(stream)
    return known_for is None or now - begin <= known_for


def _count_votes(now: datetime) -> None:
    """Who voted since the last run, added to the day. Days only: no time of a vote is kept (decision 18)."""
    last = db.session.scalar(
        select(DailyCount).where(DailyCount.stream == Stream.VOTES).order_by(DailyCount.day.desc()).limit(1)
    )
    known = last.levels if last else {}
    levels = counters.count_votes(known)
    if not levels:
        return
    # Those that were open before anybody counted: their votes so far came on other days.
    n_new = sum(max(0, n - known.get(poll, n if last is None else 0)) for poll, n in levels.items())
    today = day_of(now)
    n_before = last.n if last and last.day == today else 0
    _write(Stream.VOTES, today, now, n=n_before + n_new, levels=levels)


def _count_charges(day: date, now: datetime) -> None:
    """How many supports fall due on a day, as it stands until the day begins, and how many were heard of since."""
    before, (begin, end) = _find(Stream.CHARGES, day), bounds_of(day)
    n_open = counters.count_unheard(begin, end)
    if begin > now:
        _write(Stream.CHARGES, day, now, n_expected=n_open)
        return
    n_due = before.n_expected if before and before.n_expected is not None else None
    if n_due is None:
        n_due = n_open + counters.count_renewals(begin, min(end, now))
    _write(Stream.CHARGES, day, now, n_expected=max(n_due, n_open), n=max(0, n_due - n_open))


def _find(stream: Stream, day: date) -> DailyCount | None:
    return db.session.get(DailyCount, (stream.value, day), populate_existing=True)


def _write(stream: Stream, day: date, now: datetime, **values: Any) -> None:
    """Write what is known of a day now; two workers that count at once write the same."""
    insert = insert_on_sqlite if is_sqlite() else insert_on_postgresql
    changed = {"counted_at": now, **values}
    row = {"stream": stream.value, "day": day, "n": 0, "hours": [], "levels": {}} | changed
    statement = insert(DailyCount).values(**row)
    with transaction("operations.count"):
        db.session.execute(statement.on_conflict_do_update(index_elements=["stream", "day"], set_=changed))
