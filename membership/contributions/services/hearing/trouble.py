"""Money that fails to come, or takes its time: what is remembered of it, and who is told. Once per cause.

Everything here joins the transaction of the news that caused it.
"""

from datetime import datetime

from sqlalchemy import select

from membership.accounts import services as accounts
from membership.accounts.models import Person
from membership.billing import port
from membership.contributions.models import Card, Contribution, PaymentTrouble
from membership.contributions.rules import LIVE, State
from membership.contributions.rules.failing import LONGEST_REASON, MAIL_PAUSE, PENDING_LASTS
from membership.contributions.services.hearing.rows import get_row, move
from membership.contributions.services.refunding import fail_refund, refund_warned
from membership.db import db, hint
from membership.kernel import clock, ids
from membership.kernel.money import Money
from membership.mail import services as mail
from membership.newsroom.queries import late_money
from membership.patrons import services as patrons
from membership.web import settings


def note_failure(contribution: Contribution, news: port.PaymentFailed) -> None:
    """A renewal failed: remember what is open, and tell the giver once per open payment."""
    _write_down("failed", contribution, news.invoice_id or news.provider_ref, news.amount, news.failed_at)
    is_same = contribution.failed_at is not None and contribution.failed_payment_id == news.invoice_id
    if not is_same:
        contribution.failed_at, contribution.next_try_at = news.failed_at, news.next_try_at
    elif contribution.failed_at is not None and news.failed_at < contribution.failed_at:
        contribution.failed_at = news.failed_at
        return  # word of an earlier try, which came late: what is known already is newer
    contribution.failed_payment_id = news.invoice_id
    contribution.failure_reason = news.reason[:LONGEST_REASON]
    contribution.next_try_at, contribution.needs_action = news.next_try_at, news.needs_action
    contribution.pending_at = None
    _tell_of_failure(contribution, news)


def _tell_of_failure(contribution: Contribution, news: port.PaymentFailed) -> None:
    last = contribution.failure_mailed_at
    if last is not None and last <= news.failed_at < last + MAIL_PAUSE:
        return  # another open payment of the same trouble; should it last, its next try says so
    kind = "action_needed" if news.needs_action else "payment_failed"
    cause = news.invoice_id or news.provider_ref
    if send_mail(contribution, kind, f"failed:{cause}"):
        contribution.failure_mailed_at = news.failed_at


def _write_down(kind: str, contribution: Contribution, payment_ref: str, amount: Money, at: datetime) -> None:
    """What the dashboard counts: once per payment, however often it is told or tried."""
    if _is_written(kind, payment_ref):
        return
    db.session.add(
        PaymentTrouble(
            payment_ref=payment_ref,
            kind=kind,
            reference=contribution.reference,
            amount_minor=amount.minor,
            currency=amount.currency,
            at=at,
        )
    )
    db.session.flush()


def _is_written(kind: str, payment_ref: str) -> bool:
    known = select(PaymentTrouble.id).where(PaymentTrouble.payment_ref == payment_ref, PaymentTrouble.kind == kind)
    return db.session.scalar(known) is not None


def note_recovery(contribution: Contribution, news: port.PaymentReceived) -> None:
    """Money came: nothing is on its way any more, and where it is what had failed, its giver hears that all is well."""
    contribution.pending_at = None
    if _is_written("failed", news.payment_id):
        _write_down("recovered", contribution, news.payment_id, news.charged, news.paid_at)
    if contribution.failed_payment_id != news.payment_id:
        return
    forget_failure(contribution)
    contribution.failed_payment_id = None
    send_mail(contribution, "recovered", f"recovered:{news.payment_id}")


def forget_failure(contribution: Contribution) -> None:
    """Nothing is wrong any more. Which payment it was stays, until its money is heard of: that may come later."""
    contribution.failed_at = contribution.failure_reason = None
    contribution.next_try_at = contribution.needs_action = None


def note_state(contribution: Contribution, before: State, at: datetime) -> None:
    """The provider's word moved it from `before`: end what is settled by that, and tell who lost their support."""
    now = State(contribution.state)
    is_over = now not in LIVE and contribution.ends_at is not None
    if is_over or now not in {State.PAST_DUE, State.LAPSED}:
        forget_failure(contribution)
    if is_over:
        contribution.stop_asked_at = contribution.pending_at = None
    if now is State.LAPSED and before is not State.LAPSED:
        send_mail(contribution, "lapsed", f"lapsed:{contribution.reference}:{at.isoformat()}")


def note_pending(contribution: Contribution, at: datetime) -> None:
    """A bank debit is on its way since `at`. A renewal keeps its patron meanwhile: banks are slow, not readers."""
    if contribution.pending_at is not None:
        return
    contribution.pending_at = at
    if contribution.is_unpaid:
        send_mail(contribution, "debit_pending", f"pending:{contribution.reference}")
    elif contribution.person_id is not None and State(contribution.state) in LIVE:
        days = max(late_money().grace_days, PENDING_LASTS.days)
        patrons.open_grace(contribution.person_id, contribution.reference, opened_at=at, days=days)


