"""The mail to the receiver: on its day, again, or to somebody else; and the word to the giver that nobody came."""

from datetime import datetime

from sqlalchemy import select

from membership.accounts.queries import get_person
from membership.db import db, transaction
from membership.gifts.models import Gift
from membership.gifts.queries import get_given, list_due, list_to_remind
from membership.gifts.rules import GIVER_MAY, Delivery, Stage, is_reminder_due
from membership.gifts.services.buying import deliver_to
from membership.gifts.services.redeeming import current_hash
from membership.kernel import clock
from membership.kernel.errors import Conflict
from membership.mail import services as mail


def send(gift: Gift, at: datetime) -> None:
    """Put the mail to the receiver into the outbox, inside the caller's transaction."""
    if gift.receiver_email is None:
        raise RuntimeError(f"{gift.public_id} has nobody to be mailed to.")
    gift.code_hash = current_hash(gift)
    gift.sent_at = gift.sent_at or at
    gift.n_sent += 1
    name = f"gift:{gift.id}:{gift.n_sent}"
    mail.send("gifts/for_you", gift.receiver_email, gift.locale, {"gift_id": gift.id}, once_key=name)


def send_due(now: datetime) -> int:
    """Mail every gift whose day has come; how many."""
    n_sent = 0
    for gift_id in list_due(now):
        with transaction("gifts.send"):
            gift = _locked(gift_id)
            if gift.stage is Stage.SCHEDULED and gift.send_at is not None and gift.send_at <= now:
                send(gift, now)
                n_sent += 1
    return n_sent


def send_again(public_id: str, giver_id: int) -> None:
    """Mail the same code to the same address once more. Conflict `gift_moved_on` where it is redeemed or returned."""
    with transaction("gifts.send_again"):
        gift = _mine(public_id, giver_id, "send_again")
        if gift.receiver_email is None:
            raise _moved_on()
        send(gift, clock.now())


def change(public_id: str, giver_id: int, delivery: Delivery) -> None:
    """Let a gift go to somebody else, on another day, or by hand, as long as it was not mailed.

    Conflict `gift_moved_on` afterwards. The code stays what it is.
    """
    with transaction("gifts.change"):
        gift = _mine(public_id, giver_id, "change")
        deliver_to(gift, delivery)
        gift.code_hash = current_hash(gift)
        now = clock.now()
        if gift.send_at is not None and gift.send_at <= now:
            send(gift, now)


def remind(now: datetime) -> int:
    """Tell givers, once, that their gift has not been redeemed for 60 days; how many."""
    n_told = 0
    for gift_id in list_to_remind(now):
        with transaction("gifts.remind"):
            gift = _locked(gift_id)
            since = gift.sent_at or gift.paid_at
            is_waiting = gift.stage in {Stage.PAID, Stage.SENT} and gift.reminded_at is None
            if not is_waiting or since is None or gift.giver_id is None or not is_reminder_due(since, now):
                continue
            gift.reminded_at = now
            giver = get_person(gift.giver_id)
            if giver.is_active:
                args: dict[str, int | str] = {"gift_id": gift.id}
                mail.send("gifts/not_redeemed", giver.email, gift.locale, args, once_key=f"gift-waits:{gift.id}")
                n_told += 1
    return n_told


def _mine(public_id: str, giver_id: int, action: str) -> Gift:
    gift = _locked(get_given(public_id, giver_id).id)
    if action not in GIVER_MAY[gift.stage]:
        raise _moved_on()
    return gift


def _locked(gift_id: int) -> Gift:
    statement = select(Gift).where(Gift.id == gift_id).with_for_update()
    return db.session.scalars(statement, execution_options={"populate_existing": True}).one()


def _moved_on() -> Conflict:
    return Conflict("gift_moved_on", "This gift was mailed, redeemed or returned meanwhile. Nothing was changed.")
