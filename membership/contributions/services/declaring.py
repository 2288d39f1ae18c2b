"""Support that comes beside the payment provider: the row of a gift by bank, PayPal, crypto or cash."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update

from membership.contributions.models import Contribution
from membership.contributions.queries import tries_of
from membership.contributions.rules import State
from membership.db import db, transaction
from membership.kernel.ids import new_public_id
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm


@dataclass(frozen=True, slots=True)
class Gift:
    """What is to come, or came, beside the provider. `way` is "bank", "paypal", "crypto" or "cash".

    `cup` is the price of a cup in the gift's currency, zero where the newsroom does not offer it: such money covers
    nothing. `email` is canonical. `person_id`: a member who is signed in, or whom staff named; else the person is
    made when money comes (decision 12). Every gift of this kind is of rhythm once, however often it comes: each is
    booked as it arrives and covers months by its cups.
    """

    way: str
    amount: Money
    cup: Money
    email: str
    public_name: str | None
    locale: str
    person_id: int | None


def declare(gift: Gift, form_token: str, at: datetime) -> Contribution:
    """The contribution of `gift`, started and unpaid; the same gift under the same token again is the same row.

    `form_token` has at most 64 characters. It has no payment page that runs out; whoever waits for it gives it up.
    """
    with transaction("contributions.declare"):
        tries = tries_of(form_token)
        same = next((row for row in tries if _is_same(row, gift)), None)
        if same is not None:
            return same
        row = Contribution(
            reference=new_public_id("con"),
            form_token=form_token,
            form_try=1 + max((known.form_try for known in tries), default=0),
            person_id=gift.person_id,
            email=gift.email,
            public_name=gift.public_name,
            locale=gift.locale,
            rhythm=Rhythm.ONCE.value,
            currency=gift.amount.currency,
            gift_minor=gift.amount.minor,
            charge_minor=gift.amount.minor,
            cup_minor=gift.cup.minor,
            purpose="self",
            way=gift.way,
            state=State.STARTED.value,
            state_at=at,
            created_at=at,
            attribution={},
        )
        db.session.add(row)
        db.session.flush()
    return row


def give_up(ids: Sequence[int], at: datetime) -> None:
    """Close those of these announced contributions that no money has come for. Should it come after all, it counts."""
    unpaid = update(Contribution).where(Contribution.id.in_(ids), Contribution.state == State.STARTED)
    with transaction("contributions.give_up"):
        db.session.execute(unpaid.values(state=State.ABANDONED.value, state_at=at))


def _is_same(row: Contribution, gift: Gift) -> bool:
    wished = (gift.way, gift.amount, gift.email, gift.public_name, gift.person_id)
    return (row.way, row.charge, row.email, row.public_name, row.person_id) == wished
