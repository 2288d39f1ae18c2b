"""Renewals that failed, and those of them that came after all.

`troubles`: by "failed" (on the day of the first failed try) and "recovered" (on the day on which the money came).
"""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import func, select

from membership.contributions.models import PaymentTrouble
from membership.dashboard.sources.source import Source, Sum
from membership.db import db


def _sums(start: datetime, end: datetime) -> Iterator[Sum]:
    rows = (
        select(PaymentTrouble.currency, PaymentTrouble.kind, func.count(), func.sum(PaymentTrouble.amount_minor))
        .where(PaymentTrouble.at >= start, PaymentTrouble.at < end)
        .group_by(PaymentTrouble.currency, PaymentTrouble.kind)
    )
    for currency, kind, n, minor in db.session.execute(rows):
        yield Sum("troubles", currency, kind, n, int(minor))


TROUBLES = Source(
    name="troubles",
    measures=frozenset({"troubles"}),
    money=frozenset({"troubles"}),
    row_id=PaymentTrouble.id,
    moments=(PaymentTrouble.at,),
    sums=_sums,
)
