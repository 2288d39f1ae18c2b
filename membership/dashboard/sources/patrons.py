"""How many people are patrons, from what is written whenever somebody's coverage or grace changes.

`patrons`: n is by how many more there are at the end of a day than at its start. `cohorts`: the same by the month
since which they are patrons, such as "2026-03".
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import func, select

from membership.dashboard.sources.source import Source, Sum
from membership.db import db
from membership.patrons.models import PatronChange


def _sums(start: datetime, end: datetime) -> Iterator[Sum]:
    more: Counter[str] = Counter()
    for moment, sign in ((PatronChange.starts_at, 1), (PatronChange.ends_at, -1)):
        rows = (
            select(PatronChange.cohort_on, func.sum(PatronChange.delta))
            .where(moment >= start, moment < end)
            .group_by(PatronChange.cohort_on)
        )
        for cohort_on, delta in db.session.execute(rows):
            more[f"{cohort_on:%Y-%m}"] += sign * int(delta)
    for cohort, n in more.items():
        if n:
            yield Sum("cohorts", "", cohort, n, 0)
    if total := more.total():
        yield Sum("patrons", "", "", total, 0)


PATRONS = Source(
    name="patrons",
    measures=frozenset({"patrons", "cohorts"}),
    money=frozenset(),
    row_id=PatronChange.id,
    moments=(PatronChange.starts_at, PatronChange.ends_at),
    sums=_sums,
)
