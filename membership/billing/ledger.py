"""The books: append-only, double entry, every movement adds up to zero in each currency (I1, I3).

Debits are above zero, credits below. What readers pay lies with the provider (`provider_balance`, debit)
against income (credit); what the provider keeps is `provider_fees` (debit) out of its balance (credit). A
conversion by the provider is not booked here: a fee in another currency than the charge simply leaves that
currency's balance.

Everything here joins the caller's transaction. The database's unique keys decide what is booked already.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

from membership.billing.models import JournalEntry, JournalTransaction, Payment, PaymentReversal, ReceiptCounter
from membership.billing.port import PaymentFact, ReversalFact
from membership.billing.rules import receipt_number
from membership.db import db, is_sqlite
from membership.kernel import clock
from membership.kernel.money import Money, sum_by_currency
from membership.kernel.rhythm import Rhythm
from membership.newsroom.queries import day_of

BALANCE, FEES = "provider_balance", "provider_fees"
# Marked as paid at the provider by other means: cash, a transfer. The money is not with the provider.
ELSEWHERE = "paid_elsewhere"


# Where money of the other ways lies, each with an account of its own; the provider knows nothing of it.
OUR_OWN_PLACES = frozenset({"bank", "paypal", "crypto", "cash"})


class NotBalanced(ValueError):  # noqa: N818 - reads as a sentence
    """A program error: these entries do not add up to zero, and were not written."""


def income_account(rhythm: Rhythm) -> str:
    """Where a payment of this rhythm counts as income."""
    return "income_once" if rhythm is Rhythm.ONCE else "income_recurring"


def place_of(way: str) -> str:
    """The account in which money of a way lies: the provider's balance for whatever goes through the provider."""
    return way if way in OUR_OWN_PLACES else BALANCE


def post(kind: str, provider_ref: str, moved_at: datetime, entries: list[tuple[str, Money]]) -> JournalTransaction:
    """Write one movement of `entries` (account, amount; zero amounts are left out).

    Raises NotBalanced unless they add up to zero per currency and something moves, IntegrityError where
    (kind, provider_ref) is booked already.
    """
    entries = [(account, money) for account, money in entries if money.minor]
    if not entries or any(total.minor for total in sum_by_currency(money for _, money in entries).values()):
        raise NotBalanced(f"{kind} {provider_ref}: {', '.join(f'{a} {m}' for a, m in entries) or 'nothing'}")
    booked = JournalTransaction(kind=kind, provider_ref=provider_ref, moved_at=moved_at, booked_at=clock.now())
    db.session.add(booked)
    db.session.flush()
    db.session.add_all(
        JournalEntry(transaction_id=booked.id, account=account, amount_minor=money.minor, currency=money.currency)
        for account, money in entries
    )
    db.session.flush()
    return booked


def find_payment(provider_id: str) -> Payment | None:
    """The payment with this id at the provider."""
    return db.session.scalar(select(Payment).where(Payment.provider_id == provider_id))


def book_payment(fact: PaymentFact) -> Payment | None:
    """Book money that came, with its receipt; None where it is booked already (then only a missing fee is added).

    The caller holds the lease of the thing it was read from; where two things tell of one payment at once, the
    unique key refuses the second and its whole transaction.
    """
    known = find_payment(fact.payment_id)
    if known is not None:
        _add_fee(known, fact.fee)
        return None
    payment = Payment(
        provider_id=fact.payment_id,
        way=fact.way,
        reference=fact.reference,
        rhythm=fact.rhythm.value,
        charged_minor=fact.charged.minor,
        currency=fact.charged.currency,
        fee_minor=fact.fee.minor if fact.fee else None,
        fee_currency=fact.fee.currency if fact.fee else None,
        fee_asked_at=None if fact.fee else clock.real_now(),
        paid_at=fact.paid_at,
        period_start_at=fact.period_start,
        period_end_at=fact.period_end,
        subscription_id=fact.subscription_id,
        receipt_number=_next_receipt(fact.paid_at),
        booked_at=clock.now(),
    )
    db.session.add(payment)
    db.session.flush()
    income = income_account(fact.rhythm)
    place = ELSEWHERE if fact.is_elsewhere else place_of(fact.way)
    post("payment", fact.payment_id, fact.paid_at, [(place, fact.charged), (income, -fact.charged)])
    _post_fee(payment)
    return payment


def _add_fee(payment: Payment, fee: Money | None) -> None:
    """Write down what the provider kept, once; what is not said yet stays open."""
    if payment.fee_minor is not None:
        return
    if fee is None:
        payment.fee_asked_at = clock.real_now()
        return
    payment.fee_minor, payment.fee_currency, payment.fee_asked_at = fee.minor, fee.currency, None
    _post_fee(payment)


def _post_fee(payment: Payment) -> None:
    if payment.fee is not None and payment.fee.minor:
        post("fee", payment.provider_id, payment.paid_at, [(FEES, payment.fee), (place_of(payment.way), -payment.fee)])


def book_reversal(fact: ReversalFact, payment: Payment) -> bool:
    """Book money that left again or came back; False where that is booked already, or where it never left."""
    out, back = fact.reversal_id, f"{fact.reversal_id}:returned"
    known = set(
        db.session.scalars(select(PaymentReversal.provider_id).where(PaymentReversal.provider_id.in_((out, back))))
    )
    ref = back if fact.is_returned else out
    if ref in known or (fact.is_returned and out not in known):
        return False
    amount = -fact.amount if fact.is_returned else fact.amount
    db.session.add(
        PaymentReversal(
            provider_id=ref, payment_id=payment.id, amount_minor=amount.minor, reason=fact.reason, moved_at=fact.at
        )
    )
    place = place_of(payment.way)
    post("reversal", ref, fact.at, [(income_account(Rhythm(payment.rhythm)), amount), (place, -amount)])
    if fact.fee is not None and fact.fee.minor:
        post("reversal_fee", ref, fact.at, [(FEES, fact.fee), (place, -fact.fee)])
    return True


def book_extra_fee(ref: str, way: str, fee: Money, at: datetime) -> None:
    """Book what was kept because of a payment on a line of its own (a chargeback's fee); below zero: given back.

    The caller sees to it that each `ref` comes once; the database refuses a second one with IntegrityError.
    """
    post("extra_fee", ref, at, [(FEES, fee), (place_of(way), -fee)])


def _next_receipt(paid_at: datetime) -> str:
    """The next number of the year, as the newsroom's own calendar has it.

    The counter's row stays locked until the commit, so a rolled-back booking leaves no gap and two bookings
    never get one number.
    """
    year = day_of(paid_at).year
    insert = insert_on_sqlite if is_sqlite() else insert_on_postgresql
    statement = (
        insert(ReceiptCounter)
        .values(year=year, last_number=1)
        .on_conflict_do_update(index_elements=["year"], set_={"last_number": ReceiptCounter.last_number + 1})
        .returning(ReceiptCounter.last_number)
    )
    return receipt_number(year, db.session.scalars(statement).one())
