"""Asks whose answer is lost, that come twice, or whose asker dies: each is done once, or its end is known."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from datetime import timedelta

import pytest
import requests
from sqlalchemy import select, update

from membership.billing import asks, jobs
from membership.billing.models import ProviderIntent
from membership.billing.port import PaymentReceived, PaymentReversed
from membership.billing.port import SubscriptionStatus as Status
from membership.db import db, transaction
from membership.kernel import clock
from membership.kernel.errors import ProviderFailed
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from tests.billing.test_asks import FOUR, at_stripe, begin, card_request, pass_time, seen, the_intent
from tests.billing.test_intents import as_web, later
from tests.billing.test_way import assert_books_hold, connected_client, drain
from tests.factories.checkout import FAILS_AT_RENEWAL, pay


@pytest.fixture
def support(connected, news):
    return begin(connected, news)


def sweep():
    db.session.rollback()
    jobs.finish_open(clock.now())
    db.session.rollback()


def make_refund(support, news, key="ask-1"):
    asks.refund(news.of(PaymentReceived)[0].payment_id, Money(300, "EUR"), key)


UPDATE, REFUND = "POST /v1/subscriptions/*", "POST /v1/refunds"
ASKS = {
    "change": (UPDATE, lambda support, _: asks.change(support.subscription_id, FOUR, Rhythm.MONTHLY, "ask-1")),
    "pause": (UPDATE, lambda support, _: asks.pause(support.subscription_id, clock.now() + timedelta(30), "ask-1")),
    "cancel": (UPDATE, lambda support, _: asks.cancel(support.subscription_id, "ask-1")),
    "keep": (UPDATE, lambda support, _: asks.keep(support.subscription_id, "ask-1")),
    "cancel_now": ("DELETE /v1/subscriptions/*", lambda support, _: asks.cancel_now(support.subscription_id, "ask-1")),
    "refund": (REFUND, make_refund),
    "forget_customer": (
        "DELETE /v1/customers/*",
        lambda support, _: asks.forget_customer(support.customer_id, "ask-1"),
    ),
    "rename_customer": (
        "POST /v1/customers/*",
        lambda support, _: asks.rename_customer(support.customer_id, "new@example.org", "ask-1"),
    ),
}


def n_calls(sandbox, support) -> tuple:
    """What Stripe's side has of it: refunds, and updates of the support."""
    client = connected_client(sandbox).v1
    refunds = client.refunds.list({"limit": 100}).data
    types = ["customer.subscription.updated", "customer.subscription.deleted", "customer.deleted", "customer.updated"]
    events = client.events.list({"types": types, "limit": 100}).data
    return len(refunds), len(events)


@pytest.mark.parametrize("kind", ASKS)
def test_an_ask_whose_answer_was_lost_is_repeated_and_done_once(app, connected, news, support, kind):
    match, ask = ASKS[kind]
    connected.fail(match, "lost_reply")
    with as_web(app), pytest.raises(ProviderFailed) as failed:
        ask(support, news)
    assert failed.value.outcome_unknown
    assert the_intent(kind).state == "unknown"
    done = n_calls(connected, support)
    with as_web(app):
        ask(support, news)
    assert the_intent(kind).state == "done"
    assert the_intent(kind).request is None
    assert n_calls(connected, support) == done
    drain(connected)
    assert_books_hold()


@pytest.mark.parametrize("kind", ASKS)
def test_an_ask_whose_answer_was_lost_is_finished_by_itself(app, connected, news, support, kind):
    match, ask = ASKS[kind]
    connected.fail(match, "html")
    with as_web(app), pytest.raises(ProviderFailed):
        ask(support, news)
    before = n_calls(connected, support)
    with later(seconds=61):
        sweep()
    assert the_intent(kind).state == "done"
    assert kind == "keep" or n_calls(connected, support) != before
    with later(seconds=122):
        sweep()
        ask(support, news)
    assert len(news.of(PaymentReversed)) == (kind == "refund")


@pytest.mark.parametrize("kind", ASKS)
def test_while_stripe_is_down_nothing_is_done_and_a_later_try_goes_through(app, connected, news, support, kind):
    match, ask = ASKS[kind]
    connected.fail(match, "503")
    with as_web(app), pytest.raises(ProviderFailed) as failed:
        ask(support, news)
    assert failed.value.retryable
    with as_web(app):
        ask(support, news)
    assert the_intent(kind).state == "done"
    assert n_calls(connected, support)[0] == (kind == "refund")


