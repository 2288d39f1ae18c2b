"""How the sandbox's cost of a renewal grows with the number of subscriptions: it should not.

A sandbox of its own is given people who pay each month, its clock is moved on by a month, and what counts is the time
until every event of that month was delivered, its signature checked.
"""

import http.client
import http.server
import json
import re
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from stripe import WebhookSignature

from membership.config import child_environment
from tests.bench.programs import HOST, WEBHOOK_SECRET

STEP_SECONDS = 600
HEADERS = {"Authorization": "Bearer sk_test_bench", "Content-Type": "application/x-www-form-urlencoded"}
PRICE = {"currency": "eur", "unit_amount": 400, "recurring[interval]": "month", "product_data[name]": "Coffee"}


@dataclass(frozen=True)
class Month:
    """What one month of so many subscriptions took: seconds, events, and the program's memory afterwards."""

    subscriptions: int
    advance_seconds: float
    delivered_seconds: float
    events: int
    megabytes: float

    @property
    def per_second(self) -> float:
        """Subscriptions renewed, with all their events delivered, a second."""
        return self.subscriptions / self.delivered_seconds

    @property
    def sentence(self) -> str:
        """The same for people."""
        return (
            f"Sandbox, a month of {self.subscriptions:,} subscriptions: {self.advance_seconds:.1f} s until the clock "
            f"stood, {self.delivered_seconds:.1f} s until {self.events:,} signed events were delivered "
            f"({self.delivered_seconds / self.subscriptions * 1000:.2f} ms each); {self.megabytes:.0f} MB at most."
        )


def month_of(n: int, folder: Path) -> Month:
    """Move a sandbox with `n` monthly subscriptions on by one month."""
    with _receiver() as counter, _sandbox(folder, f"http://{HOST}:{counter.port}/hook") as (pid, address):
        line = http.client.HTTPConnection(address, timeout=STEP_SECONDS)
        _found(line, n)
        _settle(line, counter)
        before, began = counter.n_events, time.perf_counter()
        _ask(line, "POST", "/_sandbox/advance", json.dumps({"months": 1, "seconds": 60}))
        advanced = time.perf_counter() - began
        _settle(line, counter)
        took, megabytes = time.perf_counter() - began, _megabytes(pid)
        _check(line, n, counter)
        return Month(n, advanced, took, counter.n_events - before, megabytes)


def _found(line: http.client.HTTPConnection, n: int) -> None:
    """`n` people who have just begun to pay each month, each of them made over the API."""
    price = _ask(line, "POST", "/v1/prices", urlencode(PRICE))["id"]
    for _ in range(n):
        customer = {"customer": _ask(line, "POST", "/v1/customers")["id"]}
        card = _ask(line, "POST", "/v1/payment_methods/pm_card_visa/attach", urlencode(customer))["id"]
        items = {"items[0][price]": price, "default_payment_method": card}
        _ask(line, "POST", "/v1/subscriptions", urlencode(customer | items))


def _ask(line: http.client.HTTPConnection, method: str, path: str, body: str | None = None) -> dict:
    line.request(method, path, body, HEADERS)
    answer = line.getresponse()
    found = json.loads(answer.read())
    if answer.status != 200:
        raise RuntimeError(f"{method} {path} was answered with {answer.status}: {found}")
    return found


def _settle(line: http.client.HTTPConnection, counter: "Counter") -> None:
    """Wait until nothing waits to be delivered any more."""
    deadline, seen = time.monotonic() + STEP_SECONDS, -1
    while _ask(line, "GET", "/_sandbox/events?limit=1")["waiting"]:
        if time.monotonic() > deadline:
            raise RuntimeError(f"Events still wait after {STEP_SECONDS} s; {counter.n_events} have come.")
        time.sleep(0.05 if counter.n_events == seen else 0.2)
        seen = counter.n_events


def _check(line: http.client.HTTPConnection, n: int, counter: "Counter") -> None:
    """Everybody paid twice, nothing failed, every signature was right."""
    books = _ask(line, "GET", "/_sandbox/books")
    health = _ask(line, "GET", "/_sandbox/health")
    wrong = {
        "renewals are missing": len(books["payments"]) != 2 * n,
        "the books do not add up": books["totals"]["eur"]["charges"] != 2 * n * 400,
        "tasks failed": health["failed_tasks"],
        "signatures were wrong": counter.n_refused,
        "events came twice": counter.n_events != len(counter.ids),
    }
    for problem, is_so in wrong.items():
        if is_so:
            raise RuntimeError(f"After a month of {n} subscriptions {problem}.")


class Counter(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Takes events, checks their signatures, and counts."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((HOST, 0), Taker)
        self.port = self.server_address[1]
        self.n_events = self.n_refused = 0
        self.ids: set[str] = set()


class Taker(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Counter

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        try:
            WebhookSignature.verify_header(body, self.headers["Stripe-Signature"], WEBHOOK_SECRET, 300)
        except ValueError:
            self.server.n_refused += 1
        self.server.n_events += 1
        self.server.ids.add(re.search(r"evt_\w+", body)[0])
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@contextmanager
def _receiver() -> Iterator[Counter]:
    counter = Counter()
    threading.Thread(target=counter.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield counter
    finally:
        counter.shutdown()
        counter.server_close()


@contextmanager
def _sandbox(folder: Path, webhook: str) -> Iterator[tuple[int, str]]:
    """A sandbox as a program of its own: its process and its host with port."""
    command = [sys.executable, "-m", "membership.sandbox", "--port", "0"]
    command += ["--webhook", webhook, "--webhook-secret", WEBHOOK_SECRET]
    with (folder / "sandbox.log").open("w") as log:
        program = subprocess.Popen(command, env=child_environment({}), stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        address = re.search(r"http://\S+", program.stdout.readline())[0]
        yield program.pid, urlsplit(address).netloc
    finally:
        program.terminate()
        program.wait(30)


def _megabytes(pid: int) -> float:
    """The most memory that the process ever held (VmHWM)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


if __name__ == "__main__":
    for size in map(int, sys.argv[1:] or ["1000", "10000"]):
        print(month_of(size, Path(tempfile.gettempdir())).sentence)
