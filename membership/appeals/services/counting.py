"""Counts what pages tell of appeals. Each batch once, whoever brings it and how often."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import delete, func, literal, select, text
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

from membership.appeals import queries_counts as queries
from membership.appeals.counts import AppealBatch, AppealCount
from membership.appeals.rules.batches import Told
from membership.db import db, is_sqlite, transaction
from membership.kernel import clock

# One process after another counts: so nobody waits in a ring, and the most articles of an hour is exact.
TURN = 7_406_015
MOST_ARTICLES = 300
"""Articles told apart in one hour; few more are read much, and made-up addresses of its site are without end."""
LONGEST_KEY = 200
"""Characters; articles of longer addresses are not told apart, so that nobody fills a disk with them."""
ROWS_AT_A_TIME = 500
KEPT = timedelta(days=2)
HOURS_KEPT = timedelta(days=60)
ONE_DAY = timedelta(days=1)
COLUMNS = ("starts_at", "n_hours", "article_key", "appeal", "variant", "event")

Key = tuple[datetime, int, str, str, str, str]
"""As `COLUMNS`."""


@dataclass(frozen=True, slots=True)
class Received:
    """A batch that came: its article (a key of `kernel.places`, "" for none of ours), when by the business clock, and
    when in real time.
    """

    batch_id: str
    article_key: str
    events: tuple[Told, ...]
    at: datetime
    received_at: datetime


def count(batches: Sequence[Received]) -> int:
    """Count those batches that were not counted before, all or none; how many those were."""
    with transaction("appeals.count"):
        if not is_sqlite():
            db.session.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": TURN})
        # Of one name twice the first counts.
        first = {batch.batch_id: batch for batch in reversed(batches)}
        new = _remember(first.values())
        _add(_with_few_articles(_summed(first[batch_id] for batch_id in new)))
    return len(new)


def _remember(batches: Iterable[Received]) -> set[str]:
    """Write down the names of batches; those that were not there."""
    rows = [{"batch_id": batch.batch_id, "received_at": batch.received_at} for batch in batches]
    if not rows:
        return set()
    # One statement for all, which SQLAlchemy cuts into pieces and, other than one with its values in it, makes once.
    statement = _insert(AppealBatch).on_conflict_do_nothing().returning(AppealBatch.__table__.c.batch_id)
    return set(db.session.connection().execute(statement, rows).scalars())


def _summed(batches: Iterable[Received]) -> Counter[Key]:
    sums: Counter[Key] = Counter()
    for batch in batches:
        hour = batch.at.replace(minute=0, second=0, microsecond=0)
        for told in batch.events:
            article = batch.article_key if len(batch.article_key) <= LONGEST_KEY else ""
            sums[hour, 1, article, told.appeal, told.variant, told.event.value] += told.weight
    known = queries.variants_told(clock.now())
    return Counter({key: n for key, n in sums.items() if key[4] in known.get(key[3], ())})


def _with_few_articles(sums: Mapping[Key, int]) -> Counter[Key]:
    """The same, with what is beyond the most articles of its hour under ""."""
    kept: Counter[Key] = Counter()
    for hour in {key[0] for key in sums}:
        wanted = sorted({key[2] for key in sums if key[0] == hour and key[2]})
        allowed = _allowed(hour, wanted)
        for key, n in sums.items():
            if key[0] == hour:
                kept[hour, key[1], key[2] if key[2] in allowed else "", *key[3:]] += n
    return kept


def _allowed(hour: datetime, wanted: Sequence[str]) -> set[str]:
    """Those of the wanted articles that are told apart in this hour."""
    of_hour = (AppealCount.starts_at == hour, AppealCount.n_hours == 1, AppealCount.article_key != "")
    there: set[str] = set()
    for part in _parts(wanted):
        found = select(AppealCount.article_key).where(*of_hour, AppealCount.article_key.in_(part)).distinct()
        there.update(db.session.scalars(found))
    new = [article for article in wanted if article not in there]
    if not new:
        return there
    n_there = db.session.scalar(select(func.count(AppealCount.article_key.distinct())).where(*of_hour)) or 0
    return there | set(new[: max(0, MOST_ARTICLES - n_there)])


def _add(sums: Mapping[Key, int]) -> None:
    # In one order always, so that two who add at the same time do not wait for each other.
    rows = [dict(zip(COLUMNS, key, strict=True)) | {"n": n} for key, n in sorted(sums.items())]
    for part in _parts(rows):
        statement = _insert(AppealCount).values(part)
        more = {"n": AppealCount.n + statement.excluded.n}
        db.session.execute(statement.on_conflict_do_update(index_elements=COLUMNS, set_=more))


def _insert(model: type[AppealBatch] | type[AppealCount]) -> Any:
    insert = insert_on_sqlite if is_sqlite() else insert_on_postgresql
    table: Any = model.__table__  # not the class: rows are written, no objects are made
    return insert(table)


def _parts(rows: Iterable[Any]) -> Iterator[list[Any]]:
    waiting = iter(rows)
    while part := list(islice(waiting, ROWS_AT_A_TIME)):
        yield part


# What becomes of it ------------------------------------------------------------------------------------


def forget(real_now: datetime) -> int:
    """Delete the names of batches that came more than two days ago: no browser sends one for so long; how many."""
    n_gone = 0
    while True:
        old = select(AppealBatch.batch_id).where(AppealBatch.received_at < real_now - KEPT).limit(10 * ROWS_AT_A_TIME)
        with transaction("appeals.forget_batches"):
            gone = delete(AppealBatch).where(AppealBatch.batch_id.in_(old)).returning(AppealBatch.batch_id)
            n = len(db.session.scalars(gone).all())
        if not n:
            return n_gone
        n_gone += n


def roll(now: datetime) -> int:
    """Make one row of the hours of each day that was over 60 days ago; how many days."""
    ends = (now - HOURS_KEPT).replace(hour=0, minute=0, second=0, microsecond=0)
    n_days = 0
    while True:
        with transaction("appeals.roll"):
            hours = select(func.min(AppealCount.starts_at)).where(
                AppealCount.n_hours == 1, AppealCount.starts_at < ends
            )
            first = db.session.scalar(hours)
            if first is None:
                return n_days
            _roll_day(first.replace(hour=0))
        n_days += 1


def _roll_day(day: datetime) -> None:
    of_day = (AppealCount.n_hours == 1, AppealCount.starts_at >= day, AppealCount.starts_at < day + ONE_DAY)
    what = (AppealCount.article_key, AppealCount.appeal, AppealCount.variant, AppealCount.event)
    start = literal(day, AppealCount.starts_at.type)
    sums = select(start, literal(24), *what, func.sum(AppealCount.n)).where(*of_day).group_by(*what)
    statement = _insert(AppealCount).from_select([*COLUMNS, "n"], sums)
    more = {"n": AppealCount.n + statement.excluded.n}
    db.session.execute(statement.on_conflict_do_update(index_elements=COLUMNS, set_=more))
    db.session.execute(delete(AppealCount).where(*of_day))
