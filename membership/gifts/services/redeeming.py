"""A code becomes a membership, once."""

from datetime import datetime

from sqlalchemy import select

from membership.accounts import services as accounts
from membership.accounts.queries import get_person
from membership.db import db, transaction
from membership.gifts.models import Gift
from membership.gifts.rules import Stage, make_code, read_code
from membership.kernel.errors import InvalidInput
from membership.kernel.ids import keyed_digest
from membership.mail import services as mail
from membership.patrons import services as patrons
from membership.patrons.rules import Cause
from membership.web import settings

REDEEMABLE = frozenset({Stage.PAID, Stage.SCHEDULED, Stage.SENT})


def redeem(typed: str, person_id: int, at: datetime) -> Gift:
    """Give the person the months of the gift with this code: placed into time that nothing else covers.

    Nothing is charged, now or later. The same person a second time gets the same answer. InvalidInput
    `gift_code_refused` for a code that is wrong, used, or dead: which of them it is nobody is told. The caller
    counts tries.
    """
    code = read_code(typed)
    with transaction("gifts.redeem"):
        gift = _locked(code) if code else None
        if gift is not None and gift.stage is Stage.REDEEMED and gift.redeemed_by_id == person_id:
            return gift
        if gift is None or gift.stage not in REDEEMABLE:
            raise InvalidInput("gift_code_refused", "This code cannot be redeemed.", field="code")
        # Who asked may have become another person meanwhile.
        covered_id = patrons.grant_months(person_id, Cause.GIFT, cause_of(gift), paid_at=at, n_months=gift.n_months)
        gift.redeemed_at, gift.redeemed_by_id = at, covered_id
        details = {"gift": gift.public_id, "n_months": gift.n_months}
        accounts.note(covered_id, "gift_redeemed", at, details, actor="member")
        _tell_giver(gift, at)
    return gift


def _tell_giver(gift: Gift, at: datetime) -> None:
    if gift.giver_id is None or gift.giver_id == gift.redeemed_by_id:
        return
    giver = get_person(gift.giver_id)
    accounts.note(giver.id, "gift_was_redeemed", at, {"gift": gift.public_id})
    if giver.is_active:
        mail.send("gifts/redeemed", giver.email, gift.locale, {"gift_id": gift.id}, once_key=f"gift-redeemed:{gift.id}")


def _locked(code: str) -> Gift | None:
    """The gift of a code; whoever comes second waits here, and then sees that it is redeemed."""
    mine = select(Gift).where(Gift.code_hash == hash_of(code)).with_for_update()
    return db.session.scalar(mine, execution_options={"populate_existing": True})


def hash_of(code: str) -> str:
    """Under what a (plain) code is found."""
    return keyed_digest(settings().secret_key.get_secret_value(), "gift.code", code)


def current_hash(gift: Gift) -> str:
    """Under what the code of a gift is found with the secret key of today: after a change of the key, mailing a gift
    once more or saving it makes the code work that its giver sees then.
    """
    return hash_of(make_code(settings().secret_key.get_secret_value(), gift.nonce))


def cause_of(gift: Gift) -> str:
    """What grants the coverage: the money itself, so that whatever becomes of the money becomes of the coverage."""
    return f"payment:{gift.payment_id}"
