"""What news of money does to a gift, in the transaction that books it, after contributions have heard of it."""

from membership.accounts import services as accounts
from membership.accounts.queries import get_person
from membership.billing.port import PaymentReceived, PaymentReversed
from membership.billing.queries import is_wholly_returned
from membership.contributions.queries import find_by_reference
from membership.db import db
from membership.gifts.models import Gift
from membership.gifts.queries import find_by_contribution
from membership.gifts.services.redeeming import cause_of, current_hash
from membership.gifts.services.sending import send
from membership.kernel import clock
from membership.mail import services as mail
from membership.patrons import services as patrons


def hear_payment(news: PaymentReceived) -> None:
    """The money for a gift is in the ledger: from now on it has a code, and it is mailed when its day has come."""
    gift, contribution = _locked(news.reference), find_by_reference(news.reference)
    if gift is None or gift.paid_at is not None or contribution is None or contribution.person_id is None:
        return
    giver = get_person(contribution.person_id)
    gift.giver_id, gift.payment_id, gift.paid_at = giver.id, news.payment_id, news.paid_at
    gift.code_hash = current_hash(gift)
    details = {"gift": gift.public_id, "n_months": gift.n_months}
    accounts.note(giver.id, "gift_bought", news.paid_at, details)
    mail.send("gifts/bought", giver.email, gift.locale, {"gift_id": gift.id}, once_key=f"gift-bought:{gift.id}")
    now = clock.now()
    if gift.send_at is not None and gift.send_at <= now:
        send(gift, now)


def hear_payment_reversed(news: PaymentReversed) -> None:
    """The money for a gift went back, or came again. Only the whole of it counts: then an unused code is dead and a
    membership that was redeemed ends; both live again when the money is back.
    """
    gift = _locked(news.reference)
    if gift is None or gift.payment_id != news.payment_id:
        return
    is_returned = is_wholly_returned(news.payment_id)
    if is_returned == (gift.returned_at is not None):
        return
    gift.returned_at = news.at if is_returned else None
    if is_returned:
        patrons.revoke(cause_of(gift), news.at)
    else:
        patrons.restore(cause_of(gift))
    if gift.redeemed_by_id is not None:
        kind = "gift_taken_back" if is_returned else "gift_restored"
        accounts.note(gift.redeemed_by_id, kind, news.at, {"gift": gift.public_id})


def _locked(reference: str) -> Gift | None:
    gift = find_by_contribution(reference)
    if gift is not None:
        db.session.refresh(gift, with_for_update=True)
    return gift
