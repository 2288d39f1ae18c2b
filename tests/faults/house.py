"""The whole house running: web and worker as real processes that can be killed at a labelled point and started again.

Sandbox and mail server run in the test's own process and are never killed.
"""

import email
import email.policy
import json
import logging
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from sqlalchemy import text

from membership import hints
from membership.cli.ports import is_free
from membership.config import child_environment
from membership.db import db
from membership.kernel import clock
from membership.sandbox.app import create_sandbox
from tests.conftest import SECRET, WEBHOOK_SECRET, make_settings
from tests.factories.smtp import MailServer, free_port, running

START_SECONDS = 30
# After this the worker is asked to sweep, which it does by itself every 20 or 60 seconds.
PATIENCE_SECONDS = 0.2


class Nursery:
    """Starts programs; see nursery.py."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, command: list[str], environment: dict[str, str], log: Path) -> int:
        request = {"command": command, "environment": environment, "log": str(log)}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


class Program:
    """Web or worker. `orders` is the folder through which it is recorded and killed (kernel/faults.py)."""

    def __init__(self, nursery: Nursery, name: str, command: list[str], environment: dict[str, str], folder: Path):
        self.name = name
        self.orders = folder / name
        self.orders.mkdir()
        self.log = folder / f"{name}.log"
        self._nursery, self._command = nursery, command
        self._environment = environment | {"FAULT_AT": f"@{self.orders}"}
        self._group = 0
        self._is_armed = False
        self._port = int(command[-1]) if name == "web" else None

    def start(self) -> None:
        self._group = self._nursery.start(self._command, self._environment, self.log)

    def arm(self, point: str) -> None:
        """Let it die when it passes `point` (`label` or `label#n`)."""
        self._is_armed = True
        unfinished = self.orders / "die.new"
        unfinished.write_text(point)
        unfinished.rename(self.orders / "die")

    def disarm(self) -> None:
        """Take the order back."""
        self._is_armed = False
        (self.orders / "die").unlink(missing_ok=True)

    @property
    def has_died(self) -> bool:
        """Whether it passed the point. (granian outlives its process; `kill` ends all of it.)"""
        return self._is_armed and not (self.orders / "die").exists()

    def kill(self) -> None:
        """kill -9 of every process of it; returns when they are gone."""
        self._is_armed = False
        with suppress(ProcessLookupError):
            os.killpg(self._group, signal.SIGKILL)
        # Not the whole group: the dead children of a dead parent may wait a second for their burial.
        while Path(f"/proc/{self._group}").exists() or (self._port and not is_free("127.0.0.1", self._port)):
            time.sleep(0.01)

    def passed(self) -> list[str]:
        """Every passing of a point since `forget_passed`, in order."""
        place = self.orders / "passed"
        return place.read_text().split() if place.exists() else []

    def forget_passed(self) -> None:
        (self.orders / "passed").unlink(missing_ok=True)

    def last_words(self, n_lines: int = 12) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-n_lines:])


class Letters(MailServer):
    """A mail server that reads what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self._read = []

    def letters(self) -> list[tuple[str, email.message.EmailMessage]]:
        """(Address, mail) in the order of arrival, copies included."""
        for envelope in self.taken[len(self._read) :]:
            mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
            self._read.append((envelope.rcpt_tos[0], mail))
        return self._read


