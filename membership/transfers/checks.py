"""What check-books asks of statements: the money of each line that came stands in the books once, or not at all; so
does what was kept because of others.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from sqlalchemy import func, select

from membership.billing.books import Finding, Scope
from membership.billing.ledger import FEES
from membership.billing.models import JournalEntry, JournalTransaction, Payment, PaymentReversal
from membership.db import db
from membership.transfers.models import StatementLine

AT_A_TIME = 500


def unlike_lines(scope: Scope) -> Iterator[Finding]:
    """A booked line has money left of exactly the payment that it names; an open, ignored or returned one of none."""
    for part in scope.slices(StatementLine.id, StatementLine.imported_at):
        query = select(StatementLine).where(part, StatementLine.kind == "credit").order_by(StatementLine.id)
        lines = db.session.scalars(query).all()
        for first in range(0, len(lines), AT_A_TIME):
            yield from _unlike(lines[first : first + AT_A_TIME])


def _unlike(lines: Sequence[StatementLine]) -> Iterator[Finding]:
    names = {name: line.id for line in lines for name in line.payment_names()}
    held: dict[int, list[str]] = defaultdict(list)
    for name in _with_money_left(list(names)):
        held[names[name]].append(name)
    for line in lines:
        expected = [line.payment_id] if line.state == "booked" else []
        if held[line.id] != expected:
            words = ", ".join(held[line.id]) or "none of its payments"
            yield Finding("line_differs", f"The line {line.id} is {line.state}, and money is left of {words}.")


def _with_money_left(names: Sequence[str]) -> list[str]:
    total = func.coalesce(func.sum(PaymentReversal.amount_minor), 0)
    gone = select(total).where(PaymentReversal.payment_id == Payment.id).scalar_subquery()
    query = select(Payment.provider_id).where(Payment.provider_id.in_(names), gone < Payment.charged_minor)
    return list(db.session.scalars(query.order_by(Payment.id)))


def unlike_fees(scope: Scope) -> Iterator[Finding]:
    """What was kept by a booked return or fee stands in the journal, by an open or ignored one nothing does."""
    for part in scope.slices(StatementLine.id, StatementLine.imported_at):
        query = select(StatementLine).where(part, StatementLine.kind != "credit").order_by(StatementLine.id)
        lines = db.session.scalars(query).all()
        for first in range(0, len(lines), AT_A_TIME):
            yield from _unlike_fees(lines[first : first + AT_A_TIME])


def _unlike_fees(lines: Sequence[StatementLine]) -> Iterator[Finding]:
    names = {f"{name}{end}": line.id for line in lines for name in line.reversal_names() for end in ("", ":returned")}
    kept: dict[int, int] = defaultdict(int)
    query = (
        select(JournalTransaction.provider_ref, func.sum(JournalEntry.amount_minor))
        .join(JournalEntry, JournalEntry.transaction_id == JournalTransaction.id)
        .where(JournalTransaction.provider_ref.in_(names), JournalEntry.account == FEES)
        .group_by(JournalTransaction.provider_ref)
    )
    for name, minor in db.session.execute(query):
        kept[names[name]] += int(minor)
    for line in lines:
        expected = line.kept.minor if line.state == "booked" else 0
        if kept[line.id] != expected:
            words = f"The line {line.id} is {line.state} with fees of {line.kept}"
            yield Finding("line_fee_differs", f"{words}; in the journal there are {kept[line.id]} minor units.")


CHECKS = (unlike_lines, unlike_fees)
