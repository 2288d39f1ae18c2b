"""Money that came, by the day on which it was paid.

`payments`: by "<what for>:<way>", where what for is monthly, yearly, once, or gift (a membership for somebody else).
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select

from membership.billing.models import Payment
from membership.contributions.models import Contribution
from membership.dashboard.sources.source import Source, Sum
from membership.db import db
from membership.kernel.rhythm import Rhythm

GIFT = "gift"
WHAT_FOR: ColumnElement[Any] = case((Contribution.purpose == GIFT, GIFT), else_=Payment.rhythm)
# What a contribution is for never changes. Only single gifts are looked up: a renewal is its giver's own.
IS_ITS: ColumnElement[bool] = and_(Payment.rhythm == Rhythm.ONCE.value, Contribution.reference == Payment.reference)


def _sums(start: datetime, end: datetime) -> Iterator[Sum]:
    rows = (
        select(Payment.currency, WHAT_FOR, Payment.way, func.count(), func.sum(Payment.charged_minor))
        .outerjoin(Contribution, IS_ITS)
        .where(Payment.paid_at >= start, Payment.paid_at < end)
        .group_by(Payment.currency, WHAT_FOR, Payment.way)
    )
    for currency, what_for, way, n, minor in db.session.execute(rows):
        yield Sum("payments", currency, f"{what_for}:{way}", n, int(minor))


PAYMENTS = Source(
    name="payments",
    measures=frozenset({"payments"}),
    money=frozenset({"payments"}),
    row_id=Payment.id,
    moments=(Payment.paid_at,),
    sums=_sums,
)
