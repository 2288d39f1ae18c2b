"""Charges that are due: what running supports say of their next payment."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, case, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute

from membership.contributions.models import Contribution
from membership.contributions.rules import State
from membership.db import db

RETRY = "retry"


class Due(NamedTuple):
    """So many charges, of one amount together, on the day `at` (a number from 0) in one currency. `kind` is the rhythm
    of a renewal, or RETRY for one that failed before.
    """

    at: int
    kind: str
    currency: str
    n: int
    minor: int


def due(ends: Sequence[datetime], currency: str | None) -> Iterator[Due]:
    """What is due before the last of `ends`, each of which ends a day. What is late already is due on the first of
    them. One statement each for renewals and for what is tried again, by an index of the moment.
    """
    renewals = _due(
        Contribution.next_payment_at,
        ends,
        kind=func.coalesce(Contribution.next_rhythm, Contribution.rhythm),
        minor=func.coalesce(Contribution.next_charge_minor, Contribution.charge_minor),
    ).where(Contribution.state == State.ACTIVE.value)
    retries = _due(Contribution.next_try_at, ends, kind=literal(RETRY), minor=Contribution.charge_minor).where(
        Contribution.state == State.PAST_DUE.value, Contribution.failed_at.is_not(None)
    )
    for rows in (renewals, retries):
        each = (rows if currency is None else rows.where(Contribution.currency == currency)).subquery()
        found = select(each.c.day, each.c.kind, each.c.currency, func.count(), func.sum(each.c.minor)).group_by(
            each.c.day, each.c.kind, each.c.currency
        )
        for day, kind, code, n, total in db.session.execute(found):
            yield Due(day, kind, code, n, int(total))


def _due(
    moment: InstrumentedAttribute[datetime | None], ends: Sequence[datetime], *, kind: Any, minor: Any
) -> Select[Any]:
    day: Any = case(*((moment < end, number) for number, end in enumerate(ends)))
    return select(
        day.label("day"), kind.label("kind"), Contribution.currency.label("currency"), minor.label("minor")
    ).where(moment < ends[-1], Contribution.stop_asked_at.is_(None))
