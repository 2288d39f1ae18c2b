"""Money that left again, by the day on which it left, whenever it had come.

`returned`: by "<what for>:<way>" of the payment; below zero where money came back (a dispute won).
"""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import func, select

from membership.billing.models import Payment, PaymentReversal
from membership.contributions.models import Contribution
from membership.dashboard.sources.payments import IS_ITS, WHAT_FOR
from membership.dashboard.sources.source import Source, Sum
from membership.db import db


def _sums(start: datetime, end: datetime) -> Iterator[Sum]:
    rows = (
        select(Payment.currency, WHAT_FOR, Payment.way, func.count(), func.sum(PaymentReversal.amount_minor))
        .select_from(PaymentReversal)
        .join(Payment, Payment.id == PaymentReversal.payment_id)
        .outerjoin(Contribution, IS_ITS)
        .where(PaymentReversal.moved_at >= start, PaymentReversal.moved_at < end)
        .group_by(Payment.currency, WHAT_FOR, Payment.way)
    )
    for currency, what_for, way, n, minor in db.session.execute(rows):
        yield Sum("returned", currency, f"{what_for}:{way}", n, int(minor))


REVERSALS = Source(
    name="reversals",
    measures=frozenset({"returned"}),
    money=frozenset({"returned"}),
    row_id=PaymentReversal.id,
    moments=(PaymentReversal.moved_at,),
    sums=_sums,
)
