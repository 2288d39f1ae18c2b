"""What came against what should have come, from the roll-up; and the silences of which owners were told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import select

from membership.db import db
from membership.newsroom.queries import day_of
from membership.operations.models import DailyCount, Silence
from membership.operations.queries import counters
from membership.operations.queries.days import bounds_of, hours_of
from membership.operations.rules import CHARGE_PATIENCE, WEEKS, Judgement, Stream, day_sums, judge_charges, look

LOOK_BACK = timedelta(weeks=WEEKS, days=9)
DAYS_SHOWN = 14
SILENCES_SHOWN = 10
A_DAY = timedelta(days=1)


def judgements(now: datetime) -> dict[Stream, Judgement | None]:
    """What a look at every stream says at `now`; None where nothing can be said: it was not counted, or, of votes, no
    poll was open for all of yesterday.
    """
    rows = _rows(now - LOOK_BACK)
    said: dict[Stream, Judgement | None] = {stream: _hourly(rows, stream) for stream in counters.HOURLY}
    return {Stream.CHARGES: _charges(now)} | said | {Stream.VOTES: _votes(rows, now)}


def _rows(since: datetime) -> Sequence[DailyCount]:
    return db.session.scalars(select(DailyCount).where(DailyCount.day >= day_of(since))).all()


def _hourly(rows: Sequence[DailyCount], stream: Stream) -> Judgement | None:
    """The 24 hours before the last one that was counted to its end."""
    mine = [row for row in rows if row.stream == stream]
    counts = {
        hour: n
        for row in mine
        for hour, n in zip(hours_of(row.day), row.hours, strict=False)
        if n is not None and hour + timedelta(hours=1) <= row.counted_at
    }
    last = max(counts, default=None)
    return look(day_sums(counts), last + timedelta(hours=1)) if last else None


def _charges(now: datetime) -> Judgement:
    """What fell due in the day that ended six hours ago."""
    until = now - CHARGE_PATIENCE
    n_silent = counters.count_unheard(until - A_DAY, until)
    return judge_charges(n_silent + counters.count_renewals(until - A_DAY, now), n_silent)


def _votes(rows: Sequence[DailyCount], now: datetime) -> Judgement | None:
    """Yesterday as a whole, against whole days on which a poll was open."""
    spans = counters.list_open_spans(now - LOOK_BACK)
    days = {row.day: row.n for row in rows if row.stream == Stream.VOTES}
    sums = {_mark(day): days.get(day, 0) for day in _open_days(days, spans, day_of(now))}
    return look(sums, _mark(day_of(now) - A_DAY))


def _open_days(counted: dict[date, int], spans: Sequence[tuple[datetime, datetime]], today: date) -> list[date]:
    """Days before today, from the first that was counted on, through all of which some poll was open."""
    first = min(counted, default=today)
    days = [first + n * A_DAY for n in range((today - first).days)]
    bounds = {day: bounds_of(day) for day in days}
    return [day for day in days if any(begin <= bounds[day][0] and bounds[day][1] <= end for begin, end in spans)]


def _mark(day: date) -> datetime:
    """A name for a whole day that can be reckoned with like the end of one."""
    return datetime.combine(day, time(), tzinfo=UTC)


def recent_days(now: datetime) -> dict[Stream, list[DailyCount]]:
    """The last two weeks of every stream, today first; days that were not counted are missing."""
    found: dict[Stream, list[DailyCount]] = {stream: [] for stream in Stream}
    first, last = day_of(now) - DAYS_SHOWN * A_DAY, day_of(now)
    mine = select(DailyCount).where(DailyCount.day > first, DailyCount.day <= last)
    for row in db.session.scalars(mine.order_by(DailyCount.day.desc())):
        found[Stream(row.stream)].append(row)
    return found


def list_open_silences() -> Sequence[Silence]:
    """Silences of which owners were told and that are not over, longest first; mostly none."""
    is_open = Silence.ended_at.is_(None) & Silence.began_at.is_not(None)
    return db.session.scalars(select(Silence).where(is_open).order_by(Silence.began_at, Silence.id)).all()


def list_past_silences() -> Sequence[Silence]:
    """The last ones that are over, newest first."""
    over = select(Silence).where(Silence.ended_at.is_not(None))
    return db.session.scalars(over.order_by(Silence.ended_at.desc(), Silence.id.desc()).limit(SILENCES_SHOWN)).all()


@dataclass(frozen=True, slots=True)
class Streams:
    """All of it for the page about the health of the installation."""

    judgements: dict[Stream, Judgement | None]
    days: dict[Stream, list[DailyCount]]
    open_silences: Sequence[Silence]
    past_silences: Sequence[Silence]


def streams(now: datetime) -> Streams:
    """What came and what should have come, at `now`."""
    return Streams(judgements(now), recent_days(now), list_open_silences(), list_past_silences())
