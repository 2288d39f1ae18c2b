"""The web server: where it listens, how it ends."""

import json
import signal
import socket
import sqlite3
import time
import urllib.request
from contextlib import closing

import pytest

from tests.factories.counts import APPEAL, a_body
from tests.runtime.conftest import free_port, good_settings


def wait_until_it_answers(program, port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
                return
        except OSError:
            assert program.process.poll() is None, program.said
            assert time.monotonic() < deadline, program.said
            time.sleep(0.1)


@pytest.fixture
def serve(start, tmp_path):
    """Starts a site with so many web processes; one of them answers when it comes back."""

    def _serve(n_workers: int):
        port = free_port()
        environment = good_settings(tmp_path, PUBLIC_URL=f"http://127.0.0.1:{port}")
        program = start(environment, "serve", "--port", str(port), "--workers", str(n_workers))
        wait_until_it_answers(program, port)
        return program

    return _serve


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_the_server_ends_cleanly_and_leaves_nothing_behind(serve, signum):
    site = serve(1)
    assert site.end(signum) == 0
    assert site.family() == set()


def test_web_processes_end_when_the_one_that_started_them_is_killed(serve):
    site = serve(2)
    assert len(site.family()) == 3
    site.end(signal.SIGKILL)
    deadline = time.monotonic() + 15
    while site.family():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def told(port: int) -> int:
    """Tell of one view, by a connection of its own, so that any of the web processes takes it; the status."""
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}/embed/events",
        json.dumps(a_body()).encode(),
        {"Content-Type": "text/plain", "User-Agent": "Mozilla/5.0 (X11)"},
    )
    with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310 - our own loopback address
        return answer.status


def test_web_processes_count_what_they_hold_before_they_end(start, run, tmp_path):
    port = free_port()
    environment = good_settings(tmp_path, PUBLIC_URL=f"http://127.0.0.1:{port}")
    assert run(environment, "db", "upgrade").returncode == 0
    with closing(sqlite3.connect(tmp_path / "test.db")) as books, books:
        books.execute(
            "INSERT INTO appeals (public_id, name, state, state_at, starts_at, priority, sections, tags, not_tags,"
            " countries, on_sensitive, cap_views, cap_days, days_between, holdout_percent, created_at, version) VALUES"
            " (?, 'Foot', 'running', :at, :at, 5, '[]', '[]', '[]', '[]', 0, 4, 30, 1, 10, :at, 1)".replace(
                ":at", "'2026-11-18 12:20:00.000000'"
            ),
            (APPEAL,),
        )
        books.execute("INSERT INTO appeal_variants (appeal_id, key, weight, texts) VALUES (1, 'a', 1, '{}')")
    site = start(environment, "serve", "--port", str(port), "--workers", "2")
    wait_until_it_answers(site, port)
    assert [told(port) for _ in range(12)] == [204] * 12
    assert site.end() == 0
    with closing(sqlite3.connect(tmp_path / "test.db")) as books:
        assert books.execute("SELECT sum(n) FROM appeal_counts").fetchone() == (12,)
        assert books.execute("SELECT count(*) FROM appeal_batches").fetchone() == (12,)


def test_a_taken_port_is_one_sentence(run, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        answer = run(good_settings(tmp_path), "serve", "--port", str(port))
    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert f"Port {port}" in answer.stderr
