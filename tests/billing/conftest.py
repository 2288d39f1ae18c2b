"""Notices as Stripe signs them, a provider whose answers are facts that a test lays down, and recorded news."""

import hashlib
import hmac
import json
import time
from datetime import UTC, datetime

import pytest

from membership.billing.port import (
    CheckoutExpired,
    CheckoutFinished,
    NotKnownYet,
    PaymentFact,
    PaymentFailed,
    PaymentReceived,
    PaymentReversed,
    Reading,
    SubscriptionSeen,
)
from membership.billing.providers.stripe import StripeProvider
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from tests.conftest import WEBHOOK_SECRET

NEWS = (CheckoutExpired, CheckoutFinished, PaymentFailed, PaymentReceived, PaymentReversed, SubscriptionSeen)
PAID_AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


def make_event(event_id="evt_1", type_="invoice.paid", thing=None, **changes) -> dict:
    """A snapshot event with only what we look at."""
    thing = thing or {"id": "in_1", "object": "invoice"}
    event = {
        "id": event_id,
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": int(time.time()),
        "data": {"object": thing},
        "livemode": False,
        "type": type_,
    }
    return event | changes


def sign(raw: bytes, secret: str = WEBHOOK_SECRET, at: float | None = None) -> str:
    """The Stripe-Signature header, worked out here and not by the SDK."""
    stamp = int(time.time() if at is None else at)
    mac = hmac.new(secret.encode(), f"{stamp}.".encode() + raw, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={mac}"


def post(client, event: dict | bytes, **headers):
    """Deliver `event` signed; `headers` replace."""
    raw = event if isinstance(event, bytes) else json.dumps(event).encode()
    sent = {"Stripe-Signature": sign(raw), "Content-Type": "application/json"} | headers
    return client.post("/stripe/webhook", data=raw, headers=sent)


def make_payment(payment_id="in_1", **changes) -> PaymentFact:
    """A monthly payment of 4 euros with a fee of 31 cents."""
    values = {
        "payment_id": payment_id,
        "reference": "con_1",
        "rhythm": Rhythm.MONTHLY,
        "charged": Money(400, "EUR"),
        "fee": Money(31, "EUR"),
        "paid_at": PAID_AT,
        "period_start": PAID_AT,
        "period_end": datetime(2026, 12, 20, 12, tzinfo=UTC),
        "subscription_id": "sub_1",
    }
    return PaymentFact(**values | changes)


class LaidDown(StripeProvider):
    """The real provider, except that readings come from a table instead of the network."""

    def __init__(self, settings) -> None:
        super().__init__(settings)
        self.readings = {}
        self.asked = []

    def read(self, ref):
        self.asked.append(ref.id)
        reading = self.readings.get(ref.id, Reading(is_found=False))
        if callable(reading):
            reading = reading()
        if isinstance(reading, Exception):
            raise reading
        return reading

    def list_booked(self):
        return None


@pytest.fixture
def provider(app, settings):
    laid_down = LaidDown(settings)
    app.extensions["membership.provider"] = laid_down
    return laid_down


@pytest.fixture
def news(app):
    """Every event told, in order; references in `news.unknown` are not known yet."""

    class News(list):
        unknown = frozenset()
        fault = None

        def hear(self, event):
            if event.reference in self.unknown:
                raise NotKnownYet(event.reference)
            if self.fault is not None:
                raise self.fault
            self.append(event)

        def of(self, kind):
            return [event for event in self if isinstance(event, kind)]

    heard = News()
    app.extensions["membership.handlers"] = {kind: (heard.hear,) for kind in NEWS}
    return heard
