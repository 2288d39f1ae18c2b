"""Members live a small year through the sandbox; every number of the dashboard is what rows and Stripe's books say.

The whole of it, with thousands: `.venv/bin/python -m tests.year --members 5000`.
"""

import os
import random
from contextlib import contextmanager

import pytest
from sqlalchemy import select, update

from membership.dashboard.models import DaySum
from membership.db import db, transaction
from tests.year.comparing import Compared, compare, hold_against_rows, questions
from tests.year.living import live
from tests.year.members import cast, draw
from tests.year.place import opened
from tests.year.rows import read

N_MEMBERS = len(cast()) + 4


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def year(request, tmp_path_factory):
    """A place in which a year was lived, and what was seen of it. Not changed by whoever looks."""
    server = request.getfixturevalue("postgres_server") if request.param == "postgresql" else ""
    seed = int(os.environ.get("YEAR_SEED", random.SystemRandom().randrange(10**6)))
    print(f"\nYEAR_SEED={seed}")
    with opened(request.param, tmp_path_factory.mktemp("year"), server) as place:
        lived = live(place, draw(N_MEMBERS, seed))
        yield place, lived


@pytest.mark.timeout(600)
def test_every_number_follows_from_the_rows_and_from_stripes_books(year):
    place, lived = year
    found = compare(place, lived)
    assert not found.differences, "\n".join(found.differences)
    assert found.n > 3000
    assert found.unknown == []


@pytest.mark.timeout(600)
def test_the_year_was_worth_reckoning(year):
    """Whatever the seed: every deed was done, and every number had something to say in it."""
    place, lived = year
    assert not {plan.deed for plans in cast() for plan in plans} - lived.deeds.keys()
    kinds = {kind for (kind,) in place.rows("SELECT DISTINCT kind FROM movements")}
    assert kinds == {"new", "more", "less", "lost", "back"}
    assert {way for (way,) in place.rows("SELECT DISTINCT way FROM payments")} == {"card", "bank", "cash"}
    for table in (
        "payment_reversals",
        "payment_failures",
        "graces",
        "gifts",
        "refunds",
        "frozen_stays",
        "correction_reports",
    ):
        assert place.rows(f"SELECT count(*) FROM {table}")[0][0], table  # noqa: S608 - our own names
    assert all(poll.n_voted for poll in read(place, lived).polls)
    assert {stage for (stage,) in place.rows("SELECT DISTINCT stage FROM topics WHERE chosen_at IS NOT NULL")} == {
        "published", "reporting", "dropped",
    }  # fmt: skip
    assert any(stayed.n_voters > stayed.voters_stayed for stayed in lived.stayed.values())


def one_more(number):
    return number + 1


# What is wrong in one row of each measure.
WRONG = {
    "fees": {"amount": one_more, "reporting_minor": one_more},
    "payments": {"amount": one_more, "reporting_minor": one_more},
    "returned": {"amount": one_more, "reporting_minor": one_more},
    "movements": {"dim": lambda _dim: "less"},
    "supports": {"n": one_more},
    "cups": {"amount": lambda milli: milli + 50_000},
    "patrons": {"n": one_more},
    "starts": {"n": one_more},
    "paid_starts": {"n": lambda n: n - 1},
    "first_gifts": {"n": one_more},
}


@pytest.mark.parametrize("measure", WRONG)
@pytest.mark.timeout(600)
def test_a_wrong_number_is_found(year, measure):
    """The test of the test: one wrong row of one day."""
    place, lived = year
    rows = read(place, lived)
    found = Compared(0, [], [])
    whole = next(questions(rows.today))
    with planted(measure, WRONG[measure]):
        hold_against_rows(found, place, lived, rows, whole)
    assert found.differences
    found.differences.clear()
    hold_against_rows(found, place, lived, rows, whole)
    assert not found.differences, "it was mended again"


@contextmanager
def planted(measure: str, wrong: dict):
    """One row of the roll-ups says something else while the block runs."""
    its_own = DaySum.dim.in_(("more", "once:card", "fee", "", "came"))
    with transaction("test.plant"):
        row = db.session.scalars(select(DaySum).where(DaySum.measure == measure, DaySum.n != 0, its_own)).first()
        key = (row.measure, row.day_on, row.currency, row.dim)
        right = {name: getattr(row, name) for name in wrong}
        _set(key, {name: change(right[name]) for name, change in wrong.items()})
    yield
    moved = (*key[:3], wrong["dim"](key[3])) if "dim" in wrong else key
    with transaction("test.mend"):
        _set(moved, right)


def _set(key, values) -> None:
    measure, day, currency, dim = key
    of = (DaySum.measure == measure, DaySum.day_on == day, DaySum.currency == currency, DaySum.dim == dim)
    db.session.execute(update(DaySum).where(*of).values(**values))
