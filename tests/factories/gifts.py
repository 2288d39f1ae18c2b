"""Gifts that were bought, paid and booked, as billing tells of them (without the journal)."""

from datetime import datetime
from itertools import count

from membership.billing.models import Payment, PaymentReversal
from membership.billing.port import PaymentReceived, PaymentReversed
from membership.contributions import services as contributions
from membership.contributions.models import Contribution
from membership.contributions.rules import State
from membership.db import db, transaction
from membership.gifts import services
from membership.gifts.models import Gift
from membership.gifts.queries import code_of
from membership.kernel import clock, ids
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm

_numbers = count(1)


def make_unpaid_gift(giver="olena@example.org", *, at: datetime | None = None, n_months=3, n_cups=1, **changes) -> Gift:
    """A gift by hand whose payment page is open; every column can be changed."""
    at, number = at or clock.now(), next(_numbers)
    minor = 400 * n_months * n_cups
    with transaction("test.make_gift"):
        contribution = Contribution(
            reference=ids.new_public_id("con"), form_token=f"gift-{number}-{ids.new_secret()}", email=giver,
            locale="en", rhythm="once", currency="EUR", gift_minor=minor, charge_minor=minor, cup_minor=400,
            state=State.STARTED.value, state_at=at, created_at=at, purpose="gift",
        )  # fmt: skip
        values = {"from_name": "Olena", "receiver_name": "Taras", "message": "Happy birthday!", "locale": "en"}
        gift = Gift(
            public_id=ids.new_public_id("gif"), reference=contribution.reference, n_months=n_months, n_cups=n_cups,
            nonce=ids.new_secret(), created_at=at, **(values | changes),
        )  # fmt: skip
        db.session.add_all([contribution, gift])
    return gift


def make_gift(giver="olena@example.org", *, at: datetime | None = None, **changes) -> Gift:
    """A gift that is paid."""
    at = at or clock.now()
    gift = make_unpaid_gift(giver, at=at, **changes)
    pay_for(gift, at)
    return gift


def pay_for(gift: Gift, at: datetime) -> None:
    contribution = db.session.query(Contribution).filter_by(reference=gift.reference).one()
    name, charge = f"pi_gift{gift.id}", contribution.charge
    with transaction("test.pay_for"):
        payment = Payment(
            provider_id=name, reference=gift.reference, rhythm="once", charged_minor=charge.minor, currency="EUR",
            fee_minor=0, fee_currency="EUR", paid_at=at, receipt_number=f"2026-9{gift.id:05d}", booked_at=at,
        )  # fmt: skip
        db.session.add(payment)
        db.session.flush()
        news = PaymentReceived(
            payment_id=name, reference=gift.reference, rhythm=Rhythm.ONCE, charged=charge, fee=Money(0, "EUR"),
            paid_at=at, period_start=None, period_end=None, subscription_id=None,
            receipt_number=payment.receipt_number,
        )  # fmt: skip
        contributions.hear_payment(news)
        services.hear_payment(news)


def give_back(gift: Gift, at: datetime, minor: int | None = None) -> None:
    """The money of a gift goes back (all of it), or comes again with a negative amount."""
    payment = db.session.query(Payment).filter_by(provider_id=gift.payment_id).one()
    minor = payment.charged_minor if minor is None else minor
    with transaction("test.give_back"):
        name = f"re_{next(_numbers)}"
        db.session.add(
            PaymentReversal(provider_id=name, payment_id=payment.id, amount_minor=minor, reason="dispute", moved_at=at)
        )
        db.session.flush()
        news = PaymentReversed(gift.payment_id, gift.reference, Money(minor, "EUR"), at, "dispute")
        contributions.hear_payment_reversed(news)
        services.hear_payment_reversed(news)


def code_for(gift: Gift) -> str:
    return code_of(gift)
