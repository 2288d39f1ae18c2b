"""The whole demo, started as a reader of the README starts it, and always ended again."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from membership.cli.ports import is_free
from tests.runtime.conftest import Program, own_environment

START_SECONDS = 120
STRIPE_KEY = "sk_test_journeys"


def until(answers: Callable[[], Any], seconds: float = 20, what: str = "it") -> Any:
    """What `answers()` says as soon as it says something true."""
    deadline = time.monotonic() + seconds
    while not (said := answers()):
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} seconds"
        time.sleep(0.05)
    return said


class Demo:
    """One process group: website, worker, Stripe sandbox, mail server, in a folder of its own."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder, self.data = folder, folder / "demo"
        self.site = f"http://127.0.0.1:{a_free_port()}"
        self._program = Program(
            folder,
            own_environment(**settings),
            "demo",
            "--port",
            self.site.rpartition(":")[2],
            "--data",
            str(self.data),
        )

    def wait(self) -> None:
        """Return once everything answers."""
        self._program.wait_for_word("To stop:", START_SECONDS)
        words = self._program.said.split()
        self.sandbox = next(word for word in words if word.endswith("/_sandbox")).removesuffix("/_sandbox")

    def end(self) -> None:
        """End it by its id, and whatever of its group should be left."""
        try:
            self._program.end()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self._program.process.pid, signal.SIGKILL)

    def pid_of(self, command: str) -> int:
        """The id of the process that runs `membership <command>`."""
        for pid in self._program.family():
            if command in _command_line(pid):
                return pid
        raise LookupError(command)

    @contextmanager
    def sweeping(self) -> Iterator[None]:
        """For as long as this lasts a second worker runs: it starts with all that is done every few minutes."""
        second = Program(self.folder, self.environment(), "worker")
        try:
            second.wait_for_word("The worker is ready.")
            yield
        finally:
            second.end()

    def environment(self) -> dict[str, str]:
        """The environment of its processes."""
        raw = Path(f"/proc/{self.pid_of('worker')}/environ").read_bytes().decode()
        return dict(line.split("=", 1) for line in raw.split("\0") if "=" in line)

    def check_books(self) -> str:
        """What `membership check-books` says; it must find our books and the sandbox's to be the same."""
        done = subprocess.run(
            [sys.executable, "-m", "membership.cli", "check-books"],
            env=self.environment(),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    # --- the sandbox, as a person at its control page -----------------------------------------------------------

    def ask_sandbox(self, method: str, path: str, body: object = None) -> Any:
        """The JSON that the sandbox answers."""
        request = urllib.request.Request(  # noqa: S310 - loopback
            self.sandbox + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"} | ({} if "/_sandbox" in path else _stripe_headers()),
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - loopback
            return json.load(answer)

    def advance(self, **span: int) -> None:
        """Let time pass, and wait until all that fell due was delivered."""
        self.ask_sandbox("POST", "/_sandbox/advance", span)
        until(lambda: self._n_undelivered() == 0, 60, "delivery of all events")

    def _n_undelivered(self) -> int:
        waiting: int = self.ask_sandbox("GET", "/_sandbox/events?limit=1")["waiting"]
        return waiting

    @contextmanager
    def fault(self, *calls: dict[str, Any], deliveries: dict[str, Any] | None = None) -> Iterator[None]:
        """Order faults at the sandbox for as long as this lasts."""
        self.ask_sandbox("POST", "/_sandbox/faults", {"calls": list(calls), "deliveries": deliveries})
        try:
            yield
        finally:
            self.ask_sandbox("DELETE", "/_sandbox/faults")

    def payments(self, reference: str) -> list[dict[str, Any]]:
        """What the sandbox's books say was paid under a reference of ours, oldest first."""
        books = self.ask_sandbox("GET", "/_sandbox/books")
        return [payment for payment in books["payments"] if payment["metadata"].get("reference") == reference]

    def n_payments(self) -> int:
        """How many payments stand in the sandbox's books."""
        return len(self.ask_sandbox("GET", "/_sandbox/books")["payments"])

    def payment_pages(self, email: str) -> list[dict[str, Any]]:
        """The payment pages that were ever opened for an address, newest first."""
        found: list[dict[str, Any]] = []
        more = True
        while more:
            after = f"&starting_after={found[-1]['id']}" if found else ""
            answer = self.ask_sandbox("GET", f"/v1/checkout/sessions?limit=100{after}")
            found, more = found + answer["data"], answer["has_more"]
        return [page for page in found if page["customer_email"] == email]

    # --- what only the tables know ------------------------------------------------------------------------------

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of our database."""
        connection = sqlite3.connect(self.data / "membership.db", timeout=30)
        try:
            with connection:
                return connection.execute(statement, values).fetchall()
        finally:
            connection.close()

    def state_of(self, email: str) -> list[str]:
        """The states of the contributions under an address, in the order of their start."""
        return [state for (state,) in self.rows("SELECT state FROM contributions WHERE email = ? ORDER BY id", email)]


def a_free_port() -> int:
    """A port with room for the demo's other two; below those that the kernel gives to outgoing connections."""
    ports = range(20_000 + (os.getpid() % 1_000) * 10, 32_000, 10)
    return next(port for port in ports if all(is_free("127.0.0.1", port + n) for n in range(3)))


def _command_line(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return []


def _stripe_headers() -> dict[str, str]:
    return {"Authorization": f"Bearer {STRIPE_KEY}"}
