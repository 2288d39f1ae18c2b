"""A line becomes money in the books, or gives it back; and every way out of a mistake.

Each function is one transaction on the locked line. The payment's id is made of the line's identity, so one line is
never booked twice; after an undo the next booking has a number behind it.
"""

import logging
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

from membership.accounts import services as accounts
from membership.accounts.models import Person
from membership.billing import ledger
from membership.billing.booking import book
from membership.billing.models import Payment
from membership.billing.port import ReversalFact
from membership.contributions.models import Contribution
from membership.contributions.services.declaring import Gift, declare
from membership.db import db, is_sqlite, transaction
from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput, MembershipError, NotFound
from membership.kernel.money import Money
from membership.newsroom.queries import cup_in, late_money
from membership.transfers import queries
from membership.transfers.models import KnownPayer, StatementLine
from membership.transfers.rules.accounts import end_of
from membership.transfers.rules.matching import Why
from membership.transfers.rules.reasons import clean_reason
from membership.transfers.services.by_hand import undo_payment
from membership.transfers.services.posting import (
    RETURNED,
    UNDONE,
    Decision,
    book_undoing,
    cannot_undo,
    in_currency,
    left_of,
    log_line,
    moment_of,
    note,
    payment_of,
    post,
    set_credit_state,
    was_undone,
)

log = logging.getLogger(__name__)


def book_certain(now: datetime, limit: int = 500) -> int:
    """Book the lines that are certain, where the newsroom lets us; how many. One that cannot be booked waits."""
    if not late_money().books_certain:
        return 0
    n_booked = 0
    for line_id in queries.list_certain(limit):
        try:
            confirm(line_id, now, only_certain=True)
            n_booked += 1
        except MembershipError as error:  # somebody was quicker, or the giver was erased: a person looks
            log.warning("line_not_booked", extra={"line": line_id, "code": error.code})
    return n_booked


def confirm(line_id: int, at: datetime, decision: Decision | None = None, *, only_certain: bool = False) -> None:
    """Book a line as it is suggested: money that came to its contribution; money that went back, or a fee, to its
    payment.

    Raises Conflict `line_done` where it is not open any more, `line_unmatched` where nothing is suggested.
    """
    with transaction("transfers.confirm"):
        line = _open(line_id)
        if only_certain and not line.is_certain:
            raise Conflict("line_unmatched", "This line is not certain any more.")
        if line.kind != "credit":
            _book_about_payment(line, at, decision)
        elif line.suggested_id is None:
            raise Conflict("line_unmatched", "Nobody is suggested for this line; say whose it is.")
        else:
            _book_credit(line, db.session.get_one(Contribution, line.suggested_id), at, decision)


def assign(line_id: int, email: str, locale: str, decision: Decision) -> None:
    """Book money that came for the person of an address (canonical), who is made where there is none."""
    with transaction("transfers.assign"):
        line = _open(line_id)
        if line.kind != "credit":
            raise Conflict("line_is_a_return", "Money that went back belongs to a payment, not to a person.")
        person = accounts.ensure_person(email, locale, decision.at)
        line.why = Why.BY_HAND.value
        _book_credit(line, _for_person(person, line.way, line.amount, _token(line)), decision.at, decision)


def assign_return(line_id: int, receipt_number: str, decision: Decision) -> None:
    """Take a payment back, by its receipt's number, with the money that this line says went back; or book the fee that
    the line says was kept because of that payment.
    """
    with transaction("transfers.assign_return"):
        line = _open(line_id)
        payment = db.session.scalar(select(Payment).where(Payment.receipt_number == receipt_number.strip()))
        if line.kind == "credit" or payment is None or payment.way == "card":
            raise InvalidInput(
                "no_such_receipt", "There is no receipt of a transfer with this number.", field="receipt"
            )
        line.payment_id, line.why = payment.provider_id, Why.BY_HAND.value
        _book_about_payment(line, decision.at, decision)


def ignore(line_id: int, decision: Decision) -> None:
    """It is no gift. The reason stays with the line; its personal values are emptied 30 days later."""
    with transaction("transfers.ignore"):
        line = _open(line_id)
        before = line.state
        line.state, line.done_at, line.reason = "ignored", decision.at, clean_reason(decision.reason)
        line.suggested_id, line.why, line.is_certain, line.payment_id = None, None, False, None
        log_line(line, "ignored", decision, before)


def reopen(line_id: int, decision: Decision) -> None:
    """An ignored line is looked at again."""
    with transaction("transfers.reopen"):
        line = _locked(line_id)
        if line.state != "ignored":
            raise Conflict("line_done", "Only a line that was ignored can be opened again.")
        _open_again(line)
        log_line(line, "reopened", decision, "ignored")


