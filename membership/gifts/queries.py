"""Reads of gifts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select

from membership.contributions.queries import find_by_reference, tries_of
from membership.db import db
from membership.gifts.models import Gift
from membership.gifts.rules import FORGET_AFTER, REMIND_AFTER, grouped, make_code
from membership.kernel.errors import NotFound
from membership.kernel.money import Money
from membership.web import settings


def find_by_contribution(reference: str) -> Gift | None:
    """The gift that a contribution pays for; None for every other contribution."""
    return db.session.scalar(select(Gift).where(Gift.reference == reference))


def get(gift_id: int) -> Gift:
    """The gift with this id; NotFound."""
    gift = db.session.get(Gift, gift_id)
    if gift is None:
        raise _unknown()
    return gift


def get_given(public_id: str, giver_id: int) -> Gift:
    """A gift of this giver, paid; NotFound for every other, also where it exists."""
    gift = db.session.scalar(select(Gift).where(Gift.public_id == public_id, Gift.giver_id == giver_id))
    if gift is None:
        raise _unknown()
    return gift


def given_by(person_id: int) -> Sequence[Gift]:
    """What a person bought for others and paid, newest first."""
    return db.session.scalars(select(Gift).where(Gift.giver_id == person_id).order_by(Gift.id.desc())).all()


def received_by(person_id: int) -> Sequence[Gift]:
    """What a person redeemed, newest first."""
    return db.session.scalars(select(Gift).where(Gift.redeemed_by_id == person_id).order_by(Gift.id.desc())).all()


def last_typed(form_token: str) -> Gift | None:
    """What this browser's form token asked for last, paid or not, so that coming back loses nothing."""
    found = (find_by_contribution(row.reference) for row in tries_of(form_token))
    return next((gift for gift in found if gift is not None), None)


def code_of(gift: Gift) -> str:
    """The code of a gift, grouped for the eye. For the giver's and the receiver's eyes only."""
    return grouped(make_code(settings().secret_key.get_secret_value(), gift.nonce))


def price_of(gift: Gift) -> Money | None:
    """What the giver paid, for the giver and staff; None where its contribution is not there."""
    contribution = find_by_reference(gift.reference)
    return contribution.charge if contribution else None


def list_due(at: datetime, limit: int = 100) -> Sequence[int]:
    """Ids of gifts that are paid and to be mailed by `at`, longest due first."""
    is_due = _is_waiting() & Gift.sent_at.is_(None) & (Gift.send_at <= at)
    return db.session.scalars(select(Gift.id).where(is_due).order_by(Gift.send_at, Gift.id).limit(limit)).all()


def list_to_remind(at: datetime, limit: int = 100) -> Sequence[int]:
    """Ids of gifts whose code has been out for 60 days without being redeemed, and whose giver does not know yet."""
    since = func.coalesce(Gift.sent_at, Gift.paid_at)
    is_out = or_(Gift.sent_at.is_not(None), Gift.send_at.is_(None))
    is_late = _is_waiting() & is_out & Gift.reminded_at.is_(None) & (since <= at - REMIND_AFTER)
    return db.session.scalars(select(Gift.id).where(is_late).order_by(Gift.id).limit(limit)).all()


def over_since(at: datetime) -> ColumnElement[bool]:
    """The condition that a gift has been redeemed, returned or left unpaid for so long that nobody need be known."""
    before = at - FORGET_AFTER
    return or_(
        Gift.redeemed_at < before, Gift.returned_at < before, Gift.paid_at.is_(None) & (Gift.created_at < before)
    )


def export_of(person_id: int) -> list[dict[str, Any]]:
    """What a person gave and was given, for their own eyes; of a gift received neither price nor address."""
    given = [
        {
            "gift": gift.public_id,
            "role": "giver",
            "n_months": gift.n_months,
            "from_name": gift.from_name,
            "receiver_name": gift.receiver_name,
            "receiver_email": gift.receiver_email,
            "message": gift.message,
            "stage": gift.stage.value,
            "paid_at": gift.paid_at,
            "send_at": gift.send_at,
            "sent_at": gift.sent_at,
            "redeemed_at": gift.redeemed_at,
        }
        for gift in given_by(person_id)
    ]
    received = [
        {
            "gift": gift.public_id,
            "role": "receiver",
            "n_months": gift.n_months,
            "from_name": gift.from_name,
            "receiver_name": gift.receiver_name,
            "message": gift.message,
            "stage": gift.stage.value,
            "redeemed_at": gift.redeemed_at,
        }
        for gift in received_by(person_id)
    ]
    return [*given, *received]


def _is_waiting() -> ColumnElement[bool]:
    """Paid, not redeemed, and the money is still here."""
    return Gift.paid_at.is_not(None) & Gift.redeemed_at.is_(None) & Gift.returned_at.is_(None)


def _unknown() -> NotFound:
    return NotFound("no_gift", "There is no such gift.")
