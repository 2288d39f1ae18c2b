"""Giving money back: by staff, for the support that a giver does not keep, or on a bank's warning of fraud.

The wish is written down first (`Refund`), then the provider is asked; the books follow when the money is seen to
have moved. A worker that dies in between loses nothing: `send_refunds` finds what was not asked yet.
"""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, select

from membership.accounts import services as accounts
from membership.accounts.models import Person
from membership.accounts.queries import public_id_of
from membership.audit.services import record
from membership.billing import asks, port
from membership.billing.queries import PaymentRow, payments_of
from membership.contributions.models import Contribution, Refund
from membership.contributions.services.hearing.rows import get_row
from membership.db import db, transaction
from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput, NotFound, ProviderFailed, Refused
from membership.kernel.money import Money
from membership.mail import services as mail
from membership.newsroom.queries import late_money

log = structlog.get_logger(__name__)

OPEN = ("asked", "sent")
KEY = "refund:"
LONGEST_REASON = 200
ASK_AGAIN_AFTER = timedelta(minutes=1)
AT_A_TIME = 50
WARNED = "The bank warned of fraud; small gifts are given back at once."


def refund(payment: PaymentRow, amount: Money, reason: str, actor: str, at: datetime, *, token: str) -> Refund:
    """Give back `amount` of a payment that came through the provider, in full or in part.

    `reason` is in our own words (at most 200 characters), `actor` as in the timeline. `token` (at most 80
    characters) names one press of one button: the same again is the same refund. Raises InvalidInput
    `too_much_back` for more than is left, `no_reason` without one; Refused `not_by_card` for money that came
    another way. Where the provider gives no answer, the worker asks again.
    """
    with transaction("contributions.refund"):
        row = write_down(payment, amount, reason, actor, at, token=token)
        db.session.flush()
        row_id = row.id
    send(row_id)
    return db.session.get_one(Refund, row_id, populate_existing=True)


def write_down(payment: PaymentRow, amount: Money, reason: str, actor: str, at: datetime, *, token: str) -> Refund:
    """The wish alone, inside the caller's transaction; the worker asks for it. Raises as `refund` does."""
    contribution = get_row(payment.reference)
    known = db.session.scalar(select(Refund).where(Refund.token == token))
    if known is not None:
        return known
    if contribution.way != "card":
        raise Refused("not_by_card", "This money did not come through the payment company; give it back the same way.")
    if not reason.strip():
        raise InvalidInput("no_reason", "Please say why.", field="reason")
    left = left_of(payment)
    if amount.currency != left.currency or not 0 < amount.minor <= left.minor:
        raise InvalidInput("too_much_back", f"At most {left} can go back.", field="amount", maximum=left)
    row = Refund(
        token=token,
        payment_id=payment.payment_id,
        reference=payment.reference,
        amount_minor=amount.minor,
        currency=amount.currency,
        reason=reason.strip()[:LONGEST_REASON],
        actor=actor,
        asked_at=at,
        state="asked",
        state_at=at,
    )
    db.session.add(row)
    if contribution.person_id is not None:
        details = {"minor": amount.minor, "currency": amount.currency, "reason": row.reason}
        accounts.note(contribution.person_id, "refund_asked", at, details, actor)
    record(
        "refund.asked",
        ("payment", payment.receipt_number),
        actor=actor,
        about=public_id_of(contribution.person_id),
        reason=row.reason,
        before={"left_minor": left.minor},
        after={"minor": amount.minor, "currency": amount.currency},
    )
    return row


def left_of(payment: PaymentRow) -> Money:
    """What of a payment can still go back: without what has gone, and what is on its way."""
    fresh = next(row for row in payments_of([payment.reference]) if row.payment_id == payment.payment_id)
    on_its_way = db.session.scalar(
        select(func.sum(Refund.amount_minor)).where(Refund.payment_id == payment.payment_id, Refund.state.in_(OPEN))
    )
    return fresh.charged - fresh.returned - Money(int(on_its_way or 0), fresh.charged.currency)


