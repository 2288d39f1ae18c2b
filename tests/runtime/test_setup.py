"""`membership setup stripe`, against the sandbox: makes, mends, tests, and changes nothing where all is right."""

import re

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from membership.billing.models import InboxEvent
from membership.billing.providers.stripe import StripeProvider
from membership.billing.providers.stripe.client import API_VERSION
from membership.billing.providers.stripe.notices import EVENTS
from membership.cli.setup import setup
from membership.db import db
from membership.sandbox.app import create_sandbox
from membership.sandbox.resources import webhook_endpoints
from tests.billing.conftest import free_port, sandbox, sandbox_process  # noqa: F401 - the stand-in of Stripe
from tests.billing.test_way import connected_client
from tests.conftest import WEBHOOK_SECRET
from tests.served import Served

NOWHERE = "http://127.0.0.1:9/stripe/webhook"


@pytest.fixture
def run(app, settings, monkeypatch):
    """Run the command as a person does, with this installation's environment; the secret may not be known yet."""

    def invoke(base: str, *words: str, secret: str | None = None):
        monkeypatch.setenv("PUBLIC_URL", settings.public_url)
        monkeypatch.setenv("SECRET_KEY", settings.secret_key.get_secret_value())
        monkeypatch.setenv("DATABASE_URL", settings.database_url)
        monkeypatch.setenv("QUEUE_PATH", settings.queue_path)
        monkeypatch.setenv("STRIPE_SECRET_KEY", settings.stripe_secret_key.get_secret_value())
        monkeypatch.setenv("STRIPE_API_BASE", base)
        monkeypatch.setenv("SMTP_URL", settings.smtp_url)
        monkeypatch.setenv("MAIL_FROM", settings.mail_from)
        monkeypatch.setenv("NEWSROOM_NAME", settings.newsroom_name)
        if secret is None:
            monkeypatch.delenv("STRIPE_WEBHOOK_SECRET", raising=False)
        else:
            monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", secret)
        db.session.rollback()
        return app.test_cli_runner().invoke(setup, ["stripe", "--wait", "5", *words])

    return invoke


@pytest.fixture
def box():
    """A sandbox of its own, whose books a test may write into."""
    made = create_sandbox()
    made.base = made.start()
    yield made
    made.close()


@pytest.fixture
def serve(app, settings):
    """Answer Stripe's notices with that signing secret at an address of our own."""
    served = []

    def begin(base: str, secret: str, port: int) -> None:
        known = settings.model_copy(
            update={"stripe_api_base": base, "stripe_webhook_secret": (SecretStr(WEBHOOK_SECRET), SecretStr(secret))}
        )
        app.extensions["membership.provider"] = StripeProvider(known)
        served.append(Served(app, port))

    yield begin
    for one in served:
        one.end()


def endpoints(base_or_box):
    client = connected_client(base_or_box).v1
    return client.webhook_endpoints.list({"limit": 100}).data


def ours(sandbox, url):  # noqa: F811 - the fixture
    return [one for one in endpoints(sandbox) if one.url == url]


def test_the_first_run_makes_everything_and_the_second_changes_nothing(sandbox, settings, run, serve):  # noqa: F811
    port = free_port()
    url = f"http://localhost:{port}/stripe/webhook"
    first = run(sandbox.url, "--url", url)
    assert first.exit_code == 0, first.output
    [secret] = re.findall(r"STRIPE_WEBHOOK_SECRET=(whsec_\w+)", first.output)
    [endpoint] = ours(sandbox, url)
    assert (endpoint.api_version, sorted(endpoint.enabled_events)) == (API_VERSION, sorted(EVENTS))
    client = connected_client(sandbox).v1
    assert client.products.retrieve(settings.stripe_product_id).active
    [portal] = [one for one in client.billing_portal.configurations.list().data if one.metadata["app"]]
    assert portal.features.subscription_cancel.enabled
    assert not portal.features.subscription_pause.enabled
    serve(sandbox.url, secret, port)
    second = run(sandbox.url, "--url", url, secret=secret)
    assert second.exit_code == 0, second.output
    assert "nothing was changed" in second.output
    assert "Our own door takes a signed notice" in second.output
    assert "Stripe's notice of a test customer arrived" in second.output
    assert secret not in second.output
    db.session.rollback()
    types = set(db.session.scalars(select(InboxEvent.type)))
    assert {"membership.setup_test", "customer.updated"} <= types
    assert client.customers.list().data == []


def test_a_check_changes_nothing(sandbox, settings, run):  # noqa: F811
    before = len(endpoints(sandbox))
    said = run(sandbox.url, "--url", NOWHERE, "--check")
    assert said.exit_code == 1
    assert f"There is no webhook endpoint for {NOWHERE}" in said.output
    assert f"There is no product {settings.stripe_product_id} yet" in said.output
    assert len(endpoints(sandbox)) == before
    assert connected_client(sandbox).v1.billing_portal.configurations.list().data == []


def test_an_endpoint_with_other_events_or_switched_off_is_mended(sandbox, run):  # noqa: F811
    run(sandbox.url, "--url", NOWHERE)
    [endpoint] = ours(sandbox, NOWHERE)
    client = connected_client(sandbox).v1
    client.webhook_endpoints.update(endpoint.id, {"enabled_events": ["invoice.paid", "plan.created"], "disabled": True})
    said = run(sandbox.url, "--url", NOWHERE)
    assert "drops plan.created" in said.output
    assert "switches it on" in said.output
    [mended] = ours(sandbox, NOWHERE)
    assert (mended.status, sorted(mended.enabled_events)) == ("enabled", sorted(EVENTS))
    assert "STRIPE_WEBHOOK_SECRET is not set here" in said.output


def test_an_endpoint_of_another_version_is_replaced_without_losing_a_notice(box, run):
    with box.store.transaction():
        webhook_endpoints.make(box.world(), NOWHERE, sorted(EVENTS))["api_version"] = "2024-06-20"
    box.url = box.base
    first = run(box.base, "--url", NOWHERE, secret=WEBHOOK_SECRET)
    assert "speaks 2024-06-20" in first.output
    assert re.search(r"STRIPE_WEBHOOK_SECRET=whsec_", first.output)
    assert sorted(one.api_version for one in ours(box, NOWHERE)) == ["2024-06-20", API_VERSION]
    second = run(box.base, "--url", NOWHERE, secret=WEBHOOK_SECRET)
    assert "Removed the old webhook endpoint" in second.output
    assert [one.api_version for one in ours(box, NOWHERE)] == [API_VERSION]


def test_a_restricted_key_is_told_what_it_lacks_before_anything_is_made(sandbox, run):  # noqa: F811
    sandbox.fail("GET /v1/disputes*", "403")
    said = run(sandbox.url, "--url", NOWHERE)
    assert said.exit_code == 1
    assert "lacks the permission Disputes: read" in said.output
    assert ours(sandbox, NOWHERE) == []


def test_our_own_door_that_does_not_open_is_said(sandbox, run):  # noqa: F811
    run(sandbox.url, "--url", NOWHERE)
    said = run(sandbox.url, "--url", NOWHERE, secret=WEBHOOK_SECRET)
    assert said.exit_code == 1
    assert f"{NOWHERE} does not answer" in said.output
    assert "check PUBLIC_URL" in said.output


def test_stripe_that_does_not_answer_is_said_in_one_sentence(run):
    said = run("http://127.0.0.1:9")
    assert said.exit_code == 1
    assert "Stripe gave no usable answer" in said.output
    assert "Traceback" not in said.output
