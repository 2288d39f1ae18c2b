"""Retention by month of joining, counted by hand."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from membership.patrons import services as patrons
from tests.dashboard.conftest import kyiv
from tests.factories.money import cover, make_giver

pytestmark = pytest.mark.usefixtures("app")
DECEMBER = datetime(2026, 12, 2, 10, tzinfo=UTC)


def stay(at, n_months):
    """Somebody who is covered from `at` on for some months of 31 days, one after the other."""
    giver = make_giver(kyiv(at))
    cover(giver, kyiv(at), 31 * n_months)
    return giver


def rows(result):
    """Month, people, and the ratios that can be said, of the months in which somebody joined."""
    return [
        (month, n, [share for share in shares if share is not None]) for month, n, *shares in result.table.rows if n
    ]


def test_each_month_is_divided_by_those_who_joined_in_it(ask):
    for months in (1, 1, 2, 4):
        stay("2026-08-03 10:00", months)
    stay("2026-10-05 10:00", 3)
    result = ask("cohorts", "2026-11-01", "2026-11-30", at=DECEMBER)
    # Of the four of August one month lasted to 3 September, two to 4 October, four to 5 December.
    assert rows(result) == [
        ("Aug 2026", 4, [Decimal("0.5000"), Decimal("0.2500"), Decimal("0.2500")]),
        ("Oct 2026", 1, [Decimal(1)]),
    ]
    # All rows but November's: one of four, and one of one.
    assert result.now == Decimal("0.4000")
    assert result.table.headings[:4] == ("Joined in", "People", "1", "2")


def test_a_month_that_is_not_over_is_not_told(ask):
    stay("2026-10-05 10:00", 3)
    result = ask("cohorts", "2026-11-01", "2026-11-18")
    assert rows(result) == [("Oct 2026", 1, [])]
    assert result.now is None
    assert "It takes a month that is over" in result.notes[0]


def test_who_comes_back_is_of_the_month_of_their_first_time(ask):
    giver = stay("2026-07-03 10:00", 1)
    cover(giver, kyiv("2026-09-03 10:00"), 90)
    result = ask("cohorts", "2026-11-01", "2026-11-30", at=DECEMBER)
    assert rows(result) == [("Jul 2026", 1, [Decimal(0), Decimal(1), Decimal(1), Decimal(1)])]


def test_who_was_paid_back_in_the_month_of_joining_did_not_join(ask):
    giver = make_giver(kyiv("2026-09-03 10:00"))
    patrons.revoke(cover(giver, kyiv("2026-09-03 10:00"), 60), kyiv("2026-09-04 10:00"))
    assert rows(ask("cohorts", "2026-11-01", "2026-11-30", at=DECEMBER)) == []


def test_the_month_is_that_of_the_newsroom(ask):
    stay("2026-10-01 00:30", 2)  # by UTC it is September
    assert [month for month, _n, _shares in rows(ask("cohorts", "2026-11-01", "2026-11-30", at=DECEMBER))] == [
        "Oct 2026"
    ]


def test_two_people_who_are_one_are_one_patron_of_the_earlier_month(ask, app):
    first, second = stay("2026-08-03 10:00", 5), stay("2026-09-03 10:00", 5)
    before = ask("cohorts", "2026-11-01", "2026-11-30", at=DECEMBER)
    assert [n for _month, n, _shares in rows(before)] == [1, 1]
    with app.test_request_context():
        patrons.merge(second, first, DECEMBER)
        patrons.note_patron_time(first)
    after = ask("cohorts", "2026-11-01", "2026-11-30", at=DECEMBER)
    total = sum(n * (shares[-1] if shares else 1) for _month, n, shares in rows(after))
    assert total == 1
