"""Histories by chance: members, Stripe's side, the clock, deaths and notices gone astray; then the books are held
against Stripe's (faults.md sections 2, 5 and 6.1).

    HISTORIES=2000 .venv/bin/pytest tests/faults/test_lives.py -k sqlite -s      the whole of it, some 20 minutes
    HISTORIES_SEED=17           the same histories again
    HISTORIES_AS_FOUND=1        the first that fails, as it was; else it is made as short as possible (minutes)
"""

import os
import random
import time
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.lives.machine import Lives
from tests.faults.lives.planted import PLANTED
from tests.faults.lives.world import PostgresHome, SqliteHome, World

IN_THE_SUITE = {"sqlite": 40, "postgresql": 6}
STEPS = 20
PLANTED_BY = 200


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request, monkeypatch, tmp_path):
    if request.param == "sqlite":
        home = SqliteHome(tmp_path)
    else:
        home = PostgresHome(tmp_path, request.getfixturevalue("postgres_server"))
    world = World(monkeypatch, home)
    world.kind = request.param
    yield world
    world.close()


def run(world, n_histories: int, number: int, **more) -> None:
    """Let so many histories happen; `Lives.tally` counts what was done in them."""
    Lives.world, Lives.tally = world, Counter()
    run_state_machine_as_test(
        seed(number)(Lives),
        settings=settings(
            max_examples=n_histories,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
            **more,
        ),
    )


@pytest.mark.timeout(7200)
def test_no_money_is_lost_or_counted_twice_whatever_happens(world):
    n_histories = int(os.environ.get("HISTORIES", IN_THE_SUITE[world.kind]))
    number = int(os.environ.get("HISTORIES_SEED", random.SystemRandom().randrange(10**9)))
    print(f"\nHISTORIES_SEED={number}")
    began = time.monotonic()
    more = {"phases": (Phase.generate,)} if os.environ.get("HISTORIES_AS_FOUND") else {}
    try:
        run(world, n_histories, number, **more)
    finally:
        print(f"{dict(Lives.tally)} in {(time.monotonic() - began) / 60:.1f} minutes")


@pytest.mark.parametrize("bug", PLANTED)
@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
@pytest.mark.timeout(1200)
def test_a_planted_bug_is_found(world, monkeypatch, bug):
    """The tests of this test: it would be worth nothing if it found nothing."""
    with PLANTED[bug](monkeypatch), pytest.raises(AssertionError) as found:
        run(world, PLANTED_BY, int(os.environ.get("HISTORIES_SEED", "1")), phases=(Phase.generate,))
    print(f"\n{bug}: found in history {Lives.tally['histories']}: {str(found.value)[:300]}")
