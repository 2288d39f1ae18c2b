"""What gifts keep of people, and for how long (decision 13). Amounts, months and moments stay."""

from datetime import datetime

from sqlalchemy import ColumnElement, or_, select, update

from membership.accounts.models import Person
from membership.contributions.models import Contribution
from membership.db import db, transaction
from membership.gifts.models import Gift
from membership.gifts.queries import over_since
from membership.mail import wishes

NOBODY = {"receiver_name": None, "receiver_email": None, "message": None}


def forget(now: datetime) -> int:
    """Empty what names a receiver, 30 days after a gift was redeemed, returned or left unpaid; how many gifts."""
    is_known = or_(Gift.receiver_name.is_not(None), Gift.receiver_email.is_not(None), Gift.message.is_not(None))
    statement = update(Gift).where(over_since(now), is_known).values(**NOBODY, send_at=None).returning(Gift.id)
    with transaction("gifts.forget"):
        return len(db.session.scalars(statement).all())


def erase(person_id: int, at: datetime) -> None:
    """Empty what a person typed into gifts, and what names them as a receiver.

    A gift of theirs that is still to be mailed reaches its receiver on its day: it was paid for; only who gave it
    and what they wrote is gone. One that was to be mailed to them is handed over by its giver instead.
    """
    del at
    with transaction("gifts.erase"):
        mine = select(Contribution.reference).where(Contribution.person_id == person_id)
        is_given = or_(Gift.giver_id == person_id, Gift.reference.in_(mine))
        is_to_be_mailed = Gift.paid_at.is_not(None) & Gift.sent_at.is_(None) & Gift.send_at.is_not(None)
        told = select(Gift.id).where(is_given, ~is_to_be_mailed)
        wishes.forget_sent("gift_id", db.session.scalars(told).all())
        _set(is_given, from_name=None, message=None)
        # Not paid yet counts as well: should its money come after all, there is nobody to be mailed to.
        _set(is_given & ~is_to_be_mailed, **NOBODY, send_at=None)
        is_received = Gift.redeemed_by_id == person_id
        email = db.session.scalar(select(Person.email).where(Person.id == person_id))
        if email:
            is_received |= Gift.receiver_email == email
            _set((Gift.receiver_email == email) & Gift.sent_at.is_(None), send_at=None)
        _set(is_received, **NOBODY)


def merge(from_id: int, into_id: int, at: datetime) -> None:
    """Let one person have the gifts of another, given and received."""
    del at
    with transaction("gifts.merge"):
        _set(Gift.giver_id == from_id, giver_id=into_id)
        _set(Gift.redeemed_by_id == from_id, redeemed_by_id=into_id)


def _set(which: ColumnElement[bool], **values: int | None) -> None:
    db.session.execute(update(Gift).where(which).values(**values))
