"""Batches are collected and counted once each: by whoever, at the same time, with a database that comes and goes."""

import random
import subprocess
import sys
import textwrap
import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from membership import wiring
from membership.app import create_app
from membership.appeals import jobs_counts
from membership.appeals import queries_counts as queries
from membership.appeals.counts import AppealBatch, AppealCount
from membership.appeals.rules import State
from membership.appeals.services import collecting, counting
from membership.appeals.services.collecting import Collector
from membership.db import db
from membership.kernel import clock
from tests.conftest import make_settings
from tests.factories.appeals import make_appeal, make_appeal_at, make_variant
from tests.factories.counts import APPEAL, KEY, NOON, OTHER_APPEAL, a_name, received

pytestmark = pytest.mark.usefixtures("known_appeals")

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def rows() -> dict[tuple, int]:
    db.session.rollback()
    found = db.session.scalars(select(AppealCount)).all()
    return {(row.starts_at, row.n_hours, row.article_key, row.appeal, row.variant, row.event): row.n for row in found}


def total() -> int:
    db.session.rollback()
    return int(db.session.scalar(select(func.sum(AppealCount.n))) or 0)


# Counting ----------------------------------------------------------------------------------------------


def test_events_are_counted_by_hour_article_appeal_and_variant(app):
    counting.count(
        [
            received(("view", "a", 1), ("view", "a", 10), ("click", "a", 1)),
            received(("view", "a", 1), ("withheld", "-", 3)),
            received(("view", "b", 1), article_key=""),
            received(appeal=OTHER_APPEAL, at=NOON + HOUR),
        ]
    )
    hour = NOON.replace(minute=0)
    assert rows() == {
        (hour, 1, KEY, APPEAL, "a", "view"): 12,
        (hour, 1, KEY, APPEAL, "a", "click"): 1,
        (hour, 1, KEY, APPEAL, "-", "withheld"): 3,
        (hour, 1, "", APPEAL, "b", "view"): 1,
        (hour + HOUR, 1, KEY, OTHER_APPEAL, "a", "view"): 1,
    }
    counting.count([received()])
    assert rows()[hour, 1, KEY, APPEAL, "a", "view"] == 13
    assert queries.totals_of(APPEAL) == {("a", "view"): 13, ("a", "click"): 1, ("-", "withheld"): 3, ("b", "view"): 1}


def test_the_same_batch_counts_once_within_a_turn_and_across_turns(app):
    batch = received(batch=a_name())
    assert counting.count([batch, batch]) == 1
    assert counting.count([batch, received()]) == 1
    assert counting.count([batch]) == 0
    assert total() == 2


def test_more_than_fit_into_one_statement_are_counted(app, monkeypatch):
    monkeypatch.setattr(counting, "MOST_ARTICLES", 1000)
    batches = [received(article_key=f"harbourpost.example/{number % 700}") for number in range(1300)]
    assert counting.count(batches) == 1300
    assert total() == 1300
    assert len(rows()) == 700


def test_articles_beyond_the_most_of_an_hour_are_counted_without_their_names(app, monkeypatch):
    monkeypatch.setattr(counting, "MOST_ARTICLES", 3)
    counting.count([received(article_key=f"a/{number}") for number in range(2)])
    counting.count([received(article_key=f"a/{number}") for number in range(1, 6)])
    assert {key[2]: n for key, n in rows().items()} == {"a/0": 1, "a/1": 2, "a/2": 1, "": 3}
    counting.count([received(article_key="a/5", at=NOON + HOUR)])
    assert len(rows()) == 5


