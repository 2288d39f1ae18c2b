"""Does word of Stripe reach us? First a notice of our own to our own door, then one that Stripe sends."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from http import HTTPStatus
from uuid import uuid4

import requests

from membership.billing.port import APP_STAMP
from membership.billing.providers.stripe.caller import StripeCaller
from membership.billing.providers.stripe.client import API_VERSION
from membership.billing.providers.stripe.setup import Mark, Step
from membership.config import Settings

TEST_TYPE = "membership.setup_test"
"""A type that Stripe does not have: kept in the inbox, and nothing else."""

TIMEOUT = (5, 10)
ASK_EVERY_SECONDS = 0.5


class StripeSelfTest(StripeCaller):
    """One test of the way from Stripe to the inbox. `is_in_inbox` says whether a notice about an object has come."""

    def __init__(self, settings: Settings, url: str, is_in_inbox: Callable[[str], bool], wait_seconds: float) -> None:
        super().__init__(settings)
        self._url, self._is_in_inbox, self._wait_seconds = url, is_in_inbox, wait_seconds

    def steps(self, at: datetime) -> Iterator[Step]:
        """Knock at our own door at `at` (real time) and, where that opens, have Stripe knock."""
        own = self._knock(at)
        yield own
        if own.mark is Mark.FINE:
            yield self._stripe_knocks()

    def _knock(self, at: datetime) -> Step:
        event_id = f"evt_setup_{uuid4().hex}"
        event = {
            "id": event_id,
            "object": "event",
            "type": TEST_TYPE,
            "api_version": API_VERSION,
            "created": int(at.timestamp()),
            "livemode": self._settings.is_live,
            "data": {"object": {"id": event_id, "object": "setup_test"}},
        }
        body = json.dumps(event).encode()
        secret = self._settings.stripe_webhook_secret[0].get_secret_value()
        stamp = str(int(at.timestamp()))
        mac = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        try:
            answer = requests.post(
                self._url, data=body, headers={"Stripe-Signature": f"t={stamp},v1={mac}"}, timeout=TIMEOUT
            )
        except requests.RequestException as error:
            return Step(
                Mark.PROBLEM,
                f"Our own {self._url} does not answer ({type(error).__name__}).",
                "Start the web server, check PUBLIC_URL and the proxy, and run this command again.",
            )
        if answer.status_code == HTTPStatus.OK and self._arrives(event_id):
            return Step(Mark.FINE, "Our own door takes a signed notice and keeps it.")
        return Step(
            Mark.PROBLEM,
            f"{self._url} answered {answer.status_code} to a notice signed with our secret.",
            "Web server and this command must have the same STRIPE_WEBHOOK_SECRET and DATABASE_URL, and the address"
            " must be the one of PUBLIC_URL; restart the web server after a change.",
        )

    def _stripe_knocks(self) -> Step:
        """A customer without any personal data is made, changed and deleted: the change is a notice to us."""
        stamp = {"app": APP_STAMP, "test": "setup"}
        customer_id = str(self._ask("customers", lambda v1: v1.customers.create(params={"metadata": stamp}))["id"])
        try:
            self._ask(
                "customers",
                lambda v1: v1.customers.update(customer_id, params={"metadata": {"test": "setup changed"}}),
            )
            has_come = self._arrives(customer_id)
        finally:
            self._ask("customers", lambda v1: v1.customers.delete(customer_id))
        if has_come:
            return Step(Mark.FINE, "Stripe's notice of a test customer arrived; the customer is deleted again.")
        return Step(
            Mark.PROBLEM,
            f"Stripe's notice of a test customer did not arrive within {self._wait_seconds:.0f} seconds.",
            "Look at the endpoint's deliveries in Stripe's dashboard (Developers, Webhooks): is the secret the one of"
            " this endpoint, and can Stripe reach the address?",
        )

    def _arrives(self, object_id: str) -> bool:
        end = time.monotonic() + self._wait_seconds
        while not self._is_in_inbox(object_id):
            if time.monotonic() > end:
                return False
            time.sleep(ASK_EVERY_SECONDS)
        return True