class House:
    """Web, worker, sandbox and mail server. The test looks into the database through an app of its own."""

    def __init__(self, nursery, settings, sandbox, mails, folder: Path) -> None:
        self.settings, self.sandbox, self.mails = settings, sandbox, mails
        self.url = settings.public_url
        environment = environment_of(settings)
        port = self.url.rpartition(":")[2]
        self.web = Program(nursery, "web", ["serve", "--port", port], environment, folder)
        self.worker = Program(nursery, "worker", ["worker"], environment, folder)
        self.programs = {"web": self.web, "worker": self.worker}
        self.n_deaths = 0
        # Whether time is made to seem to pass: leases of the dead end at once, and the worker sweeps when it is asked.
        self.pretends = True

    def start(self) -> None:
        self.web.start()
        self.worker.start()
        self.wait_for_web()

    def stop(self) -> None:
        self.web.kill()
        self.worker.kill()

    def wait_for_web(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with suppress(requests.RequestException):
                if requests.get(f"{self.url}/healthz", timeout=5).ok:
                    return
            time.sleep(0.03)
        raise AssertionError(f"The web does not come up:\n{self.web.last_words()}")

    def revive(self) -> None:
        """Start again what has died, after the time in which the leases of the dead run out."""
        for program in self.programs.values():
            if program.has_died:
                program.kill()
                self.n_deaths += 1
                if self.pretends:
                    self.end_leases()
                program.start()
                if program is self.web:
                    self.wait_for_web()
                    self.sandbox.deliverer.hurry()

    def end_leases(self) -> None:
        """As if the seconds or minutes had passed after which a dead owner's claim counts no more.

        Nobody who lives is harmed: whoever was overtaken is refused by the fence.
        """
        self._write(
            "UPDATE object_leases SET expires_at = :past WHERE expires_at > :past",
            "UPDATE provider_intents SET lease_until = :past WHERE lease_until > :past",
            "UPDATE outbox_mails SET lease_until = :past WHERE lease_until > :past",
        )

    def let_an_hour_pass(self) -> None:
        """As if everything that waits for its turn had waited long enough; the worker is asked to sweep."""
        self._write(
            "UPDATE inbox_events SET next_try_at = :past WHERE next_try_at > :past",
            "UPDATE outbox_mails SET next_try_at = :past WHERE state = 'waiting' AND next_try_at > :past",
            "UPDATE provider_intents SET sent_at = :past WHERE state IN ('new', 'sent', 'unknown') AND sent_at > :past",
        )
        self.sweep()

    def set_another_zone(self) -> None:
        """As if the days had been summed by the clock of another zone: whoever sums next does it all anew."""
        self._write("UPDATE rollup_state SET zone = 'Pacific/Apia'")

    def sweep(self) -> None:
        """Ask the worker for what its sweepers do every 20 or 60 seconds."""
        sender = hints.Sender(self.settings)
        for job in ("billing.drain", "billing.finish_open", "mail.sweep"):
            sender(job)
        sender.close()

    def _write(self, *statements: str) -> None:
        past = clock.real_now() - timedelta(hours=1)
        past = past.replace(tzinfo=None).isoformat(" ") if db.engine.dialect.name == "sqlite" else past
        with db.engine.connect().execution_options(immediate=True) as connection, connection.begin():
            for statement in statements:
                connection.execute(text(statement), {"past": past})

    def rows(self, statement: str, **values) -> list[tuple]:
        """What the database says now."""
        with db.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement), values)]

    def wait_for(self, what: str, condition, seconds: float = 40, nudge=None):
        """Wait until `condition()` is true, starting again whatever dies meanwhile; its value.

        Where that takes long, `nudge` is called (by default `sweep`), as often as it takes.
        """
        deadline = time.monotonic() + seconds
        patient_until = time.monotonic() + PATIENCE_SECONDS
        while True:
            self.revive()
            found = condition()
            if found:
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"Waited in vain for {what}. Open: {self.open_work()}")
            if self.pretends and time.monotonic() > patient_until:
                (nudge or self.sweep)()
                patient_until = time.monotonic() + PATIENCE_SECONDS
            time.sleep(0.03)

    def open_work(self) -> list[tuple]:
        """Everything that is not done: notices, requests and mails."""
        return [
            *self.rows("SELECT id, state, last_error FROM inbox_events WHERE state IN ('received', 'waiting')"),
            *self.rows("SELECT id, state, error FROM provider_intents WHERE state NOT IN ('done', 'refused')"),
            *self.rows("SELECT id, state, last_error FROM outbox_mails WHERE state IN ('waiting', 'sending')"),
        ]

    def n_deliveries(self) -> int:
        """Notices that the sandbox has not delivered yet."""
        with self.sandbox.store.transaction():
            row = self.sandbox.store.db.execute("SELECT count(*) FROM delivery WHERE state = 'waiting'").fetchone()
        return int(row[0])

    def come_to_rest(self) -> None:
        """Let all time pass that anything may wait for, until nothing is left to do."""
        self.sandbox.deliverer.hurry()
        self.wait_for("rest", lambda: not self.n_deliveries() and not self.open_work(), nudge=self.let_an_hour_pass)


def environment_of(settings) -> dict[str, str]:
    """The environment of our programs, for these settings."""
    return child_environment(
        {
            "PUBLIC_URL": settings.public_url,
            "SECRET_KEY": SECRET,
            "DATABASE_URL": settings.database_url.replace("postgresql+psycopg://", "postgresql://"),
            "QUEUE_PATH": settings.queue_path,
            "STRIPE_SECRET_KEY": settings.stripe_secret_key.get_secret_value(),
            "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "STRIPE_API_BASE": settings.stripe_api_base,
            "SMTP_URL": settings.smtp_url,
            "MAIL_FROM": settings.mail_from,
            "NEWSROOM_NAME": settings.newsroom_name,
            "RATE_LIMITS": str(settings.rate_limits),
        }
    )


# Fixtures, for the modules that import them -------------------------------------------------------------------


@pytest.fixture(scope="module")
def nursery():
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture
def mails():
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd tells every word of every conversation
    letters = Letters()
    with running(letters) as letters.url:
        yield letters
    logging.getLogger("mail.log").setLevel(logging.NOTSET)


@pytest.fixture
def web_url():
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture
def sandbox(web_url):
    """A sandbox that delivers to our web."""
    box = create_sandbox(webhooks=[(f"{web_url}/stripe/webhook", WEBHOOK_SECRET)])
    box.start()
    yield box
    box.close()


@pytest.fixture
def settings(database_url, tmp_path, sandbox, web_url, mails):
    return make_settings(
        public_url=web_url,
        database_url=database_url,
        queue_path=str(tmp_path / "queue.db"),
        stripe_api_base=sandbox.public_url,
        smtp_url=mails.url,
        rate_limits=False,
    )


@pytest.fixture
def house(nursery, app, settings, sandbox, mails, tmp_path):
    """The whole house, running; ended with the test."""
    house = House(nursery, settings, sandbox, mails, tmp_path)
    house.start()
    yield house
    house.stop()
