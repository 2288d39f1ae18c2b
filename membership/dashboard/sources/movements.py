"""Recurring income and how it moves, from the movements that are written with the money.

`movements`: per kind, with "currency" for the two halves of a change of currency; n supports, amount per year.
`losses`: what was lost, by its cause (`patrons.rules.Loss`; empty where none was kept); the same units.
`supports`: all of them together: by how many supports and how much a year a day ended higher. They are added up to a
level, which is worth what the rate of its own day says, so no rate of the day of the movement goes with it.
`cups`: the same in thousandths of a cup a month.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.orm import aliased

from membership.dashboard.sources.source import Source, Sum
from membership.db import db
from membership.patrons.models import Movement
from membership.patrons.rules import MovementKind

CURRENCY_CHANGED = "currency"
_STEPS = {MovementKind.NEW: 1, MovementKind.BACK: 1, MovementKind.LOST: -1}


def _sums(start: datetime, end: datetime) -> Iterator[Sum]:
    other = aliased(Movement)
    # One support that leaves one currency and enters another in the same moment did not end and come back.
    is_half = (
        select(other.id)
        .where(other.reference == Movement.reference, other.at == Movement.at, other.currency != Movement.currency)
        .exists()
    )
    halves = case((is_half, 1), else_=0).label("is_half")
    inner = select(
        Movement.currency,
        Movement.kind,
        Movement.cause,
        halves,
        Movement.yearly_delta_minor,
        Movement.milli_cups_delta,
    ).where(Movement.at >= start, Movement.at < end)
    rows = inner.subquery()
    grouped = select(
        rows.c.currency,
        rows.c.kind,
        rows.c.cause,
        rows.c.is_half,
        func.count(),
        func.sum(rows.c.yearly_delta_minor),
        func.sum(rows.c.milli_cups_delta),
    ).group_by(rows.c.currency, rows.c.kind, rows.c.cause, rows.c.is_half)
    kinds: Counter[tuple[str, str]] = Counter()
    amounts: Counter[tuple[str, str]] = Counter()
    losses: Counter[tuple[str, str]] = Counter()
    lost: Counter[tuple[str, str]] = Counter()
    net: dict[str, list[int]] = {}
    for currency, kind, cause, half, n, yearly, cups in db.session.execute(grouped):
        key = (currency, CURRENCY_CHANGED if half else kind)
        kinds[key] += n
        amounts[key] += int(yearly)
        if kind == MovementKind.LOST:
            losses[currency, cause] += n
            lost[currency, cause] += int(yearly)
        total = net.setdefault(currency, [0, 0, 0])
        total[0] += n * _STEPS.get(MovementKind(kind), 0)
        total[1] += int(yearly)
        total[2] += int(cups)
    for (currency, kind), n in kinds.items():
        yield Sum("movements", currency, kind, n, amounts[currency, kind])
    for (currency, cause), n in losses.items():
        yield Sum("losses", currency, cause, n, lost[currency, cause])
    for currency, (n, yearly, cups) in net.items():
        yield Sum("supports", currency, "", n, yearly)
        yield Sum("cups", currency, "", n, cups)


MOVEMENTS = Source(
    name="movements",
    measures=frozenset({"movements", "losses", "supports", "cups"}),
    money=frozenset({"movements", "losses"}),
    row_id=Movement.id,
    moments=(Movement.at,),
    sums=_sums,
)
