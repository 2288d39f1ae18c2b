"""I1 and I3: every movement adds up to zero, and each thing at the provider is booked once with its own amount."""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, case, func, or_, select

from membership.billing.books.findings import Finding, Scope, total_where
from membership.billing.ledger import BALANCE, ELSEWHERE, FEES, income_account
from membership.billing.models import JournalEntry, JournalTransaction, Payment, PaymentReversal
from membership.db import db
from membership.kernel.rhythm import Rhythm

Movement, Entry = JournalTransaction, JournalEntry

# What the journal must say of a payment, worked out from the payment alone.
INCOME = case((Payment.rhythm == Rhythm.ONCE.value, income_account(Rhythm.ONCE)), else_=income_account(Rhythm.MONTHLY))
PLACE = case((Payment.way == "card", BALANCE), else_=Payment.way)
N_SIDES = 2


def unbalanced(scope: Scope) -> Iterator[Finding]:
    """I1: the entries of a movement add up to zero in each currency, and there are some."""
    total = func.sum(Entry.amount_minor)
    for part in scope.slices(Movement.id, Movement.booked_at):
        uneven = (
            select(Movement.kind, Movement.provider_ref, Entry.currency, total)
            .join(Entry, Entry.transaction_id == Movement.id)
            .where(part)
            .group_by(Movement.id, Movement.kind, Movement.provider_ref, Entry.currency)
            .having(total != 0)
        )
        for kind, ref, currency, minor in db.session.execute(uneven):
            yield Finding("unbalanced", f"The {kind} of {ref} is out of balance by {minor} minor units of {currency}.")
        no_entry = ~select(Entry.id).where(Entry.transaction_id == Movement.id).exists()
        for kind, ref in db.session.execute(select(Movement.kind, Movement.provider_ref).where(part, no_entry)):
            yield Finding("empty_movement", f"The {kind} of {ref} has no entries.")


def unlike_payments(scope: Scope) -> Iterator[Finding]:
    """I3: income and the place where the money lies are those of the receipt."""
    income = total_where(and_(Entry.account == INCOME, Entry.currency == Payment.currency), Entry.amount_minor)
    place = total_where(
        and_(Entry.account.in_([PLACE, ELSEWHERE]), Entry.currency == Payment.currency), Entry.amount_minor
    )
    for part in scope.slices(Payment.id, Payment.booked_at):
        query = (
            select(Payment, income, place, func.count(Entry.id))
            .outerjoin(Movement, and_(Movement.kind == "payment", Movement.provider_ref == Payment.provider_id))
            .outerjoin(Entry, Entry.transaction_id == Movement.id)
            .where(part)
            .group_by(Payment.id)
            .having(_differ(income, place, -Payment.charged_minor, func.count(Entry.id), N_SIDES))
        )
        for payment, earned, lies, n_entries in db.session.execute(query):
            words = f"{payment.provider_id}: {payment.charged} on the receipt; in the journal {n_entries} entries"
            yield Finding("payment_unlike_journal", f"{words}, {-earned} as income and {lies} where it lies.")


def unlike_fees(scope: Scope) -> Iterator[Finding]:
    """I3: what the provider keeps is what the payment says."""
    fees = total_where(and_(Entry.account == FEES, Entry.currency == Payment.fee_currency), Entry.amount_minor)
    place = total_where(and_(Entry.account == PLACE, Entry.currency == Payment.fee_currency), Entry.amount_minor)
    fee = func.coalesce(Payment.fee_minor, 0)
    n_sides = case((fee == 0, 0), else_=N_SIDES)
    for part in scope.slices(Payment.id, Payment.booked_at):
        query = (
            select(Payment, fees, func.count(Entry.id))
            .outerjoin(Movement, and_(Movement.kind == "fee", Movement.provider_ref == Payment.provider_id))
            .outerjoin(Entry, Entry.transaction_id == Movement.id)
            .where(part)
            .group_by(Payment.id)
            .having(_differ(fees, place, fee, func.count(Entry.id), n_sides))
        )
        for payment, booked, n_entries in db.session.execute(query):
            words = f"{payment.provider_id}: a fee of {payment.fee}; in the journal {n_entries} entries, {booked}"
            yield Finding("fee_unlike_journal", f"{words} minor units as a fee.")


def unlike_reversals(scope: Scope) -> Iterator[Finding]:
    """I3: what left again took the same way out."""
    income = total_where(and_(Entry.account == INCOME, Entry.currency == Payment.currency), Entry.amount_minor)
    place = total_where(and_(Entry.account == PLACE, Entry.currency == Payment.currency), Entry.amount_minor)
    amount = PaymentReversal.amount_minor
    query = (
        select(PaymentReversal.provider_id)
        .join(Payment, Payment.id == PaymentReversal.payment_id)
        .outerjoin(Movement, and_(Movement.kind == "reversal", Movement.provider_ref == PaymentReversal.provider_id))
        .outerjoin(Entry, Entry.transaction_id == Movement.id)
        .group_by(PaymentReversal.id, PaymentReversal.provider_id, amount)
        .having(_differ(income, place, amount, func.count(Entry.id), N_SIDES))
    )
    # A reversal has no moment of booking of its own; its movement has.
    parts = scope.slices(PaymentReversal.id) if scope.since is None else scope.slices(Movement.id, Movement.booked_at)
    for part in parts:
        for ref in db.session.scalars(query.where(part)):
            yield Finding("reversal_unlike_journal", f"{ref}: its amount in the journal differs.")


def movements_of_nothing(scope: Scope) -> Iterator[Finding]:
    """I3, the other way round: nothing is in the journal that has no payment or reversal."""
    payment = select(Payment.id).where(Payment.provider_id == Movement.provider_ref).exists()
    reversal = select(PaymentReversal.id).where(PaymentReversal.provider_id == Movement.provider_ref).exists()
    orphan = or_(
        and_(Movement.kind.in_(["payment", "fee"]), ~payment),
        and_(Movement.kind.in_(["reversal", "reversal_fee"]), ~reversal),
    )
    for part in scope.slices(Movement.id, Movement.booked_at):
        for kind, ref in db.session.execute(select(Movement.kind, Movement.provider_ref).where(part, orphan)):
            thing = "payment" if kind in {"payment", "fee"} else "reversal"
            yield Finding(
                f"movement_without_{thing}",
                f"The {kind} {ref} is in the journal, and there is no {thing} of that name.",
            )


def _differ(
    first: ColumnElement[int],
    second: ColumnElement[int],
    wanted: SQLColumnExpression[int],
    n_entries: ColumnElement[int],
    n_wanted: int | ColumnElement[int],
) -> ColumnElement[bool]:
    """Whether one side is not `wanted`, the other not its opposite, or there are more sides than that."""
    return or_(first != wanted, second != -wanted, n_entries != n_wanted)


QUESTIONS = (unbalanced, unlike_payments, unlike_fees, unlike_reversals, movements_of_nothing)
