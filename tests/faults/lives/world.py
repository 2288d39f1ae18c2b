"""Our program and the sandbox in one process: notices pumped by hand, workers that die or dawdle, time that obeys."""

import contextvars
import gc
import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace

import requests
from sqlalchemy import create_engine, text, update

from membership.accounts import services as accounts
from membership.accounts.rules import Role
from membership.app import create_app
from membership.billing.providers.stripe.notices import EVENTS
from membership.db import db
from membership.kernel import clock, faults
from membership.kernel.errors import ProviderFailed
from membership.mail.models import SENT, WAITING, OutboxMail
from membership.sandbox.app import create_sandbox
from membership.sandbox.control import actions, dashboard
from membership.sandbox.kinds import KINDS
from membership.sandbox.protocol.errors import ApiError
from membership.sandbox.settings import Settings
from membership.wiring import JOBS
from tests.billing.conftest import sign
from tests.conftest import make_settings
from tests.faults.lives import wire
from tests.faults.lives.hours import BEGINNING, Hours

SWEEPERS = (
    "billing.drain", "billing.finish_open", "contributions.abandon_overdue", "contributions.look_after_pending",
    "contributions.flag_seconds", "contributions.send_refunds", "contributions.stop_due",
    "contributions.try_new_cards", "accounts.erase", "contributions.forget_late", "gifts.send_due", "gifts.remind",
    "transfers.book_certain", "transfers.lapse", "transfers.remind", "dashboard.roll",
)  # fmt: skip
# What these work on; they have nothing to do while that table is empty, and most histories leave it so.
WORK_ON = {
    "accounts.erase": "erasures", "contributions.forget_late": "erasures", "gifts.send_due": "gifts",
    "gifts.remind": "gifts", "transfers.book_certain": "statement_lines", "transfers.lapse": "transfer_declarations",
    "transfers.remind": "transfer_declarations",
}  # fmt: skip
DESK = "desk@example.org"
"""Who works here."""
MOST_ROUNDS = 60


class Killed(BaseException):
    """The process ends here, as by kill -9: nothing below the edge of the model may catch it."""