@pytest.mark.parametrize("kind", ["change", "cancel_now", "refund"])
def test_two_askers_at_once_do_it_once(app, connected, news, support, kind):
    _, ask = ASKS[kind]
    barrier, failures = threading.Barrier(4), []

    def press():
        with app.app_context():
            barrier.wait()
            try:
                ask(support, news)
            except Exception as error:  # noqa: BLE001 - shown below
                failures.append(error)

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert the_intent(kind).n_attempts == 1
    drain(connected)
    assert len(news.of(PaymentReversed)) == (kind == "refund")
    assert n_calls(connected, support)[0] == (kind == "refund")


def test_an_older_ask_never_undoes_a_newer_one(app, connected, news, support):
    connected.fail(UPDATE, "html")
    with as_web(app), pytest.raises(ProviderFailed):
        asks.cancel(support.subscription_id, "cancel-1")
    asks.keep(support.subscription_id, "keep-1")
    with later(seconds=61):
        sweep()
    assert (the_intent("cancel").state, the_intent("cancel").error) == ("refused", "overtaken")
    assert at_stripe(connected, support.subscription_id).cancel_at is None


def test_after_a_day_a_refund_is_looked_up_and_never_made_again(app, connected, news, support):
    connected.fail(REFUND, "lost_reply")
    with as_web(app), pytest.raises(ProviderFailed):
        make_refund(support, news)
    with later(hours=24):
        sweep()
        assert the_intent("refund").state == "done"
    assert len(news.of(PaymentReversed)) == 1
    assert len(connected_client(connected).v1.refunds.list({}).data) == 1
    assert_books_hold()


def the_key_is_forgotten():
    """A key that the provider does not know is the same to it as one that it has forgotten."""
    with transaction("test.key_forgotten"):
        refunds = update(ProviderIntent).where(ProviderIntent.kind == "refund")
        db.session.execute(refunds.values(idempotency_key="membership-forgotten"))


def test_a_refund_asked_again_after_a_day_before_the_sweep_is_looked_up_first(app, connected, news, support):
    connected.fail(REFUND, "lost_reply")
    with as_web(app), pytest.raises(ProviderFailed):
        make_refund(support, news)
    with later(hours=25):
        the_key_is_forgotten()
        make_refund(support, news)
        assert the_intent("refund").state == "done"
    assert len(connected_client(connected).v1.refunds.list({}).data) == 1


def test_a_refund_that_cannot_be_looked_up_after_a_day_is_not_sent(app, connected, news, support):
    connected.fail(REFUND, "lost_reply")
    with as_web(app), pytest.raises(ProviderFailed):
        make_refund(support, news)
    connected.fail("GET /v1/refunds", "503", times=9)
    with later(hours=25), as_web(app), pytest.raises(ProviderFailed):
        the_key_is_forgotten()
        make_refund(support, news)
    requests.delete(f"{connected.url}/_sandbox/faults", timeout=30).raise_for_status()
    assert len(connected_client(connected).v1.refunds.list({}).data) == 1


def test_after_a_day_what_never_arrived_is_given_up(app, connected, news, support):
    connected.fail(REFUND, "html")
    with as_web(app), pytest.raises(ProviderFailed):
        make_refund(support, news)
    with later(hours=24):
        sweep()
        assert (the_intent("refund").state, the_intent("refund").error) == ("refused", "given_up")
        make_refund(support, news)
    assert len(connected_client(connected).v1.refunds.list({}).data) == 1


def test_a_refund_that_stripe_made_and_called_a_failure_is_found_and_not_made_again(app, connected, news, support):
    payment = news.of(PaymentReceived)[0].payment_id
    connected.fail(REFUND, "500")
    with as_web(app), pytest.raises(ProviderFailed):
        make_refund(support, news)
    client = connected_client(connected).v1
    [paid] = client.invoice_payments.list({"invoice": payment}).data
    stamp = {"app": "reader-membership", "reference": "con_1", "intent": "ask-1"}
    client.refunds.create({"payment_intent": paid.payment.payment_intent, "amount": 300, "metadata": stamp})
    with as_web(app):
        make_refund(support, news)
    assert len(client.refunds.list({}).data) == 1


def test_a_try_to_pay_whose_answer_was_lost_pays_once(app, connected, news):
    support = begin(connected, news, card=FAILS_AT_RENEWAL)
    pass_time(connected, months=1)
    client = connected_client(connected).v1
    method = client.payment_methods.attach("pm_card_visa", {"customer": support.customer_id})
    client.subscriptions.update(support.subscription_id, {"default_payment_method": method.id})
    connected.fail("POST /v1/invoices/*/pay", "lost_reply")
    with as_web(app), pytest.raises(ProviderFailed):
        asks.pay_open(support.subscription_id, "pay-1")
    with as_web(app):
        assert asks.pay_open(support.subscription_id, "pay-1").is_paid
    drain(connected)
    assert len(news.of(PaymentReceived)) == 2
    assert seen(news).status is Status.ACTIVE
    assert_books_hold()


