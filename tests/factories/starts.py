"""Contributions that were begun at the foot of an article, and their first money."""

from datetime import datetime
from itertools import count

from membership.billing.models import Payment
from membership.contributions.models import Contribution
from membership.contributions.rules import State
from membership.db import db, transaction

_numbers = count(1)


def begin(at: datetime, person_id: int | None = None, *, way="card", **attribution) -> Contribution:
    """A payment page of EUR 4.00 that was opened, by way of `article=…`, `section=…`, `utm_campaign=…`."""
    number = next(_numbers)
    row = Contribution(
        reference=f"con_begun_{number:06d}", form_token=f"begun-{number}", email=f"begun-{number}@example.org",
        locale="en", rhythm="monthly", currency="EUR", gift_minor=400, charge_minor=400, cup_minor=400,
        state=State.STARTED.value, state_at=at, created_at=at, person_id=person_id, way=way, attribution=attribution,
    )  # fmt: skip
    with transaction("test.begin"):
        db.session.add(row)
    return row


def pay_for(contribution: Contribution, at: datetime, person_id: int | None = None) -> Payment:
    """Its next payment comes, and with it whose it is (without the journal)."""
    number = next(_numbers)
    payment = Payment(
        provider_id=f"in_begun_{number:06d}", reference=contribution.reference, rhythm="monthly", way=contribution.way,
        charged_minor=400, currency="EUR", fee_minor=31, fee_currency="EUR", paid_at=at,
        receipt_number=f"B-{number:06d}", booked_at=at,
    )  # fmt: skip
    with transaction("test.pay_for"):
        db.session.add(payment)
        row = db.session.get_one(Contribution, contribution.id, populate_existing=True)
        row.person_id = person_id or row.person_id
        row.state = State.ACTIVE.value
    return payment