def test_many_who_bring_the_same_batches_at_once_count_each_once(app):
    batches = [received(("view", "a", 1), ("click", "b", 2)) for _ in range(60)]
    luck, faults = random.Random(5), []  # noqa: S311 - an order
    ready = threading.Barrier(4)

    def bring(mine):
        try:
            with app.app_context():
                ready.wait()
                for at in range(0, 60, 15):
                    counting.count(mine[at : at + 15])
        except Exception as error:  # noqa: BLE001 - shown below
            faults.append(error)

    threads = [threading.Thread(target=bring, args=(luck.sample(batches, 60),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert total() == 180


# Collecting --------------------------------------------------------------------------------------------


class Watch:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def collector(app, watch):
    collector = Collector(app, watch)
    yield collector
    collector._held.clear()
    collector.end()


class Refusal:
    """A database that refuses, and takes again what it is given."""

    def __init__(self, monkeypatch) -> None:
        self._put, self._real = monkeypatch.setattr, counting.count

    def begin(self) -> None:
        def refuse(_batches):
            raise OperationalError("INSERT", {}, Exception("the disk is full"))

        self._put(counting, "count", refuse)

    def end(self) -> None:
        self._put(counting, "count", self._real)


@pytest.fixture
def refusal(monkeypatch):
    return Refusal(monkeypatch)


def test_batches_wait_until_the_first_that_comes_five_seconds_later(collector, watch):
    collector.take(received())
    collector.take(received())
    assert (total(), collector.n_held) == (0, 2)
    watch.seconds += 5
    collector.take(received())
    assert (total(), collector.n_held) == (3, 0)


def test_a_full_collector_counts_at_once(collector, monkeypatch):
    monkeypatch.setattr(collecting, "MOST_HELD", 4)
    for _ in range(5):
        collector.take(received())
    assert (total(), collector.n_held) == (4, 1)


def test_nothing_is_lost_where_more_comes_than_is_counted_at_once(collector, monkeypatch, caplog):
    monkeypatch.setattr(collecting, "MOST_HELD", 5)
    real = counting.count

    def slowly(batches):
        threading.Event().wait(0.02)
        return real(batches)

    monkeypatch.setattr(counting, "count", slowly)
    threads = [threading.Thread(target=lambda: [collector.take(received()) for _ in range(40)]) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert collector.n_held < 5 + 6
    collector.end()
    assert total() == 240
    assert "appeal_counts_lost" not in caplog.text


def test_a_quiet_site_is_counted_by_the_clock(collector, monkeypatch):
    monkeypatch.setattr(collecting, "LATEST_SECONDS", 0.05)
    collector.take(received())
    deadline = threading.Event()
    for _ in range(200):
        if total():
            break
        deadline.wait(0.05)
    assert (total(), collector.n_held) == (1, 0)


def test_a_database_that_refuses_loses_nothing_that_fits(collector, watch, refusal, caplog):
    refusal.begin()
    watch.seconds += 5
    collector.take(received())
    assert (collector.n_held, total()) == (1, 0)
    assert "appeal_counts_wait" in caplog.text
    collector.take(received())
    refusal.end()
    watch.seconds += 5
    collector.take(received())
    assert (collector.n_held, total()) == (0, 3)


def test_it_is_asked_again_by_the_clock_after_it_refused(collector, refusal, monkeypatch):
    monkeypatch.setattr(collecting, "LATEST_SECONDS", 0.05)
    refusal.begin()
    collector.take(received())
    threading.Event().wait(0.2)
    assert collector.n_held == 1
    refusal.end()
    for _ in range(200):
        if not collector.n_held and total():
            break
        threading.Event().wait(0.05)
    assert total() == 1


def test_the_oldest_are_lost_where_it_refuses_for_long_and_nobody_waits_for_it(
    collector, watch, refusal, monkeypatch, caplog
):
    monkeypatch.setattr(collecting, "MOST_HELD", 4)
    refusal.begin()
    for number in range(9):
        collector.take(received(("view", "a", number + 1)))
    assert collector.n_held == 4
    assert caplog.text.count("appeal_counts_wait") == 1
    refusal.end()
    collector.end()
    assert [record.n_batches for record in caplog.records if record.getMessage() == "appeal_counts_lost"] == [5]
    assert total() == 6 + 7 + 8 + 9


def test_an_end_that_comes_twice_counts_once(collector):
    collector.take(received())
    collector.end()
    collector.end()
    assert (total(), collector._timer, collector._end) == (1, None, None)


ENDING = """
    import multiprocessing, sys
    from membership.app import create_app
    from membership.appeals.services.collecting import collector
    from tests.conftest import make_settings
    from tests.factories.counts import received

    def life():
        app = create_app(make_settings(database_url=sys.argv[1], queue_path=sys.argv[2]))
        with app.app_context():
            collector().take(received())

    multiprocessing.set_start_method("fork")
    if sys.argv[3] == "child":
        process = multiprocessing.Process(target=life)
        process.start()
        process.join()
    else:
        life()
"""


@pytest.mark.parametrize("kind", ["alone", "child"])
def test_a_process_that_ends_has_everything_counted(app, settings, tmp_path, kind):
    """Also one of `multiprocessing`, as those of the web server are: `atexit` alone is not heard there."""
    arguments = [settings.database_url, str(tmp_path / "other-queue.db"), kind]
    subprocess.run([sys.executable, "-c", textwrap.dedent(ENDING), *arguments], check=True, timeout=60)
    assert total() == 1


def test_two_processes_with_the_same_batch_count_it_once(app, settings, tmp_path):
    batch = received()
    others = [
        create_app(make_settings(database_url=settings.database_url, queue_path=str(tmp_path / f"{name}.db")))
        for name in ("one", "two")
    ]
    for other in others:
        with other.app_context():
            collecting.collector().take(batch)
    threads = [threading.Thread(target=other.extensions["membership.appeal_collector"].end) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert total() == 1
    for other in others:
        with other.app_context():
            other.extensions["membership.hints"].close()
            db.engine.dispose()


# The clock ---------------------------------------------------------------------------------------------


def test_names_of_batches_are_forgotten_after_two_days(app):
    now = clock.real_now()
    old, young = received(at=now - timedelta(days=2, seconds=1)), received(at=now - timedelta(days=2) + HOUR)
    counting.count([old, young])
    assert counting.forget(now) == 1
    assert db.session.scalars(select(AppealBatch.batch_id)).all() == [young.batch_id]
    assert total() == 2
    assert wiring.JOBS["appeals.tidy_counts"].every_seconds == 3600


def test_hours_of_long_ago_become_days_and_nothing_is_lost(app):
    now = datetime(2026, 11, 18, 12, tzinfo=UTC)
    day = datetime(2026, 9, 18, tzinfo=UTC)
    counting.count(
        [
            received(at=day + timedelta(minutes=5)),
            received(("view", "a", 2), ("click", "a", 1), at=day + 23 * HOUR),
            received(article_key="", at=day + 3 * HOUR),
            received(at=day + 24 * HOUR),
            received(at=day - HOUR),
        ]
    )
    jobs_counts.tidy(now)
    expected = {
        (day, 24, KEY, APPEAL, "a", "view"): 3,
        (day, 24, KEY, APPEAL, "a", "click"): 1,
        (day, 24, "", APPEAL, "a", "view"): 1,
        (day - 24 * HOUR, 24, KEY, APPEAL, "a", "view"): 1,
        (day + 24 * HOUR, 1, KEY, APPEAL, "a", "view"): 1,
    }
    assert rows() == expected
    jobs_counts.tidy(now)
    assert rows() == expected
    counting.count([received(at=day)])  # the clock of a demo may go back
    jobs_counts.tidy(now)
    assert rows()[day, 24, KEY, APPEAL, "a", "view"] == 4


# What is made up -----------------------------------------------------------------------------------------


def test_what_no_browser_can_have_seen_is_not_counted(app):
    now = clock.now()
    two = make_appeal_at(State.RUNNING, make_variant(), make_variant("b"), holdout_percent=0)
    later = make_appeal_at(State.RUNNING, starts_at=now + HOUR)
    draft, stopped = make_appeal(), make_appeal_at(State.STOPPED)
    for appeal in (two, later, draft, stopped):
        told = [("view", "a", 1), ("click", "b", 1), ("view", "d", 1), ("withheld", "-", 1)]
        counting.count([received(*told, appeal=appeal.public_id)])
    assert queries.totals_of(two.public_id) == {("a", "view"): 1, ("b", "click"): 1}
    assert queries.totals_of(later.public_id) == {}
    assert queries.totals_of(draft.public_id) == {}
    assert ("a", "view") in queries.totals_of(stopped.public_id)  # pages that are still open tell of it
    with time_machine.travel(now + 3 * DAY, tick=False):
        counting.count([received(appeal=stopped.public_id)])
    assert queries.totals_of(stopped.public_id)["a", "view"] == 1


def test_articles_of_endless_addresses_are_not_told_apart(app):
    counting.count([received(article_key="x.example/" + "y" * 200), received(article_key="x.example/" + "y" * 100)])
    assert {key[2] for key in rows()} == {"", "x.example/" + "y" * 100}
