"""What the doctor says about a sick installation, and that it keeps quiet about a healthy one."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest
import requests
from click.testing import CliRunner

from membership.billing.providers.stripe.client import API_VERSION
from membership.billing.providers.stripe.notices import EVENTS
from membership.cli.doctor import doctor, examine_outside
from membership.db import db
from membership.kernel import clock
from membership.mail.models import OutboxMail
from membership.operations.examining import settings as settings_checks
from membership.operations.examining.finding import Weight
from membership.sandbox.app import create_sandbox
from membership.web import heartbeat
from membership.web.schema import _scripts
from tests.conftest import make_settings
from tests.factories.smtp import MailServer, free_port, running
from tests.operations.test_health import stamp_head

GOOD = {
    "PUBLIC_URL": "https://join.example.org",
    "SECRET_KEY": "Q5N7NVhqsIhqwy4fizUkW0WPoSCoTpMnBRjCZrNXwz4",
    "STRIPE_SECRET_KEY": "rk_live_51abcDEF",
    "STRIPE_WEBHOOK_SECRET": "whsec_9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
    "MAIL_FROM": "The Harbour Post <support@example.org>",
    "NEWSROOM_NAME": "The Harbour Post",
    "METRICS_TOKEN": "opensesame",
}


def codes(findings, weight=Weight.PROBLEM) -> set[str]:
    return {finding.code for finding in findings if finding.weight is weight}


def told(findings, code):
    return next(finding for finding in findings if finding.code == code)


# Settings alone -------------------------------------------------------------------------------------------


def test_good_settings_are_fine():
    known, findings = settings_checks.examine(GOOD)
    assert known is not None
    assert [finding.weight for finding in findings] == [Weight.FINE]


def test_every_fault_of_refused_settings_is_told_at_once():
    known, findings = settings_checks.examine({"SECRET_KEY": "short", "STRIPE_SECRET_KEY": "pk_live_1"})
    assert known is None
    told_of = {finding.what.split()[0].rstrip(":") for finding in findings}
    wanted = {"PUBLIC_URL", "SECRET_KEY", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "MAIL_FROM", "NEWSROOM_NAME"}
    assert told_of == wanted


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"SECRET_KEY": "change-me-please-change-me-please-change"}, "secret_key"),
        ({"SECRET_KEY": "a" * 40}, "secret_key"),
        ({"STRIPE_WEBHOOK_SECRET": "whsec_your_secret_here"}, "webhook_secret"),
        ({"STRIPE_SECRET_KEY": "sk_test_1", "STRIPE_API_BASE": "http://127.0.0.1:1"}, "stripe_api_base"),
        ({"PUBLIC_URL": "http://localhost:8000"}, "stripe_mode"),
        ({"RATE_LIMITS": "0"}, "rate_limits"),
    ],
)
def test_settings_that_work_and_are_dangerous_are_told(changes, code):
    known, findings = settings_checks.examine(GOOD | changes)
    assert known is not None
    assert codes(findings) == {code}


def test_a_test_key_on_a_public_site_is_worth_a_look():
    _, findings = settings_checks.examine(GOOD | {"STRIPE_SECRET_KEY": "sk_test_1"})
    assert codes(findings, Weight.NOTE) == {"stripe_mode"}


def test_no_secret_is_ever_printed():
    environ = GOOD | {"SECRET_KEY": "change-me-please-change-me-please-change"}
    _, findings = settings_checks.examine(environ)
    printed = " ".join(f"{finding.what} {finding.why} {finding.mend}" for finding in findings)
    assert not any(environ[name] in printed for name in ("SECRET_KEY", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"))


# The world around -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sandbox():
    box = create_sandbox()
    box.start()
    yield box
    box.close()


@pytest.fixture
def mail_url():
    with running(MailServer()) as url:
        yield url


@pytest.fixture
def settings(database_url, tmp_path, sandbox, mail_url):
    return make_settings(
        database_url=database_url,
        queue_path=str(tmp_path / "queue.db"),
        keys_path=str(tmp_path / "keys"),
        stripe_api_base=sandbox.public_url,
        smtp_url=mail_url,
    )


@pytest.fixture
def endpoint(sandbox):
    """Makes a webhook endpoint at the sandbox; it is gone after the test."""
    made = []

    def make(url="http://localhost/stripe/webhook", events=(), version=API_VERSION):
        fields = [("url", url), ("api_version", version), *(("enabled_events[]", name) for name in events or EVENTS)]
        answer = call("POST", "webhook_endpoints", data=fields)
        made.append(answer["id"])

    def call(method, path, **options):
        url = f"{sandbox.public_url}/v1/{path}"
        answer = requests.request(method, url, auth=("sk_test_123456789", ""), timeout=20, **options)
        answer.raise_for_status()
        return answer.json()

    yield make
    for each in made:
        call("DELETE", f"webhook_endpoints/{each}")


@pytest.fixture
def healthy(app, endpoint):
    stamp_head()
    heartbeat.beat("worker", clock.real_now())
    endpoint()


def examine(settings, **changes):
    """By default of a newsroom that says where readers can write to."""
    known = {"contact_address": "hello@example.org"} | changes
    return list(examine_outside(settings.model_copy(update=known)))


def test_nothing_is_wrong_with_a_healthy_installation(app, settings, healthy):
    findings = examine(settings)
    assert codes(findings) == set()
    assert codes(findings, Weight.NOTE) == set()
    fine = codes(findings, Weight.FINE)
    assert {"database", "migrations", "worker", "stripe_key", "webhook", "mail_server", "queue", "clock"} <= fine
    assert ("database_clock" in fine) == settings.database_url.startswith("postgresql")


def test_an_unreachable_database_is_told_and_the_rest_is_still_examined(app, settings, healthy):
    url = f"postgresql+psycopg://user:pw@127.0.0.1:{free_port()}/none"
    findings = examine(settings, database_url=url)
    assert codes(findings) == {"database"}
    assert "DATABASE_URL" in told(findings, "database").mend
    assert {"mail_server", "stripe_key"} <= codes(findings, Weight.FINE)


def test_pending_migrations_are_told(app, settings, endpoint):
    endpoint()
    assert _scripts().get_heads()
    findings = examine(settings)
    assert codes(findings) == {"migrations"}
    assert "membership db upgrade" in told(findings, "migrations").mend


def test_a_mail_server_that_is_down_is_told(app, settings, healthy):
    findings = examine(settings, smtp_url=f"smtp://127.0.0.1:{free_port()}")
    assert codes(findings) == {"mail_server"}
    assert told(findings, "mail_server").what == "The mail server cannot be reached (Connection refused)."


def test_a_worker_that_is_silent_is_told(app, settings, healthy):
    heartbeat.beat("worker", clock.real_now() - timedelta(minutes=10))
    assert codes(examine(settings)) == {"worker"}


def test_no_worker_at_all_is_told(app, settings, endpoint):
    stamp_head()
    endpoint()
    assert told(examine(settings), "worker").what == "No worker has ever run."


def test_a_missing_webhook_endpoint_is_told(app, settings, healthy):
    assert "webhook_missing" in codes(examine(settings, public_url="http://127.0.0.1:8123"))


def test_an_endpoint_that_does_not_fit_is_told(app, settings, endpoint):
    stamp_head()
    heartbeat.beat("worker", clock.real_now())
    endpoint(events=["invoice.paid"])
    assert codes(examine(settings)) == {"webhook_events"}


def test_a_webhook_secret_that_does_not_fit_is_told_once_a_notice_came(app, client, settings, healthy):
    heartbeat._written_at.clear()
    stamp = int(clock.real_now().timestamp())
    refused = client.post("/stripe/webhook", data=b"{}", headers={"Stripe-Signature": f"t={stamp},v1={'0' * 64}"})
    assert refused.status_code == 400
    finding = told(examine(settings), "webhook_wrong_signature")
    assert "STRIPE_WEBHOOK_SECRET" in finding.what
    assert "http://localhost/stripe/webhook" in finding.mend


def test_a_provider_that_does_not_answer_is_told(app, settings, healthy):
    findings = examine(settings, stripe_api_base=f"http://127.0.0.1:{free_port()}")
    assert len(codes(findings)) == 1
    assert "Stripe" in next(finding.what for finding in findings if finding.weight is Weight.PROBLEM)


def test_mails_that_failed_are_told(app, settings, healthy):
    now = clock.real_now()
    same = {"kind": "a/b", "to_address": "a@b.org", "locale": "en", "args": {}, "created_at": now, "next_try_at": now}
    db.session.add(OutboxMail(state="dead", done_at=now, **same))
    db.session.add(OutboxMail(failure="server", tried_at=now, last_error="The mail server was closed.", **same))
    db.session.commit()
    findings = examine(settings)
    assert codes(findings) == {"mail_flow"}
    assert codes(findings, Weight.NOTE) == {"mails_dead"}


def test_a_queue_that_cannot_be_written_is_worth_a_look(app, settings, healthy, tmp_path):
    (tmp_path / "file").touch()
    findings = examine(settings, queue_path=str(tmp_path / "file" / "queue.db"))
    assert codes(findings, Weight.NOTE) == {"queue"}


def test_every_trouble_says_why_it_matters_and_how_to_mend_it(app, settings):
    findings = examine(settings, smtp_url=f"smtp://127.0.0.1:{free_port()}", public_url="http://127.0.0.1:8123")
    for finding in findings:
        assert finding.what.endswith(".")
        assert finding.weight is Weight.FINE or (finding.why and finding.mend)


def test_the_command_prints_sentences_and_ends_with_one_where_something_is_wrong(monkeypatch):
    for name in [name for name in os.environ if name in GOOD or name == "DATABASE_URL"]:
        monkeypatch.delenv(name)
    result = CliRunner().invoke(doctor)
    assert result.exit_code == 1
    assert "SECRET_KEY is missing" in result.output
    assert "How to mend it:" in result.output
    assert "problems found." in result.output


def test_the_command_runs_without_any_setting():
    environ = {"PATH": os.environ["PATH"], "SECRET_KEY": "x"}
    run = subprocess.run(
        [sys.executable, "-m", "membership.cli", "doctor"],
        env=environ, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert run.returncode == 1
    assert "SECRET_KEY: must have 32 characters or more" in run.stdout
    assert "Traceback" not in run.stderr
