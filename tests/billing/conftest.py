"""Notices as Stripe signs them, a provider whose answers are facts that a test lays down, and recorded news."""

import hashlib
import hmac
import json
import os
import re
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
import requests

from membership.billing.port import (
    CardCollected,
    CheckoutExpired,
    CheckoutFinished,
    FraudWarned,
    NotKnownYet,
    PaymentFact,
    PaymentFailed,
    PaymentPending,
    PaymentReceived,
    PaymentReversed,
    Reading,
    SubscriptionSeen,
)
from membership.billing.providers.stripe import StripeProvider
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from tests.conftest import WEBHOOK_SECRET
from tests.served import Served

NEWS = (
    CardCollected,
    CheckoutExpired,
    CheckoutFinished,
    FraudWarned,
    PaymentFailed,
    PaymentPending,
    PaymentReceived,
    PaymentReversed,
    SubscriptionSeen,
)
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

    def list_booked(self, since=None):
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
    app.extensions["membership.handlers"] = dict.fromkeys(NEWS, (heard.hear,))
    return heard


# The sandbox, over HTTP ---------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Sandbox:
    """A running stand-in for Stripe: its address, and what its control page offers."""

    def __init__(self, url: str, web_port: int) -> None:
        self.url, self.web_port = url, web_port

    def control(self, name: str, **body):
        answer = requests.post(f"{self.url}/_sandbox/{name}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def fail(self, match: str, do: str, **more) -> None:
        self.control("faults", calls=[{"match": match, "do": do, **more}])

    def books(self) -> dict:
        return requests.get(f"{self.url}/_sandbox/books", timeout=30).json()

    def settle_deliveries(self) -> None:
        """Wait until every event that is due has been delivered."""
        end = time.monotonic() + 15
        while time.monotonic() < end:
            if not self.control("deliver").get("waiting") and not self._waiting():
                return
            time.sleep(0.05)

    def _waiting(self) -> int:
        waiting = requests.get(f"{self.url}/_sandbox/events", timeout=30).json()["waiting"]
        return waiting if isinstance(waiting, int) else len(waiting)


@pytest.fixture(scope="session")
def sandbox_process():
    web_port = free_port()
    command = [sys.executable, "-m", "membership.sandbox", "--port", "0", "--webhook-secret", WEBHOOK_SECRET]
    command += ["--webhook", f"http://localhost:{web_port}/stripe/webhook"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("STRIPE_")}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    url = re.search(r"http://[\w.:]+", process.stdout.readline()).group(0)
    yield Sandbox(url, web_port)
    process.terminate()
    process.wait(timeout=20)
    process.stdout.close()


@pytest.fixture
def sandbox(sandbox_process):
    """The sandbox, forgotten and without faults."""
    requests.delete(f"{sandbox_process.url}/_sandbox/faults", timeout=30)
    sandbox_process.control("reset")
    return sandbox_process


@pytest.fixture
def connected(app, settings, sandbox):
    """The app with the real provider on the sandbox, and a web server that takes its notices."""
    known = settings.model_copy(update={"stripe_api_base": sandbox.url})
    app.extensions["membership.settings"] = known
    app.extensions["membership.provider"] = StripeProvider(known)
    served = Served(app, sandbox.web_port)
    yield sandbox
    served.end()
