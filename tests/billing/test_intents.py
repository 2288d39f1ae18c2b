"""What we ask Stripe for happens once, whatever is lost on the way; seen against the sandbox over HTTP."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from membership.billing import intents
from membership.billing.intents import rows
from membership.billing.intents.kinds import freeze
from membership.billing.models import ProviderIntent
from membership.billing.providers.stripe import StripeProvider
from membership.billing.providers.stripe.client import WEB_CALLS
from membership.db import db, transaction
from membership.kernel import clock
from membership.kernel.errors import Conflict, ProviderFailed
from membership.kernel.money import Money
from tests.billing.test_way import connected_client, make_request

CREATE = "POST /v1/checkout/sessions"


@pytest.fixture
def stripe_sandbox(app, settings, sandbox):
    """The real provider on the sandbox; no web server, no notices."""
    known = settings.model_copy(update={"stripe_api_base": sandbox.url})
    app.extensions["membership.provider"] = StripeProvider(known)
    app.extensions["membership.provider"].ensure_product()
    return sandbox


def sessions(sandbox) -> list:
    return list(connected_client(sandbox).v1.checkout.sessions.list(params={"limit": 100}).auto_paging_iter())


def the_intent() -> ProviderIntent:
    db.session.rollback()
    return db.session.scalars(select(ProviderIntent).where(ProviderIntent.kind == "open_checkout")).one()


def as_web(app):
    """The path of a page: short waits, no repetitions."""
    return app.test_request_context("/contribute", method="POST")


def test_the_same_wish_gives_the_same_page_and_forgets_the_address(stripe_sandbox):
    first = intents.open_checkout(make_request(), "con_1")
    assert intents.open_checkout(make_request(locale="en"), "con_1") == first
    assert len(sessions(stripe_sandbox)) == 1
    assert (the_intent().state, the_intent().request) == ("done", None)


def test_another_wish_under_the_same_key_is_a_conflict(stripe_sandbox):
    intents.open_checkout(make_request(), "con_1")
    with pytest.raises(Conflict):
        intents.open_checkout(make_request(charge=Money(400, "EUR")), "con_1")


def test_a_double_click_opens_one_page(app, stripe_sandbox):
    barrier, pages = threading.Barrier(8), []

    def click():
        with app.app_context():
            barrier.wait()
            pages.append(intents.open_checkout(make_request(), "con_1"))

    threads = [threading.Thread(target=click) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({page.provider_id for page in pages}) == 1
    assert len(pages) == 8
    assert len(sessions(stripe_sandbox)) == 1


def test_a_page_opened_whose_answer_was_lost_is_found_again_by_the_same_key(app, stripe_sandbox):
    stripe_sandbox.fail(CREATE, "lost_reply")
    with as_web(app), pytest.raises(ProviderFailed) as failed:
        intents.open_checkout(make_request(), "con_1")
    assert (failed.value.retryable, failed.value.outcome_unknown) == (True, True)
    assert the_intent().state == "unknown"
    [made] = sessions(stripe_sandbox)
    with as_web(app):
        assert intents.open_checkout(make_request(), "con_1").provider_id == made.id
    assert len(sessions(stripe_sandbox)) == 1


@pytest.mark.parametrize(("fault", "state", "n_keys"), [
    ("500", "refused", 2),  # Stripe has stored the failure under the key
    ("503", "refused", 2),
    ("html", "unknown", 1),
    ("409", "unknown", 1),
    ("429", "refused", 2),
])  # fmt: skip
def test_after_a_failure_the_reader_can_press_again(app, stripe_sandbox, fault, state, n_keys):
    stripe_sandbox.fail(CREATE, fault)
    with as_web(app), pytest.raises(ProviderFailed) as failed:
        intents.open_checkout(make_request(), "con_1")
    assert failed.value.retryable
    before = the_intent()
    key = before.idempotency_key
    assert before.state == state
    with as_web(app):
        assert intents.open_checkout(make_request(), "con_1").url
    after = the_intent()
    assert (after.state, after.n_attempts, after.idempotency_key == key) == ("done", n_keys, n_keys == 1)
    assert len(sessions(stripe_sandbox)) == 1


def test_what_stripe_refuses_is_refused_for_good_and_names_no_address(app, stripe_sandbox):
    with pytest.raises(ProviderFailed) as failed:
        intents.open_checkout(make_request(expires_at=clock.now() + timedelta(minutes=2)), "con_1")
    assert not failed.value.retryable
    assert not failed.value.outcome_unknown
    assert "reader@" not in str(failed.value)
    intent = the_intent()
    assert (intent.state, intent.request) == ("refused", None)


def test_a_slow_stripe_is_given_up_within_ten_seconds(app, stripe_sandbox):
    stripe_sandbox.fail(CREATE, "slow", seconds=20)
    began = time.monotonic()
    with as_web(app), pytest.raises(ProviderFailed) as failed:
        intents.open_checkout(make_request(), "con_1")
    assert time.monotonic() - began < 10
    assert failed.value.outcome_unknown


def test_more_pages_than_there_is_room_for_are_refused_at_once(app, stripe_sandbox):
    stripe_sandbox.fail(CREATE, "slow", times=WEB_CALLS, seconds=3)
    barrier = threading.Barrier(WEB_CALLS + 1)

    def wait_for_stripe(n):
        with app.app_context(), as_web(app):
            barrier.wait()
            intents.open_checkout(make_request(f"con_{n}"), f"con_{n}")

    threads = [threading.Thread(target=wait_for_stripe, args=(n,)) for n in range(WEB_CALLS)]
    for thread in threads:
        thread.start()
    barrier.wait()
    time.sleep(1)
    began = time.monotonic()
    with as_web(app), pytest.raises(ProviderFailed) as failed:
        intents.open_checkout(make_request("con_x"), "con_x")
    assert time.monotonic() - began < 2
    assert failed.value.retryable
    for thread in threads:
        thread.join()
    with as_web(app):
        assert intents.open_checkout(make_request("con_x"), "con_x").url


def test_the_product_is_made_when_it_is_missing(app, settings, sandbox):
    app.extensions["membership.provider"] = StripeProvider(settings.model_copy(update={"stripe_api_base": sandbox.url}))
    assert intents.open_checkout(make_request(), "con_1").url
    assert connected_client(sandbox).v1.products.retrieve(settings.stripe_product_id).name.endswith("The Harbour Post")
    app.extensions["membership.provider"].ensure_product()


def test_the_worker_waits_and_repeats_where_a_page_gives_up(stripe_sandbox):
    stripe_sandbox.fail(CREATE, "429", times=2)
    stripe_sandbox.fail(CREATE, "lost_reply", times=1)
    page = intents.open_checkout(make_request(), "con_1")
    assert [made.id for made in sessions(stripe_sandbox)] == [page.provider_id]


# The sweeper ----------------------------------------------------------------------------------------------------


def later(**span):
    return time_machine.travel(clock.real_now() + timedelta(**span))


def finish():
    db.session.rollback()
    n = intents.finish_open(clock.now())
    db.session.rollback()
    return n


def test_a_lost_page_is_found_and_closed_after_a_minute(app, stripe_sandbox):
    stripe_sandbox.fail(CREATE, "lost_reply")
    with as_web(app), pytest.raises(ProviderFailed):
        intents.open_checkout(make_request(), "con_1")
    assert finish() == 0
    with later(seconds=61):
        assert finish() == 1
    [made] = sessions(stripe_sandbox)
    assert made.status == "expired"
    assert the_intent().closed_at is not None
    with later(seconds=62):
        assert finish() == 0
    with as_web(app):
        assert intents.open_checkout(make_request(), "con_1").provider_id != made.id


def test_a_request_that_never_arrived_is_carried_out_and_closed(app, stripe_sandbox):
    with transaction("test.die"):
        rows.plan("open_checkout", "con_1", freeze(make_request()), reference="con_1")
        db.session.execute(update(ProviderIntent).values(state="sent"))
    with later(seconds=61):
        finish()
    assert [made.status for made in sessions(stripe_sandbox)] == ["expired"]


def test_after_twenty_three_hours_nothing_is_repeated(app, stripe_sandbox):
    stripe_sandbox.fail(CREATE, "lost_reply")
    with as_web(app), pytest.raises(ProviderFailed):
        intents.open_checkout(make_request(), "con_1")
    with later(hours=24):
        finish()
    assert (the_intent().state, the_intent().error, the_intent().request) == ("refused", "given_up", None)
    assert len(sessions(stripe_sandbox)) == 1


def test_two_sweepers_share_the_work(app, stripe_sandbox):
    stripe_sandbox.fail(CREATE, "lost_reply")
    with as_web(app), pytest.raises(ProviderFailed):
        intents.open_checkout(make_request(), "con_1")
    with transaction("test.age"):
        db.session.execute(update(ProviderIntent).values(sent_at=clock.real_now() - timedelta(minutes=2)))

    def sweep():
        with app.app_context():
            intents.finish_open(clock.now())

    threads = [threading.Thread(target=sweep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [made.status for made in sessions(stripe_sandbox)] == ["expired"]
    assert the_intent().n_attempts == 1


# kill -9 between every pair of states -------------------------------------------------------------------------

CHILD = """
import sys
from datetime import timedelta
from tests.conftest import make_settings
from membership.app import create_app
from membership.billing import intents
from membership.kernel import clock
from tests.billing.test_way import make_request
url, base, fault = sys.argv[1:4]
app = create_app(make_settings(database_url=url, stripe_api_base=base, queue_path=sys.argv[4], fault_at=fault))
with app.app_context():
    page = intents.open_checkout(make_request(), "con_1")
    intents.close_checkout(page.provider_id)
