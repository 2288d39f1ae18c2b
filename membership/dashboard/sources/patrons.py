"""How many people are patrons, from what is written whenever somebody's coverage or grace changes.

`patrons`: n is by how many more there are at the end of a day than at its start.
"""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import func, select

from membership.dashboard.sources.source import Source, Sum
from membership.db import db
from membership.patrons.models import PatronChange


def _sums(start: datetime, end: datetime) -> Iterator[Sum]:
    change = func.coalesce(func.sum(PatronChange.delta), 0)
    begun, ended = (
        db.session.scalar(select(change).where(moment >= start, moment < end)) or 0
        for moment in (PatronChange.starts_at, PatronChange.ends_at)
    )
    if begun != ended:
        yield Sum("patrons", "", "", int(begun) - int(ended), 0)


PATRONS = Source(
    name="patrons",
    measures=frozenset({"patrons"}),
    money=frozenset(),
    row_id=PatronChange.id,
    moments=(PatronChange.starts_at, PatronChange.ends_at),
    sums=_sums,
)