def undo(line_id: int, decision: Decision) -> None:
    """Take a booking back by a reversing entry: what it covered is revoked, and the line waits for a person again.

    Of a return: the money counts as here again; of a fee: as not kept. Raises Conflict `line_done` where there is
    nothing to undo.
    """
    with transaction("transfers.undo"):
        line = _locked(line_id)
        if line.state != "booked" or line.payment_id is None:
            raise cannot_undo()
        words, payment_id = clean_reason(decision.reason), line.payment_id
        if line.kind == "credit":
            undo_payment(payment_id, decision)
            db.session.execute(delete(KnownPayer).where(KnownPayer.line_id == line.id))
        elif line.kind == "return":
            _undo_return(line, payment_id, decision.at)
        else:
            ledger.book_extra_fee(f"{_reversal_id(line)}:returned", line.way, -line.kept, decision.at)
        _open_again(line)
        line.reason = words
        log_line(line, "undone", decision, "booked")


# What the use cases share --------------------------------------------------------------------------------


def _book_credit(line: StatementLine, contribution: Contribution, at: datetime, decision: Decision | None) -> None:
    target = in_currency(contribution, line.amount, _token(line))
    line.n_bookings += 1
    payment_id = line.payment_names()[-1]
    # A name and an address are typed by anybody: such a guess binds no account to somebody of whom we know no more.
    teaches = line.why != Why.NAME.value or queries.is_known_giver(target)
    post(target, payment_id, line.amount, line.fee, moment_of(line.booked_on, at), line.way)
    line.state, line.done_at, line.payment_id, line.suggested_id = "booked", at, payment_id, target.id
    line.reason = None
    db.session.flush()
    if line.account_digest and target.person_id is not None and teaches:
        insert = insert_on_sqlite if is_sqlite() else insert_on_postgresql
        known = {
            "account_digest": line.account_digest,
            "account_end": end_of(line.payer_account or ""),
            "person_id": target.person_id,
            "line_id": line.id,
        }
        db.session.execute(insert(KnownPayer).values(**known).on_conflict_do_nothing())
    if decision is not None:
        note(payment_of(payment_id), "transfer_matched", decision)


def _book_about_payment(line: StatementLine, at: datetime, decision: Decision | None) -> None:
    if line.payment_id is None:
        raise Conflict("line_unmatched", "No payment is suggested for this line; say which one it is about.")
    payment = payment_of(line.payment_id)
    line.n_bookings += 1
    moved_at = moment_of(line.booked_on, at)
    if line.kind == "return":
        _book_return(line, payment, moved_at)
    else:
        ledger.book_extra_fee(_reversal_id(line), line.way, line.kept, moved_at)
    line.state, line.done_at, line.reason = "booked", at, None
    if decision is not None:
        note(payment, "transfer_matched", decision)


def _book_return(line: StatementLine, payment: Payment, moved_at: datetime) -> None:
    left = left_of(payment)
    if left.currency != line.currency or left < line.amount:
        raise Conflict("nothing_left", f"Of that payment only {left} is left; this line cannot take it back.")
    book(ReversalFact(_reversal_id(line), payment.provider_id, line.amount, line.kept, moved_at, RETURNED))
    if left_of(payment).minor == 0:
        set_credit_state(payment.provider_id, "booked", "returned")


def _undo_return(line: StatementLine, payment_id: str, at: datetime) -> None:
    payment = payment_of(payment_id)
    if was_undone(payment):  # its credit is another payment by now, or nobody's: there is nothing to come back to
        raise cannot_undo()
    back = ReversalFact(_reversal_id(line), payment_id, line.amount, -line.kept, at, UNDONE, is_returned=True)
    book_undoing(back, payment)
    set_credit_state(payment_id, "returned", "booked")


def _reversal_id(line: StatementLine) -> str:
    return line.reversal_names()[-1]


def _open_again(line: StatementLine) -> None:
    line.state, line.done_at, line.payment_id, line.is_certain = "new", None, None, False
    line.suggested_id, line.why = None, None


def _locked(line_id: int) -> StatementLine:
    line = db.session.get(StatementLine, line_id, populate_existing=True, with_for_update=True)
    if line is None:
        raise NotFound("no_line", "There is no such line.")
    return line


def _open(line_id: int) -> StatementLine:
    line = _locked(line_id)
    if not line.is_open:
        raise Conflict("line_done", "Somebody has decided about this line already.")
    return line


def _for_person(person: Person, way: str, amount: Money, token: str) -> Contribution:
    """The person's newest contribution of that way and currency, or a new one."""
    query = select(Contribution).where(
        Contribution.person_id == person.id, Contribution.way == way, Contribution.currency == amount.currency
    )
    found = db.session.scalars(query.order_by(Contribution.id.desc()).limit(1)).first()
    gift = Gift(way, amount, cup_in(amount.currency), person.email, None, person.locale, person.id)
    return found or declare(gift, token, clock.now())


def _token(line: StatementLine) -> str:
    return f"line:{line.identity[:50]}:{line.n_bookings}"
