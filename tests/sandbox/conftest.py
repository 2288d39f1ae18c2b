"""The sandbox as its users meet it: over HTTP, with the real SDK, a browser-like form and a webhook receiver."""

import http.server
import json
import re
import threading
import time
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests
import stripe

from membership.sandbox.app import create_sandbox

SECRET = "whsec_of_these_tests"
CARD = {"email": "q@example.org", "cardExpiry": "12 / 34", "cardCvc": "123", "billingName": "Q"}
SHARED = Path(__file__).resolve().parents[3] / "shared"


@pytest.fixture
def sandbox():
    box = create_sandbox()
    box.start()
    yield box
    box.close()


@pytest.fixture
def base(sandbox):
    return sandbox.public_url


def client_for(base, **more):
    options = {"base_addresses": {"api": base}, "max_network_retries": 0, **more}
    return stripe.StripeClient("sk_test_tests", **options).v1


@pytest.fixture
def client(base):
    return client_for(base)


@pytest.fixture
def make_client():
    return client_for


@pytest.fixture
def shared():
    if not SHARED.is_dir():
        pytest.skip("../shared is not here")
    return SHARED


@pytest.fixture
def control(base):
    """Call the control API: control("advance", months=1) posts, control.get("books") reads."""

    def post(path, body=None, **more):
        answer = requests.post(
            f"{base}/_sandbox/{path}", data=json.dumps(body if body is not None else more), timeout=120
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    post.get = lambda path: requests.get(f"{base}/_sandbox/{path}", timeout=30).json()
    post.delete = lambda path: requests.delete(f"{base}/_sandbox/{path}", timeout=30).json()
    return post


@pytest.fixture
def open_session(client):
    """Open a Checkout Session: monthly by default."""

    def make(mode="subscription", amount=700, **more):
        price = {"currency": "eur", "unit_amount": amount, "product_data": {"name": "Supporter"}}
        if mode == "subscription":
            price["recurring"] = {"interval": "month"}
        params = {
            "mode": mode,
            "success_url": "http://127.0.0.1/ok?s={CHECKOUT_SESSION_ID}",
            "cancel_url": "http://127.0.0.1/no",
            **more,
        }
        if mode != "setup":
            params["line_items"] = [{"price_data": price, "quantity": 1}]
        return client.checkout.sessions.create(params)

    return make


@pytest.fixture
def fill():
    """Type into the only form of a hosted page and send it, as a browser without script does."""

    def send(url, number="4242 4242 4242 4242", **typed):
        page = requests.get(url, timeout=10).text
        action = re.search(r'<form[^>]*method="post"[^>]*action="([^"]*)"', page).group(1)
        return requests.post(
            urljoin(url, action), data={**CARD, "cardNumber": number, **typed}, allow_redirects=False, timeout=10
        )

    return send


@pytest.fixture
def supporter(client, open_session, fill):
    """Somebody who pays each month: the completed session."""

    def make(number="4242 4242 4242 4242", **more):
        session = open_session(**more)
        assert fill(session.url, number).status_code == 303
        return client.checkout.sessions.retrieve(session.id)

    return make


class Receiver:
    """A webhook endpoint: what came, verified by the SDK, in order. `answer` is the status that it gives."""

    def __init__(self, port=0, secret=SECRET):
        self.events, self.bodies, self.refused, self.answer, self.secret = [], [], [], 200, secret
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.take(self.path, body, self.headers["Stripe-Signature"])
                self.send_response(receiver.answer)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def take(self, path, body, signature):
        try:
            stripe.WebhookSignature.verify_header(body.decode(), signature, self.secret, 300)
        except stripe.SignatureVerificationError:
            self.refused.append(body)
            return
        self.bodies.append((path, json.loads(body)))
        if self.answer == 200 and path == "/hook":
            self.events.append(json.loads(body))

    def types(self):
        return [event["type"] for event in self.events]

    def wait_for(self, condition, seconds=20):
        deadline = time.monotonic() + seconds
        while not condition(self):
            assert time.monotonic() < deadline, self.types()
            time.sleep(0.02)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receivers():
    """Make receivers: receivers(port=…)."""
    made = []

    def make(**more):
        made.append(Receiver(**more))
        return made[-1]

    yield make
    for receiver in made:
        receiver.close()