class World:
    """One newsroom and one Stripe. `begin` forgets everything; a history then happens by the other methods."""

    def __init__(self, monkeypatch, home: "SqliteHome | PostgresHome") -> None:
        self.home = home
        self._dies_in: int | None = None
        self._interruption = None
        self.hours = Hours()
        self.hours.govern(monkeypatch)
        monkeypatch.setattr(faults, "point", self._pass_point)
        ways = Settings().payment_methods
        self.sandbox = create_sandbox(settings=Settings(payment_methods=(*ways, "sepa_debit")))
        self.sandbox.public_url = wire.ADDRESS
        self.wire = wire.lay(monkeypatch, self.sandbox)
        self.app = create_app(home.settings())
        self._be_still()
        logging.disable(logging.CRITICAL)
        self._context = self.app.app_context()
        self._context.push()
        home.make_template(_appoint_the_desk)
        self.client = self.app.test_client()
        gc.freeze()  # what was imported stays, and need not be looked through again and again

    def _be_still(self) -> None:
        """Hints are noted, not sent: a lost hint is part of life, and the workers here come when the story says so."""
        self.hints = []
        self.app.extensions["membership.hints"] = lambda job, *args: self.hints.append((job, args))
        self.app.extensions["membership.billing.debounce"] = _Still()

    def close(self) -> None:
        gc.unfreeze()
        db.session.remove()
        db.engine.dispose()
        self._context.pop()
        self.sandbox.close()
        self.home.close()
        logging.disable(logging.NOTSET)

    # A new history --------------------------------------------------------------------------------------------

    def begin(self) -> None:
        db.session.remove()
        db.engine.dispose()
        self.home.empty()
        self.sandbox.reset()
        self.hours.begin_again()
        self.pending, self.lost, self.given = [], [], []
        self._n_seen = 0
        self._dies_in = self._interruption = None
        self.hints.clear()
        self.deaths = []

    # Time -----------------------------------------------------------------------------------------------------

    def advance(self, **span) -> None:
        """Let time pass on both sides; the sandbox does at its second what falls due."""
        target = self.hours.at + timedelta(**span)
        self.sandbox.timekeeper.move_to(int(target.timestamp()))
        # The mover shifts the sandbox's offset; here both sides have one clock.
        self.sandbox.clock.offset = 0
        self.hours.at = target
        self.look_for_events()

    def stripe(self) -> "World":
        """Let the sandbox do what is due now, and collect what it has to tell."""
        self.advance(seconds=1)
        return self

    # Notices --------------------------------------------------------------------------------------------------

    def look_for_events(self) -> None:
        store = self.sandbox.store
        with store.transaction():
            texts = store.texts(KINDS["event"], {}, oldest_first=True, conditions=[("seq > ?", self._n_seen)])
            row = store.db.execute(f"SELECT max(seq) FROM {KINDS['event'].table}").fetchone()  # noqa: S608 - our own name
        self._n_seen = row[0] or self._n_seen
        self.pending += [event for event in map(json.loads, texts) if event["type"] in EVENTS]

    def deliver(self, event: dict) -> None:
        """One signed notice, as Stripe sends it; it counts as delivered once we said 200."""
        raw = json.dumps(event).encode()
        headers = {"Stripe-Signature": sign(raw, at=self.hours.at.timestamp()), "Content-Type": "application/json"}
        status = self.request("POST", "/stripe/webhook", data=raw, headers=headers).status_code
        assert status == 200, status
        self.given.append(event["id"])

    def request(self, method: str, path: str, **sent):
        """Ask our web, in a context of its own, as in life."""
        answer = contextvars.Context().run(self.client.open, path, method=method, **sent)
        db.session.rollback()
        return answer

    # Workers --------------------------------------------------------------------------------------------------

    def work(self, *jobs: str) -> None:
        """Let a worker do these jobs, in a context of its own."""

        def run():
            with self.app.app_context():
                for job in jobs:
                    if self._has_work(job):
                        JOBS[job].function(clock.now())

        contextvars.Context().run(run)
        db.session.rollback()

    def _has_work(self, job: str) -> bool:
        table = WORK_ON.get(job)
        return table is None or bool(self.rows(f"SELECT 1 FROM {table} LIMIT 1"))  # noqa: S608 - our own names

    def let_post_leave(self) -> None:
        """The mail server takes whatever waits (tests/mail has the way there): addresses then stand in done mails."""
        with db.engine.begin() as connection:
            connection.execute(
                update(OutboxMail).where(OutboxMail.state == WAITING).values(state=SENT, done_at=clock.now())
            )

    def ask_us(self, deed):
        """Let a request of somebody's do `deed`, in a context of its own; what it gives back."""

        def run():
            with self.app.test_request_context():
                return deed()

        try:
            return contextvars.Context().run(run)
        finally:
            db.session.rollback()

    @contextmanager
    def mortal(self, dies_at: int | None) -> Iterator[SimpleNamespace]:
        """Whoever works in the block dies at the `dies_at`-th labelled point that it passes (None: lives on)."""
        self._dies_in = dies_at
        fate = SimpleNamespace(has_died=False)
        try:
            yield fate
        except Killed as death:
            fate.has_died = True
            self.deaths.append(str(death))
            db.session.remove()
        finally:
            self._dies_in = None

    @contextmanager
    def dawdling(self, label: str, nth: int, meanwhile) -> Iterator[None]:
        """Whoever works in the block stands still when it has passed `label` `nth` times, while `meanwhile` happens."""
        self._interruption = [label, nth, meanwhile]
        try:
            yield
        finally:
            self._interruption = None

    def _pass_point(self, label: str) -> None:
        if self._dies_in is not None:
            self._dies_in -= 1
            if self._dies_in < 0:
                self._dies_in = None
                raise Killed(label)
        if self._interruption and self._interruption[0] == label:
            self._interruption[1] -= 1
            if self._interruption[1] < 0:
                meanwhile, self._interruption = self._interruption[2], None
                contextvars.Context().run(meanwhile)

    # Stripe's side --------------------------------------------------------------------------------------------

    def act(self, action: str, **wanted) -> dict | None:
        """What somebody does in Stripe's Dashboard; None where Stripe refuses it."""
        try:
            return dashboard.ACTIONS[action](self.sandbox, wanted)
        except ApiError:
            return None
        finally:
            self.stripe()

    def call_stripe(self, path: str, data: dict) -> int:
        """Somebody else's call of Stripe's API, which nothing disturbs; the status of the answer."""
        ordered, self.sandbox.faults.calls = self.sandbox.faults.calls, []
        answer = requests.post(f"{wire.ADDRESS}{path}", data=data, auth=("sk_test_123456789", ""), timeout=20)
        self.sandbox.faults.calls = ordered
        self.stripe()
        return answer.status_code

    def at_stripe(self, kind: str, **where) -> list[dict]:
        """Objects of the sandbox, oldest first, as they are now."""
        store = self.sandbox.store
        with store.transaction():
            return [json.loads(found) for found in store.texts(KINDS[kind], where, oldest_first=True)]

    def is_at_stripe(self, kind: str) -> bool:
        """Whether there is one object of this kind at least."""
        return self.sandbox.store.db.execute(f"SELECT 1 FROM {KINDS[kind].table} LIMIT 1").fetchone() is not None  # noqa: S608 - our own name

    def order(self, match: str, do: str, times: int = 1) -> None:
        actions.order_faults(self.sandbox, {"calls": [{"match": match, "do": do, "times": times, "seconds": 0}]})

    # Rest -----------------------------------------------------------------------------------------------------

    def rows(self, statement: str, **values) -> list[tuple]:
        with db.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(_read(statement), values)]

    def open_work(self) -> list[tuple]:
        return [
            *self.rows("SELECT type, object_id, last_error FROM inbox_events WHERE state IN ('received', 'waiting')"),
            *self.rows("SELECT kind, state, error FROM provider_intents WHERE state NOT IN ('done', 'refused')"),
            *self.rows("SELECT payment_id, state, error FROM refunds WHERE state IN ('asked', 'sent')"),
            *self.rows("SELECT reference, state FROM contributions WHERE stop_asked_at IS NOT NULL"),
            *self.rows("SELECT person_id, left_at, emptied_at FROM erasures WHERE done_at IS NULL"),
        ]

    def _is_on_its_way(self) -> bool:
        """Whether money moves that Stripe has not settled yet: a refund on its way, a debit that takes days."""
        return any(refund["status"] == "pending" for refund in self.at_stripe("refund")) or any(
            intent["status"] == "processing" for intent in self.at_stripe("payment_intent")
        )

    def come_to_rest(self) -> None:
        """Nothing fails any more, Stripe delivers what it kept back, and the workers sweep until nothing is left."""
        self.sandbox.faults.clear()
        for _ in range(MOST_ROUNDS):
            self.stripe()
            waiting, self.pending, self.lost = [*self.lost, *self.pending], [], []
            for event in waiting:
                self.deliver(event)
            try:
                self.work(*SWEEPERS)
            except ProviderFailed as failed:  # no worker of ours lets it through
                raise AssertionError(f"A sweeper failed: {failed.message}") from failed
            self.stripe()
            if self._is_on_its_way():
                self.advance(hours=25)
            elif self.pending or self.open_work():
                self.advance(minutes=40)
            else:
                return
        raise AssertionError(f"It does not come to rest. Open: {self.open_work()}")


