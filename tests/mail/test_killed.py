"""kill -9 at every labelled point of a mail's way: it is never lost, and arrives twice at most."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from membership.db import db
from membership.kernel import clock
from membership.mail import jobs, services
from membership.mail.models import OutboxMail
from tests.factories.crowd import CROWDS, N_EVERYBODY

WORKER = Path(__file__).with_name("deliver_once.py")
ONCE = [
    ("send", "mail.send:before-commit"),
    ("send", "mail.send:after-commit"),
    ("deliver", "mail.claim:before-commit"),
    ("deliver", "mail.claim:after-commit"),
    ("deliver", "mail.smtp.send:before-call"),
    ("deliver", "mail.settle:after-commit"),
]
SPREADING = [
    "mail.broadcast:before-commit",
    "mail.broadcast:after-commit",
    "mail.spread:before-commit",
    "mail.spread:after-commit",
    "mail.spread:before-commit#4",
    "mail.spread:after-commit#4",
    "mail.spread:before-commit#11",  # the end of the longer source
]
TWICE = [("deliver", "mail.smtp.send:after-call"), ("deliver", "mail.settle:before-commit")]


@pytest.fixture
def killed(app, server):
    """Runs a worker process that dies at a point."""

    def run(what: str, fault_at: str) -> None:
        known = app.extensions["membership.settings"]
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path.cwd()),
            "FAULT_AT": fault_at,
            "PUBLIC_URL": known.public_url,
            "SECRET_KEY": known.secret_key.get_secret_value(),
            "DATABASE_URL": known.database_url.replace("postgresql+psycopg://", "postgresql://"),
            "QUEUE_PATH": known.queue_path,
            "STRIPE_SECRET_KEY": known.stripe_secret_key.get_secret_value(),
            "STRIPE_WEBHOOK_SECRET": known.stripe_webhook_secret[0].get_secret_value(),
            "SMTP_URL": known.smtp_url,
            "MAIL_FROM": known.mail_from,
            "NEWSROOM_NAME": known.newsroom_name,
        }
        died = subprocess.run([sys.executable, str(WORKER), what], env=environ, timeout=60, check=False)
        assert died.returncode == -signal.SIGKILL
        db.session.rollback()

    return run


def post(kind) -> None:
    services.send(kind, "olena@example.org", "en", {"note_id": 1}, once_key="note:1")


def end_leases() -> None:
    """As if the three minutes of a lease were over."""
    db.session.execute(db.update(OutboxMail).values(lease_until=clock.real_now() - timedelta(seconds=1)))
    db.session.commit()


@pytest.mark.parametrize(("what", "point"), ONCE + TWICE)
def test_a_killed_process_loses_no_mail(note_mail, killed, server, what, point):
    if what == "deliver":
        post(note_mail)
    killed(what, point)
    end_leases()
    post(note_mail)  # a caller that died tries again; the once-key keeps it one mail
    for _ in range(2):
        jobs.sweep(clock.now())
    assert len(server.taken) == (2 if (what, point) in TWICE else 1)
    assert len({envelope.content.split(b"Message-ID: ")[1].split(b"\r\n")[0] for envelope in server.taken}) == 1
    db.session.rollback()
    assert [row.state for row in db.session.query(OutboxMail)] == ["sent"]


def test_a_dead_owners_lease_is_kept_until_it_runs_out(note_mail, killed, server):
    post(note_mail)
    killed("deliver", "mail.claim:after-commit")
    jobs.sweep(clock.now())
    assert server.taken == []


@pytest.mark.parametrize("point", SPREADING)
def test_a_worker_killed_while_it_tells_many_repeats_nothing_and_skips_nobody(
    app, note_mail, killed, monkeypatch, point
):
    monkeypatch.setitem(app.extensions, "membership.audiences", CROWDS)
    killed("spread", point)
    services.broadcast("tests.two", note_mail, {"note_id": 1}, "news:1")  # a caller that died tries again
    jobs.spread(clock.now())
    told = sorted(row.args["person_id"] for row in db.session.query(OutboxMail))
    assert told == [*range(1, N_EVERYBODY + 1), 24, 27]
