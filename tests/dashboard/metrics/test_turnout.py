"""Turnout, counted by hand."""

from datetime import timedelta
from decimal import Decimal

import pytest

from membership.polls import services
from tests.dashboard.conftest import kyiv
from tests.factories.polls import cast_ballot, close_poll, make_patrons, make_poll

pytestmark = pytest.mark.usefixtures("app")
A_WEEK = timedelta(days=7)
NOVEMBER = {"first": "2026-11-01", "last": "2026-11-30", "at": kyiv("2026-12-01 10:00")}


def hold(title: str, opens: str, n_voted: int, people: list[int]):
    """A poll with these people on its roll, of whom the first `n_voted` vote, and which closes after a week."""
    at = kyiv(opens)
    poll = make_poll(now=at, title=title, opens_at=at, closes_at=at + A_WEEK)
    for person_id in people[:n_voted]:
        cast_ballot(poll, person_id, [0], at)
    return close_poll(poll, at + A_WEEK)


@pytest.fixture
def people(app):
    return make_patrons(10, now=kyiv("2026-10-01 10:00"))


def test_each_poll_and_all_together_on_the_day_of_the_close(ask, people):
    hold("Spring", "2026-11-02 10:00", 8, people)
    hold("Winter", "2026-11-10 10:00", 5, people)
    result = ask("turnout", **NOVEMBER)
    rows = [(row[0], str(row[1]), *row[2:]) for row in result.table.rows]
    assert rows == [
        ("All together", "None", 20, 13, Decimal("0.65")),
        ("Winter", "2026-11-17", 10, 5, Decimal("0.5")),
        ("Spring", "2026-11-09", 10, 8, Decimal("0.8")),
    ]
    assert (result.now, result.before) == (Decimal("0.65"), None)


def test_it_is_compared_with_the_polls_before(ask, people):
    hold("Spring", "2026-10-20 10:00", 8, people)
    hold("Winter", "2026-11-02 10:00", 5, people)
    result = ask("turnout", **NOVEMBER)
    assert (result.now, result.before, result.change) == (Decimal("0.5"), Decimal("0.8"), Decimal("-0.3"))


def test_of_fewer_than_five_voters_no_number_is_said_nor_can_it_be_worked_out(ask, people):
    hold("Spring", "2026-11-02 10:00", 4, people)
    hold("Winter", "2026-11-10 10:00", 5, people)
    result = ask("turnout", **NOVEMBER)
    assert result.table.rows[0][2:] == (10, 5, Decimal("0.5"))
    assert result.table.rows[2][0] == "Spring"
    assert result.table.rows[2][2:] == (None, "fewer than 5", None)


def test_a_poll_that_is_open_or_was_cancelled_has_none(ask, people):
    at = kyiv("2026-11-02 10:00")
    open_poll = make_poll(now=at, title="Open", opens_at=at, closes_at=at + 9 * A_WEEK)
    cast_ballot(open_poll, people[0], [0], at)
    cancelled = make_poll(now=at, title="Cancelled", opens_at=at, closes_at=at + A_WEEK)
    services.cancel(cancelled.id, "The key was in a backup.", None)
    result = ask("turnout", **NOVEMBER)
    assert result.table.rows == (("All together", None, 0, 0, None),)
    assert result.now is None