def send(refund_id: int) -> None:
    """Ask the provider for a refund that was written down; again with the same key until there is an answer."""
    row = db.session.get_one(Refund, refund_id, populate_existing=True)
    if row.state != "asked":
        return
    payment_id, amount, key = row.payment_id, row.amount, f"{KEY}{row.token}"
    try:
        asks.refund(payment_id, amount, key)
    except (Conflict, NotFound) as error:
        _settle(refund_id, "failed", error.code)
    except ProviderFailed as failed:
        if failed.retryable or failed.outcome_unknown:
            log.warning("refund_still_open", refund_id=refund_id, code=failed.code)
            return
        _settle(refund_id, "failed", failed.code)
    else:
        _settle(refund_id, "sent")


def send_refunds(now: datetime) -> int:
    """Ask for what was written down and not asked yet; how many were looked at."""
    query = select(Refund.id).where(Refund.state == "asked", Refund.state_at < now - ASK_AGAIN_AFTER)
    ids = db.session.scalars(query.order_by(Refund.id).limit(AT_A_TIME)).all()
    for refund_id in ids:
        send(refund_id)
    return len(ids)


def _settle(refund_id: int, state: str, error: str | None = None) -> None:
    """Write down what came of the ask, unless news of the money was quicker."""
    with transaction("contributions.refund_settled"):
        row = db.session.get_one(Refund, refund_id, populate_existing=True, with_for_update=True)
        if row.state == "asked":
            row.state, row.state_at, row.error = state, clock.now(), error
            if state == "failed":
                log.error("alert_refund_failed", refund_id=refund_id, code=error)


# What the news says --------------------------------------------------------------------------------------------


def note_reversal(contribution: Contribution, news: port.PaymentReversed) -> None:
    """Money of a payment moved: the wish behind it is done (or failed after all), and its giver hears of it."""
    came_back = news.amount.minor < 0
    if news.reason == "refund":
        _follow(news, OPEN, "done")
    elif news.reason == "refund_failed" and came_back:
        _follow(news, ("done",), "failed")
    if news.reason != "refund" or contribution.person_id is None:
        return
    person = db.session.get_one(Person, contribution.person_id)
    mail.send(
        "contributions/refunded",
        person.email,
        contribution.locale,
        {
            "contribution_id": contribution.id,
            "payment_id": news.payment_id,
            "minor": news.amount.minor,
            "currency": news.amount.currency,
        },
    )


def _follow(news: port.PaymentReversed, states: tuple[str, ...], state: str) -> None:
    """Settle the wish whose mark it carries; without one, staff refunded at the provider itself what is the oldest
    wish of that payment and amount.
    """
    is_it = Refund.amount_minor == abs(news.amount.minor)
    if news.mark is not None:
        is_it = Refund.token == news.mark.removeprefix(KEY)
    row = db.session.scalar(
        select(Refund)
        .where(Refund.payment_id == news.payment_id, is_it, Refund.state.in_(states))
        .order_by(Refund.id)
        .limit(1)
    )
    if row is not None:
        row.state, row.state_at = state, news.at
        row.error = news.reason if state == "failed" else None


def refund_warned(news: port.FraudWarned) -> None:
    """Give a small gift back that a bank warned of, where the newsroom set this; cheaper than a dispute."""
    payment = next((row for row in payments_of([news.reference]) if row.payment_id == news.payment_id), None)
    if payment is None:
        return
    below = dict(late_money().refund_below).get(payment.charged.currency, 0)
    left = left_of(payment)
    if payment.charged.minor < below and left.minor:
        write_down(payment, left, WARNED, "system", clock.now(), token=f"warned:{news.payment_id}")


def fail_refund(news: port.RefundFailed) -> None:
    """Settle the wish that a failed refund came from, by the mark that it carries; told at every reading."""
    row = db.session.scalar(select(Refund).where(Refund.token == news.mark.removeprefix(KEY)))
    if row is not None and row.state != "failed":
        row.state, row.state_at, row.error = "failed", clock.now(), "refund_failed"
        log.error("alert_refund_failed", refund_id=row.id, code=row.error)
