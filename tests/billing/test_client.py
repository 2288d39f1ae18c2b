"""How calls to Stripe fail, how often they are tried, and what doctor and check-books say."""

import re
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import requests
from sqlalchemy import text

from membership.billing.providers.stripe.client import Calls, Pace
from membership.cli.books import check_books
from membership.db import db, transaction
from membership.kernel.errors import ProviderFailed
from tests.billing.conftest import make_payment
from tests.conftest import make_settings

REFUSED = '{"error": {"type": "%s", "code": "%s", "message": "no, reader@example.org"}}'


class Answering:
    """A server on loopback that gives one answer to everything, and counts."""

    def __init__(self, status: int, body: str) -> None:
        self.hits, self.keys, self.versions = 0, set(), set()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                server.hits += 1
                server.keys.add(self.headers.get("Idempotency-Key"))
                server.versions.add(self.headers.get("Stripe-Version"))
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if status == 0:
                    self.connection.close()
                    return
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body.encode())

            do_GET = do_POST  # noqa: N815 - http.server's name

            def log_message(self, *args: object) -> None:
                pass

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


def ask(url: str):
    calls = Calls(make_settings(stripe_api_base=url))
    return calls.ask("products.create", lambda v1: v1.products.create(params={"name": "x"}))


CASES = {
    "bad request": (400, REFUSED % ("invalid_request_error", "parameter_missing"), False, False),
    "unauthorised": (401, REFUSED % ("invalid_request_error", ""), False, False),
    "card declined": (402, REFUSED % ("card_error", "card_declined"), False, False),
    "forbidden": (403, REFUSED % ("invalid_request_error", ""), False, False),
    "missing": (404, REFUSED % ("invalid_request_error", "resource_missing"), False, False),
    "conflict": (409, REFUSED % ("idempotency_error", "idempotency_key_in_use"), True, True),
    "too many": (429, REFUSED % ("rate_limit_error", "rate_limit"), True, False),
    "server error": (500, REFUSED % ("api_error", ""), True, True),
    "bad gateway in html": (502, "<html>", True, True),
    "garbage with 200": (200, "<html>", True, True),
    "truncated json": (200, '{"id": "prod_', True, True),
    "reset": (0, "", True, True),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_every_failure_says_whether_to_repeat_and_whether_it_may_have_happened(app, case):
    status, body, retryable, unknown = case
    with Answering(status, body) as server, app.test_request_context("/"), pytest.raises(ProviderFailed) as failed:
        ask(server.url)
    assert (failed.value.retryable, failed.value.outcome_unknown) == (retryable, unknown)
    assert "reader@" not in f"{failed.value} {failed.value.details}"
    assert server.hits == 1
    assert server.versions == {"2026-10-28.endive"}


@pytest.fixture
def database_url(sqlite_template, tmp_path):
    """No data here: one database is enough."""
    return sqlite_template.copy(tmp_path)


@pytest.mark.parametrize(("status", "hits"), [(500, 3), (0, 3), (409, 3), (429, 4), (400, 1)])
def test_the_worker_repeats_with_one_key_and_a_page_does_not(monkeypatch, status, hits):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    with Answering(status, REFUSED % ("api_error", "")) as server, pytest.raises(ProviderFailed):
        ask(server.url)
    assert server.hits == hits
    if status != 429:
        assert len(server.keys) == 1


def test_a_port_where_nobody_listens_is_unreachable(app):
    with app.test_request_context("/"), pytest.raises(ProviderFailed) as failed:
        ask("http://127.0.0.1:9")
    assert failed.value.code == "provider_unreachable"


def test_calls_keep_the_pace_in_total_and_per_kind():
    pace = Pace(per_second=1000, per_endpoint=100)
    began = time.monotonic()
    for _ in range(11):
        pace.wait("invoices")
    assert 0.1 <= time.monotonic() - began < 5
    pace, began = Pace(per_second=100, per_endpoint=1000), time.monotonic()
    for n in range(11):
        pace.wait(str(n))
    assert 0.1 <= time.monotonic() - began < 5


# doctor


def test_doctor_finds_the_webhook_endpoint_and_misses_it_by_name(app, connected):
    provider = app.extensions["membership.provider"]
    provider._settings = provider._settings.model_copy(update={"public_url": f"http://localhost:{connected.web_port}"})
    found = {finding.code for finding in provider.diagnose() if finding.is_problem}
    assert found == set()
    provider._settings = provider._settings.model_copy(update={"public_url": "https://join.example.org"})
    [problem] = [finding for finding in provider.diagnose() if finding.is_problem]
    assert problem.code == "webhook_missing"
    assert "https://join.example.org/stripe/webhook" in problem.message


def test_doctor_says_that_stripe_does_not_answer(app, settings):
    from membership.billing.providers.stripe import StripeProvider

    provider = StripeProvider(settings.model_copy(update={"stripe_api_base": "http://127.0.0.1:9"}))
    with app.test_request_context("/"):
        [problem] = provider.diagnose()
    assert problem.is_problem
    assert "STRIPE_API_BASE" in problem.message


def test_doctor_says_that_the_key_is_refused(app):
    from membership.billing.providers.stripe import StripeProvider

    with Answering(401, REFUSED % ("invalid_request_error", "")) as server, app.test_request_context("/"):
        [problem] = StripeProvider(make_settings(stripe_api_base=server.url)).diagnose()
    assert "STRIPE_SECRET_KEY" in problem.message


# check-books


def run_check_books(app):
    return app.test_cli_runner().invoke(check_books)


def test_check_books_says_what_it_checked(app, provider):
    from membership.billing import ledger

    with transaction("test.book"):
        ledger.book_payment(make_payment())
    said = run_check_books(app)
    assert said.exit_code == 0
    assert re.search(r"1\s+payments with a receipt", said.output)
    assert "The books hold" in said.output


def test_check_books_names_every_difference_and_exits_with_1(app, provider):
    from membership.billing import ledger

    with transaction("test.book"):
        ledger.book_payment(make_payment())
    with transaction("test.tamper"):
        db.session.execute(text("UPDATE payments SET charged_minor = 401"))
    said = run_check_books(app)
    assert said.exit_code == 1
    assert "in_1: 4.01 EUR on the receipt" in said.output
    assert "do NOT hold" in said.output


def test_check_books_says_when_the_sandbox_is_away(app, settings):
    from membership.billing.providers.stripe import StripeProvider

    app.extensions["membership.provider"] = StripeProvider(
        settings.model_copy(update={"stripe_api_base": "http://127.0.0.1:9"})
    )
    said = run_check_books(app)
    assert said.exit_code == 1
    assert "shows no books" in said.output


def test_check_books_finds_money_that_only_we_have(app, connected):
    from membership.billing import ledger

    assert requests.get(f"{connected.url}/_sandbox/books", timeout=10).ok
    with transaction("test.book"):
        ledger.book_payment(make_payment())
    said = run_check_books(app)
    assert "only_ours" in said.output