_read = lru_cache(text)


def _appoint_the_desk() -> None:
    accounts.appoint(DESK, Role.FINANCE, "The desk", "en", BEGINNING)


class _Still:
    """Says nothing to nobody: the drains of the model come by themselves."""

    def ask(self, app) -> None:
        """A notice was stored."""


class SqliteHome:
    """A database in memory's file system, emptied by laying a copy of the empty one in its place."""

    def __init__(self, folder: Path) -> None:
        # Keys of polls lie with this test alone: whoever sweeps destroys those that no poll of its database has.
        self._own_folder = folder
        self._folder = Path(os.environ.get("XDG_RUNTIME_DIR", "/dev/shm"))  # noqa: S108 - a file of this test alone
        self._folder = Path("/dev/shm") if Path("/dev/shm").is_dir() else folder  # noqa: S108 - the same
        self._path = self._folder / f"lives-{os.getpid()}.db"
        self._template = self._folder / f"lives-{os.getpid()}-empty.db"

    def settings(self):
        return _settings(f"sqlite:///{self._path}", self._own_folder)

    def make_template(self, fill) -> None:
        self._forget(self._path)
        db.create_all()
        fill()
        db.session.remove()
        db.engine.dispose()
        shutil.copyfile(self._path, self._template)

    def empty(self) -> None:
        self._forget(self._path)
        shutil.copyfile(self._template, self._path)

    def close(self) -> None:
        self._forget(self._path)
        self._forget(self._template)

    @staticmethod
    def _forget(path: Path) -> None:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)


class PostgresHome:
    """A database of a real server, made anew from a template for each history."""

    def __init__(self, folder: Path, server: str) -> None:
        self._folder = folder
        self._admin = create_engine(
            server.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT"
        )
        self._name = f"lives{os.getpid()}"
        self._run(f"DROP DATABASE IF EXISTS {self._name} WITH (FORCE)", f"CREATE DATABASE {self._name}")

    def settings(self):
        url = self._admin.url.set(database=self._name).render_as_string(hide_password=False)
        return _settings(url, self._folder)

    def make_template(self, fill) -> None:
        db.create_all()
        fill()
        db.session.remove()
        db.engine.dispose()
        self._run(f"CREATE DATABASE {self._name}_empty TEMPLATE {self._name}")

    def empty(self) -> None:
        self._run(
            f"DROP DATABASE {self._name} WITH (FORCE)", f"CREATE DATABASE {self._name} TEMPLATE {self._name}_empty"
        )

    def close(self) -> None:
        self._run(f"DROP DATABASE {self._name} WITH (FORCE)", f"DROP DATABASE {self._name}_empty WITH (FORCE)")
        self._admin.dispose()

    def _run(self, *statements: str) -> None:
        with self._admin.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))


def _settings(database_url: str, folder: Path):
    return make_settings(
        database_url=database_url,
        queue_path=str(folder / "queue.db"),
        keys_path=str(folder / "keys"),
        stripe_api_base=wire.ADDRESS,
        stripe_calls_per_second=100_000,
        stripe_calls_per_endpoint=100_000,
        rate_limits=False,
    )
