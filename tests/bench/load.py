"""Load from wrk, bounded in time, only ever to loopback; and one request after another where time matters."""

import hashlib
import hmac
import http.client
import json
import os
import re
import statistics
import subprocess
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

CONNECTIONS = 16
THREADS = 2
LUA = Path(__file__).with_name("post_each.lua")


@dataclass(frozen=True)
class Posts:
    """What to post: `bodies(n)` makes n lines of "signature<TAB>body", none like another."""

    path: str
    content_type: str
    bodies: Callable[[int], list[str]]
    cookie: str = ""
    answer: int = 200


def get(address: str, seconds: float) -> float:
    """Requests a second for GET `address`; raises where an answer was an error."""
    return _rate(_wrk(["-d", f"{seconds}s", address], {}))


def post(site: str, posts: Posts, seconds: float, folder: Path, expected_rate: float) -> float:
    """Requests a second for `posts`, each sent once; raises where one was refused or they ran out."""
    n_bodies = int(expected_rate * seconds * 1.6) + 2000
    file = folder / f"bodies-{uuid4().hex}.txt"
    file.write_text("\n".join(posts.bodies(n_bodies)) + "\n")
    environment = {"BENCH_FILE": str(file), "BENCH_PATH": posts.path, "BENCH_TYPE": posts.content_type}
    environment |= {"BENCH_THREADS": str(THREADS)} | ({"BENCH_COOKIE": posts.cookie} if posts.cookie else {})
    try:
        output = _wrk(["-d", f"{seconds}s", "-s", str(LUA), site], environment)
    finally:
        file.unlink()
    n_sent = int(re.search(r"(\d+) requests in", output)[1])
    if n_sent > n_bodies * 0.9:
        raise RuntimeError(f"{n_sent} requests used up the {n_bodies} prepared bodies: the figure would be wrong.")
    return _rate(output)


def _wrk(arguments: list[str], environment: dict[str, str]) -> str:
    command = ["wrk", "--timeout", "30s", "-c", str(CONNECTIONS), "-t", str(THREADS), *arguments]
    return subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=True, timeout=120
    ).stdout


def _rate(output: str) -> float:
    if "Non-2xx" in output or "Socket errors" in output:
        raise RuntimeError(f"Some answers were errors:\n{output}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1])


def webhooks(secret: str, event_ids: Callable[[int], str]) -> Callable[[int], list[str]]:
    """Signed notices of a paid invoice, of the size that Stripe sends; `event_ids(i)` names the i-th."""
    lines = [{"id": f"il_{i}", "object": "line_item", "amount": 400, "metadata": {"note": "x" * 300}} for i in range(4)]
    thing = {"object": "invoice", "currency": "eur", "lines": {"object": "list", "data": lines, "has_more": False}}
    event = {"object": "event", "type": "invoice.paid", "livemode": False, "api_version": "2025-01-01.bench"}

    def bodies(n: int) -> list[str]:
        now = int(time.time())
        made = []
        for i in range(n):
            name = event_ids(i)
            data = {"object": thing | {"id": f"in_{name}"}}
            body = json.dumps(event | {"id": f"evt_{name}", "created": now, "data": data})
            mac = hmac.new(secret.encode(), f"{now}.{body}".encode(), hashlib.sha256).hexdigest()
            made.append(f"t={now},v1={mac}\t{body}")
        return made

    return bodies


def unlike(_number: int) -> str:
    """A name that was never used before."""
    return uuid4().hex


class Visitor:
    """One browser without a window: keeps its cookies and its connection."""

    def __init__(self, site: str) -> None:
        self._connection = http.client.HTTPConnection(urllib.parse.urlsplit(site).netloc, timeout=30)
        self._cookies: dict[str, str] = {}

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self._cookies.items())

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        """Status and body; takes over what cookies were set."""
        headers = {"Cookie": self.cookie} if self._cookies else {}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._connection.request(method, path, urllib.parse.urlencode(form) if form else None, headers)
        answer = self._connection.getresponse()
        for value in answer.headers.get_all("Set-Cookie", []):
            name, _, rest = value.partition("=")
            self._cookies[name] = rest.partition(";")[0]
        return answer.status, answer.read().decode()

    def form_token(self, path: str) -> str:
        """The CSRF token of the form on the page `path`."""
        _, html = self.ask("GET", path)
        field = re.search(r'<input[^>]*name="csrf_token"[^>]*>', html)
        return re.search(r'value="([^"]+)"', field[0])[1]

    def close(self) -> None:
        self._connection.close()


def median_seconds(ask: Callable[[int], object], n: int) -> float:
    """The median time of `ask(0)` … `ask(n-1)`, one after another."""
    times = []
    for number in range(n):
        began = time.perf_counter()
        ask(number)
        times.append(time.perf_counter() - began)
    return statistics.median(times)