"""
POINTS = [
    "billing.open_checkout.intend:before-commit",
    "billing.open_checkout.intend:after-commit",
    "stripe.open_checkout:before-call",
    "stripe.open_checkout:after-call",
    "billing.intent.answered:before-commit",
    "billing.intent.answered:after-commit",
    "billing.close_checkout.intend:before-commit",
    "billing.close_checkout.intend:after-commit",
    "stripe.close_checkout:before-call",
    "stripe.close_checkout:after-call",
    "billing.intent.answered:before-commit#2",
    "billing.intent.answered:after-commit#2",
]


@pytest.mark.parametrize("point", POINTS)
def test_killed_anywhere_nothing_is_lost_and_no_page_stays_open_unseen(app, settings, stripe_sandbox, tmp_path, point):
    command = [sys.executable, "-c", textwrap.dedent(CHILD), settings.database_url, stripe_sandbox.url, point]
    environment = {**os.environ, "PYTHONPATH": "."}
    child = subprocess.run([*command, str(tmp_path / "q.db")], check=False, env=environment, timeout=120)
    assert child.returncode == -signal.SIGKILL
    with later(seconds=61):
        finish()
        finish()
        page = intents.open_checkout(make_request(), "con_1")
    open_now = [made.id for made in sessions(stripe_sandbox) if made.status == "open"]
    assert open_now == [page.provider_id]
    assert db.session.scalars(select(ProviderIntent.state).distinct()).all() == ["done"]
