"""People with whatever a list of them is filtered, sorted and searched by, written by hand."""

from datetime import timedelta
from itertools import count

from membership.accounts.models import Person
from membership.billing.models import Payment
from membership.contributions.models import Card, Contribution
from membership.contributions.rules import State
from membership.db import db, transaction
from membership.kernel import clock
from membership.patrons import services as patrons
from membership.patrons.rules import Cause
from tests.factories.people import make_person

_numbers = count(1)


def make_support(person: Person, state=State.ACTIVE, *, n_cups=1, currency="EUR", cup=400, rhythm="monthly", **changes):
    """One contribution of a person, as it stands; every column can be changed."""
    number, now = next(_numbers), clock.now()
    minor = n_cups * cup * (12 if rhythm == "yearly" else 1)
    values = {
        "email": person.email, "customer_id": f"cus_L{number:06d}", "subscription_id": f"sub_L{number:06d}"
    } | changes  # fmt: skip
    with transaction("test.make_support"):
        row = Contribution(
            reference=f"con_listed{number:06d}", form_token=f"listed-{number}", person_id=person.id, locale="en",
            rhythm=rhythm, currency=currency, gift_minor=minor, charge_minor=minor, cup_minor=cup,
            state=State(state).value, state_at=now, created_at=now, checkout_id=f"cs_L{number:06d}", **values,
        )  # fmt: skip
        db.session.add(row)
    return row


def make_payment(row: Contribution, *, days_ago=1, number=None) -> Payment:
    """Money that came for it, with the coverage that it bought."""
    n, at = next(_numbers), clock.now() - timedelta(days=days_ago)
    with transaction("test.make_payment"):
        payment = Payment(
            provider_id=f"in_L{n:06d}", reference=row.reference, rhythm=row.rhythm, charged_minor=row.charge_minor,
            currency=row.currency, fee_minor=0, fee_currency=row.currency, paid_at=at, booked_at=at,
            receipt_number=number or f"2026-7{n:05d}", way=row.way,
        )  # fmt: skip
        db.session.add(payment)
        cover(row.person_id, days_ago, days_ago - 30, f"payment:in_L{n:06d}")
    return payment


def cover(person_id, from_days_ago, until_days_ago, ref=None, cause=Cause.PAID) -> None:
    """Coverage of `[from, until)`, both in days before now."""
    now = clock.now()
    begins, ends = (now - timedelta(days=days) for days in (from_days_ago, until_days_ago))
    ref = ref or f"payment:by_hand{next(_numbers)}"
    patrons.grant_period(person_id, cause, ref, paid_at=begins, starts_at=begins, ends_at=ends)


def make_card(row: Contribution, last4="4242") -> Card:
    with transaction("test.make_card"):
        card = Card(
            contribution_id=row.id, card_id=f"pm_{row.id}", brand="visa", last4=last4, exp_year=2030, exp_month=5,
            since_at=clock.now(), is_to_try=False,
        )  # fmt: skip
        db.session.add(card)
    return card


def make_people(n, prefix="r") -> list[Person]:
    """`n` people with nothing, who joined one after another, the first one last of all."""
    now = clock.now()
    return [
        make_person(f"{prefix}{i:03}@example.org", created_at=now - timedelta(minutes=i), public_name=None)
        for i in range(n)
    ]