def test_a_new_card_is_used_once_stripe_answers_again(app, connected, news, support):
    page = asks.open_card_page(card_request(support), "card-1")
    pay(page.url, card="5555 5555 5555 4444")
    drain(connected)
    connected.fail("POST /v1/customers/*", "429", times=4)
    sweep()
    assert (the_intent("use_card").state, the_intent("use_card").n_attempts) == ("new", 2)
    with later(seconds=61):
        sweep()
    assert the_intent("use_card").state == "done"
    assert seen(news).card.brand == "mastercard"


def test_what_nobody_waits_for_is_given_up_in_the_end_with_an_alert(app, connected, news, support, caplog):
    page = asks.open_card_page(card_request(support), "card-1")
    pay(page.url)
    drain(connected)
    with transaction("test.many_times"):
        db.session.execute(update(ProviderIntent).where(ProviderIntent.kind == "use_card").values(n_attempts=100))
    connected.fail("POST /v1/customers/*", "429", times=4)
    sweep()
    assert the_intent("use_card").state == "refused"
    assert "alert_intent_given_up" in caplog.text
    assert asks.use_new_card(page.provider_id) is True


# kill -9 between every pair of states -------------------------------------------------------------------------

CHILD = """
import sys
from tests.conftest import make_settings
from membership.app import create_app
from membership.billing import asks
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
url, base, fault, queue, subscription_id, payment_id = sys.argv[1:7]
app = create_app(make_settings(database_url=url, stripe_api_base=base, queue_path=queue, fault_at=fault))
app.extensions["membership.handlers"] = {}
with app.app_context():
    asks.refund(payment_id, Money(300, "EUR"), "ask-1")
    asks.change(subscription_id, Money(400, "EUR"), Rhythm.MONTHLY, "ask-1")
    asks.cancel(subscription_id, "ask-1")
"""


@pytest.fixture
def die_at(settings, connected, support, news, tmp_path):
    """Ask for three things in another process, which dies at a point; `@folder` records the points instead."""
    payment_id = news.of(PaymentReceived)[0].payment_id

    def run(fault: str) -> int:
        words = [
            settings.database_url,
            connected.url,
            fault,
            str(tmp_path / "q.db"),
            support.subscription_id,
            payment_id,
        ]
        command = [sys.executable, "-c", textwrap.dedent(CHILD), *words]
        db.session.rollback()
        return subprocess.run(command, check=False, env={**os.environ, "PYTHONPATH": "."}, timeout=120).returncode

    return run


POINTS = [
    f"{label}:{side}"
    for label, sides in {
        "billing.refund.intend": ("before-commit", "after-commit"),
        "stripe.refund": ("before-call", "after-call"),
        "billing.intent.answered": ("before-commit", "after-commit"),
        "stripe.read": ("before-call", "after-call"),
        "billing.book": ("before-commit", "after-commit"),
        "billing.change.intend": ("before-commit", "after-commit"),
        "stripe.change": ("before-call", "after-call"),
        "billing.cancel.intend": ("after-commit",),
        "stripe.cancel": ("before-call", "after-call"),
    }.items()
    for side in sides
]


def test_every_point_of_an_ask_is_known_here(die_at, tmp_path):
    folder = tmp_path / "orders"
    folder.mkdir()
    assert die_at(f"@{folder}") == 0
    passed = set((folder / "passed").read_text().split())
    assert set(POINTS) <= passed
    ours = {label for label in passed if label.startswith(("stripe.", "billing.intent", "billing.refund"))}
    assert ours <= {*POINTS, "stripe.read:before-call", "stripe.read:after-call"}


@pytest.mark.parametrize("point", POINTS)
def test_killed_anywhere_each_ask_is_done_once(app, connected, news, support, die_at, point):
    assert die_at(point) == -signal.SIGKILL
    with later(seconds=61):
        sweep()
        make_refund(support, news)
        asks.change(support.subscription_id, FOUR, Rhythm.MONTHLY, "ask-1")
        asks.cancel(support.subscription_id, "ask-1")
        drain(connected)
        assert_books_hold()
    now = at_stripe(connected, support.subscription_id)
    assert (now["items"].data[0].price.unit_amount, now.cancel_at_period_end) == (400, True)
    assert [refund.amount for refund in connected_client(connected).v1.refunds.list({}).data] == [300]
    assert db.session.scalars(select(ProviderIntent.state).distinct()).all() == ["done"]
