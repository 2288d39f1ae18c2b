"""The worker finds its work in the database; a hint only makes it quick (ADR 0005)."""

import logging
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from membership import hints
from membership.cli.worker import Worker
from membership.db import hint
from membership.wiring import Job
from tests.runtime.conftest import good_settings

# A worker with one job: it takes numbers from a folder "todo", dies of its first one, and writes them to "done".
# The folder stands for the tables: what is in it survives the worker, as rows do.
DYING_WORKER = textwrap.dedent(
    """
    import os, pathlib, signal, sys, threading
    from membership.app import create_app
    from membership.cli.worker import Worker
    from membership.config import Settings
    from membership.wiring import Job

    todo, done, dies = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3] == "dies"

    def drain(now, *names):
        for task in sorted(todo.iterdir()):
            if dies:
                os.kill(os.getpid(), signal.SIGKILL)
            task.rename(done / task.name)

    settings = Settings.from_env()
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    Worker(create_app(settings), settings, jobs={"drain": Job(drain, 3600)}).work_until(stopping)
    """
)


def start_worker(tmp_path: Path, mode: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", DYING_WORKER, str(tmp_path / "todo"), str(tmp_path / "done"), mode],
        env=good_settings(tmp_path),
    )


def test_what_a_killed_worker_left_is_done_by_the_next_one(tmp_path):
    (tmp_path / "todo").mkdir()
    (tmp_path / "done").mkdir()
    for number in range(20):
        (tmp_path / "todo" / f"{number:02}").touch()
    assert start_worker(tmp_path, "dies").wait(30) == -signal.SIGKILL
    worker = start_worker(tmp_path, "lives")
    try:
        deadline = time.monotonic() + 30
        while len(list((tmp_path / "done").iterdir())) < 20:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        worker.terminate()
        assert worker.wait(30) == 0
    finally:
        worker.kill()
        worker.wait()


@pytest.fixture
def at_work(app, settings):
    """Starts workers on threads of this process; ends them."""
    stopping, threads = threading.Event(), []

    def _start(jobs, *, periodic=False, grace_seconds=20):
        worker = Worker(app, settings, periodic=periodic, jobs=jobs)
        threads.append(threading.Thread(target=worker.work_until, args=(stopping, grace_seconds)))
        threads[-1].start()
        return stopping, threads[-1]

    yield _start
    stopping.set()
    for thread in threads:
        thread.join(30)


def test_a_hint_reaches_its_job_with_its_arguments(at_work, app):
    heard, happened = [], threading.Event()

    def listen(now, *args):
        heard.append((now.tzinfo is not None, args))
        happened.set()

    at_work({"ears.listen": Job(listen)})
    hint("ears.listen", 7, "seven")
    assert happened.wait(10)
    assert heard == [(True, (7, "seven"))]


def test_an_error_in_a_job_is_logged_and_stops_nothing(at_work, app, caplog):
    happened = threading.Event()
    at_work({"bad": Job(lambda now: 1 / 0), "good": Job(lambda now: happened.set())})
    with caplog.at_level(logging.ERROR):
        hint("bad")
        hint("unheard-of")
        for _ in range(4):
            hint("bad")
        hint("good")
        assert happened.wait(10)
        deadline = time.monotonic() + 10
        while sorted(record.message for record in caplog.records) != ["job_failed"] * 5 + ["job_unknown"]:
            assert time.monotonic() < deadline, caplog.text
            time.sleep(0.01)


def test_a_slow_sweeper_holds_up_no_other(at_work):
    slow, ticks = threading.Event(), []
    at_work(
        {"slow": Job(lambda now: slow.wait(20), 3600), "quick": Job(ticks.append, 0.05)},
        periodic=True,
    )
    deadline = time.monotonic() + 10
    while len(ticks) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    slow.set()


def test_a_sweeper_that_left_more_to_do_comes_again_at_once(at_work):
    rounds, over = [], threading.Event()

    def work(now):
        rounds.append(now)
        if len(rounds) == 3:
            over.set()
        return len(rounds) < 3

    at_work({"work": Job(work, 3600)}, periodic=True)
    assert over.wait(10)
    time.sleep(0.2)
    assert len(rounds) == 3


def test_a_running_job_is_given_time_to_end(at_work):
    began, ended = threading.Event(), threading.Event()

    def work(now):
        began.set()
        time.sleep(0.5)
        ended.set()

    stopping, thread = at_work({"work": Job(work, 3600)}, periodic=True)
    assert began.wait(10)
    stopping.set()
    thread.join(10)
    assert ended.is_set()


def test_a_queue_that_cannot_be_opened_never_fails_the_request(app, settings, tmp_path, caplog):
    (tmp_path / "queue.db").mkdir()
    hint("mail.deliver", 1)
    assert "hint_lost" in [record.message for record in caplog.records]


def test_the_queue_holds_json_and_nothing_that_could_run(app, settings):
    hint("mail.deliver", 1)
    queue, _ = hints.open_queue(settings)
    assert [item[:1] for item in queue.storage.enqueued_items()] == [b"["]
    queue.storage.close()
