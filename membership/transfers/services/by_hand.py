"""Money beside the provider that no statement tells of: booked by staff, given back, undone."""

from datetime import date

from sqlalchemy import select

from membership.billing import ledger
from membership.billing.booking import book
from membership.billing.models import Payment, PaymentReversal
from membership.billing.port import ReversalFact
from membership.contributions.models import Contribution
from membership.contributions.services.declaring import Gift, declare
from membership.db import db, transaction
from membership.kernel.errors import Conflict, InvalidInput, NotFound
from membership.kernel.money import Money
from membership.transfers.rules.reasons import clean_reason
from membership.transfers.services.posting import (
    RETURNED,
    UNDONE,
    Decision,
    book_undoing,
    in_currency,
    left_of,
    moment_of,
    name_of_next,
    note,
    payment_of,
    post,
    set_credit_state,
)


def undo_payment(payment_id: str, decision: Decision) -> None:
    """Book the whole of a payment beside the provider out again, whoever booked it. Conflict where nothing is left."""
    clean_reason(decision.reason)
    with transaction("transfers.undo_payment"):
        payment = payment_of(payment_id)
        left = left_of(payment)
        if payment.way == "card" or left.minor <= 0:
            raise Conflict("nothing_left", "All of this payment has gone back already.")
        ref = name_of_next(payment, "undone")
        # With the fee: when the line is booked again, what was kept of it is booked with it.
        fee = None if payment.fee is None else -payment.fee
        book_undoing(ReversalFact(ref, payment_id, left, fee, decision.at, UNDONE), payment)
        note(payment, "transfer_undone", decision)


def give_back(payment_id: str, amount: Money, on: date, decision: Decision, form_token: str) -> None:
    """Write down that money of a payment was sent back to its giver, wholly or in part, where no statement says so.

    One form does it once, however often it is sent: the same `form_token` a second time changes nothing. Raises
    InvalidInput `too_much` where more than is left of it is named.
    """
    clean_reason(decision.reason)
    with transaction("transfers.give_back"):
        payment = payment_of(payment_id)
        ref = f"{payment_id}:back:{form_token}"
        if db.session.scalar(select(PaymentReversal.id).where(PaymentReversal.provider_id == ref)) is not None:
            return
        left = left_of(payment)
        if payment.way == "card" or amount.currency != payment.currency or amount.minor <= 0 or left < amount:
            raise InvalidInput("too_much", f"Of this payment {left} is left.", field="amount", left=left)
        book(ReversalFact(ref, payment_id, amount, None, moment_of(on, decision.at), RETURNED))
        if left_of(payment).minor == 0:
            set_credit_state(payment_id, "booked", "returned")
        note(payment, "transfer_given_back", decision)


def book_by_hand(gift: Gift, on: date, form_token: str, decision: Decision) -> str:
    """Book a gift that no statement tells of (cash, crypto); its receipt's number.

    One form books once, however often it is sent: the same `form_token` gives the same receipt.
    """
    clean_reason(decision.reason)
    payment_id = f"{gift.way}:{form_token}"
    with transaction("transfers.book_by_hand"):
        if known := _booked_by(form_token):
            return known.receipt_number
        contribution = declare(gift, f"hand:{form_token}"[:64], decision.at)
        free = Money(0, gift.amount.currency)
        post(contribution, payment_id, gift.amount, free, moment_of(on, decision.at), gift.way)
        payment = payment_of(payment_id)
        note(payment, "transfer_by_hand", decision)
        return payment.receipt_number


def book_announced(
    contribution_id: int, amount: Money, on: date, form_token: str, decision: Decision, *, way: str
) -> str:
    """The same for money that was announced: it is booked to that announcement, and lies where `way` says."""
    clean_reason(decision.reason)
    with transaction("transfers.book_announced"):
        announced = db.session.get(Contribution, contribution_id)
        if announced is None or announced.way == "card":
            raise NotFound("no_declaration", "There is no such announcement.")
        if known := _booked_by(form_token):
            return known.receipt_number
        contribution = in_currency(announced, amount, f"hand:{form_token}"[:64])
        free = Money(0, amount.currency)
        payment_id = f"{way}:{form_token}"
        post(contribution, payment_id, amount, free, moment_of(on, decision.at), way)
        payment = payment_of(payment_id)
        note(payment, "transfer_by_hand", decision)
        return payment.receipt_number


def _booked_by(form_token: str) -> Payment | None:
    """What a form booked already, whatever way was chosen in it then."""
    names = [f"{way}:{form_token}" for way in sorted(ledger.OUR_OWN_PLACES)]
    return db.session.scalar(select(Payment).where(Payment.provider_id.in_(names)))
