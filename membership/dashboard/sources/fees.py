"""What the payment provider keeps, from the journal.

`fees`: by "fee" (of a payment, on the day of the payment) and "reversal_fee" (of a dispute, on its day).
"""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import func, select

from membership.billing import ledger
from membership.billing.models import JournalEntry, JournalTransaction
from membership.dashboard.sources.source import Source, Sum
from membership.db import db

KINDS = ("fee", "reversal_fee")


def _sums(start: datetime, end: datetime) -> Iterator[Sum]:
    rows = (
        select(JournalEntry.currency, JournalTransaction.kind, func.count(), func.sum(JournalEntry.amount_minor))
        .join(JournalEntry, JournalEntry.transaction_id == JournalTransaction.id)
        .where(
            JournalTransaction.moved_at >= start,
            JournalTransaction.moved_at < end,
            JournalTransaction.kind.in_(KINDS),
            JournalEntry.account == ledger.FEES,
        )
        .group_by(JournalEntry.currency, JournalTransaction.kind)
    )
    for currency, kind, n, minor in db.session.execute(rows):
        yield Sum("fees", currency, kind, n, int(minor))


FEES = Source(
    name="fees",
    measures=frozenset({"fees"}),
    money=frozenset({"fees"}),
    row_id=JournalTransaction.id,
    moments=(JournalTransaction.moved_at,),
    sums=_sums,
    of_rows=JournalTransaction.kind.in_(KINDS),
)