def hear_payment_pending(news: port.PaymentPending) -> None:
    """Money is on its way and may still fail; told at every reading while that is so."""
    note_pending(get_row(news.reference), news.at)


def note_first_debit_failed(contribution: Contribution, news: port.PaymentFailed) -> None:
    """The very first debit bounced: nobody became a patron. Nothing is tried again, so that a second try is one."""
    was_pending = contribution.pending_at is not None
    contribution.pending_at = None
    if news.subscription_id is not None:
        ask_to_stop(contribution, news.failed_at)
    move(contribution, State.ABANDONED, news.failed_at)
    if was_pending:
        send_mail(contribution, "debit_failed", f"debit_failed:{contribution.reference}")


def ask_to_stop(contribution: Contribution, at: datetime) -> None:
    """It is to end at once, without another charge: written down here, done by the worker (`ending.stop_due`)."""
    contribution.stop_asked_at = contribution.stop_asked_at or at
    hint("contributions.stop_due")


def follow_card(contribution: Contribution, card: port.Card | None, at: datetime) -> None:
    """Keep the row of the card that is in use. Another card while a payment is open is tried at once."""
    if card is None:
        return
    row = db.session.scalar(select(Card).where(Card.contribution_id == contribution.id))
    if row is None:
        row = Card(contribution_id=contribution.id, card_id=card.card_id, is_to_try=False, since_at=at)
        db.session.add(row)
    elif row.card_id != card.card_id:
        row.card_id, row.since_at, row.is_to_try = card.card_id, at, contribution.failed_at is not None
        row.expiry_mailed_at = None
        if row.is_to_try:
            hint("contributions.try_new_cards")
    if (row.exp_year, row.exp_month) != (card.exp_year, card.exp_month):
        row.exp_year, row.exp_month, row.expiry_mailed_at = card.exp_year, card.exp_month, None
    row.brand, row.last4, row.fingerprint = card.brand[:40], card.last4, _digest(card.fingerprint)


def _digest(fingerprint: str | None) -> str | None:
    """Equal for equal cards and useless to others: keyed with the secret of this installation."""
    if fingerprint is None:
        return None
    return ids.keyed_digest(settings().secret_key.get_secret_value(), "card", fingerprint)


def send_mail(contribution: Contribution, kind: str, once_key: str) -> bool:
    """One mail to whose support it is; before there is a person, to the address that was typed."""
    to = contribution.email
    if contribution.person_id is not None:
        to = db.session.get_one(Person, contribution.person_id).email
    args: dict[str, int | str] = {"contribution_id": contribution.id}
    return bool(to) and mail.send(f"contributions/{kind}", to, contribution.locale, args, once_key) is not None


def hear_warning(news: port.FraudWarned) -> None:
    """A bank warns that a payment may be fraud: noted for staff. Told at every reading.

    Its giver is not told: where it is fraud, that is somebody else than the owner of the card.
    """
    contribution = get_row(news.reference)
    if contribution.warned_at is None or contribution.warned_at < news.at:
        contribution.warned_at = news.at
    if news.is_actionable:
        refund_warned(news)


def hear_dispute_lost(news: port.DisputeLost) -> None:
    """A dispute was lost: who does not want a payment is not charged for the next one. Told at every reading."""
    contribution = get_row(news.reference)
    if State(contribution.state) not in LIVE or contribution.stop_asked_at is not None:
        return
    ask_to_stop(contribution, clock.now())
    if contribution.person_id is not None:
        accounts.note(contribution.person_id, "dispute_lost", clock.now(), {"reference": contribution.reference})


def hear_refund_failed(news: port.RefundFailed) -> None:
    """A refund of ours did not reach its payer: staff see it as failed, and can give it back another way."""
    get_row(news.reference)
    fail_refund(news)


def note_second(contribution: Contribution, person_id: int, at: datetime) -> None:
    """The first payment of recurring support: where the same person has another one, say so to them and to staff.

    What they lapsed from, and the provider still keeps as unpaid, is ended there: they have come back.
    """
    others = db.session.scalars(
        select(Contribution)
        .where(
            Contribution.person_id == person_id,
            Contribution.id != contribution.id,
            Contribution.purpose == "self",
            Contribution.subscription_id.is_not(None),
            Contribution.state.in_((*LIVE, State.LAPSED)),
        )
        .order_by(Contribution.created_at.desc(), Contribution.id.desc())
    ).all()
    for other in others:
        if other.state == State.LAPSED and other.ends_at is None:
            ask_to_stop(other, at)
    live = next((other for other in others if State(other.state) in LIVE and other.stop_asked_at is None), None)
    if live is not None:
        contribution.second_of = live.reference
        send_mail(contribution, "second_support", f"second:{contribution.reference}")
