"""Patrons, counted by hand."""

from datetime import timedelta

import pytest

from membership.patrons import services as patrons
from membership.patrons.queries import n_patrons
from tests.dashboard.conftest import NOW, by_piece, kyiv
from tests.factories.money import cover, make_giver


@pytest.fixture
def giver(app):
    return make_giver(kyiv("2026-10-01 09:00"))


def test_a_patron_counts_on_the_day_that_coverage_begins_and_no_more_on_the_day_it_ends(ask, giver):
    cover(giver, kyiv("2026-11-02 18:00"), days=3)
    result = ask("patrons", "2026-11-01", "2026-11-06")
    #                     1  2  3  4  5: ends at 18:00  6
    assert by_piece(result) == [0, 1, 1, 1, 0, 0]
    assert (result.before, result.now) == (0, 0)


def test_a_person_with_two_gifts_counts_once(ask, giver):
    cover(giver, kyiv("2026-11-02 18:00"))
    cover(giver, kyiv("2026-11-03 18:00"))
    assert ask("patrons", "2026-11-01", "2026-11-04").now == 1


def test_a_day_ends_at_midnight_in_the_newsroom_also_where_clocks_change(ask, giver):
    # 25 October 2026: at 04:00 clocks go back to 03:00, so that the day has 25 hours.
    other = make_giver(kyiv("2026-10-01 09:00"))
    cover(giver, kyiv("2026-10-24 23:59"))
    cover(other, kyiv("2026-10-25 23:59"))
    assert by_piece(ask("patrons", "2026-10-23", "2026-10-26")) == [0, 1, 2, 2]


def test_spring_forward_has_a_day_of_23_hours(ask, giver):
    # 29 March 2026: 03:00 becomes 04:00. Coverage of one day from noon to noon lasts 23 hours there.
    starts_at, ends_at = kyiv("2026-03-28 12:00"), kyiv("2026-03-29 12:00")
    assert ends_at - starts_at == timedelta(hours=23)
    patrons.grant_period(
        giver, patrons.Cause.PAID, "payment:x", paid_at=starts_at, starts_at=starts_at, ends_at=ends_at
    )
    assert by_piece(ask("patrons", "2026-03-27", "2026-03-30")) == [0, 1, 0, 0]


def test_coverage_that_ends_exactly_at_midnight_holds_for_the_day_before(ask, giver):
    starts_at, ends_at = kyiv("2026-11-02 00:00"), kyiv("2026-11-04 00:00")
    patrons.grant_period(giver, patrons.Cause.GIFT, "gift:x", paid_at=starts_at, starts_at=starts_at, ends_at=ends_at)
    assert by_piece(ask("patrons", "2026-11-01", "2026-11-04")) == [0, 1, 1, 0]


def test_grace_keeps_somebody_until_it_is_closed(ask, giver):
    cover(giver, kyiv("2026-10-10 10:00"), days=24)  # until 3 November 09:00, since clocks went back
    patrons.open_grace(giver, "con_1", opened_at=kyiv("2026-11-03 08:00"), days=14)
    patrons.close_grace("con_1", kyiv("2026-11-06 12:00"))
    assert by_piece(ask("patrons", "2026-11-02", "2026-11-07")) == [1, 1, 1, 1, 0, 0]


def test_a_refund_over_a_month_end_ends_it_from_then_on_and_changes_no_day_before(ask, giver):
    cause = cover(giver, kyiv("2026-10-20 10:00"))
    assert by_piece(ask("patrons", "2026-10-19", "2026-10-21")) == [0, 1, 1]
    patrons.revoke(cause, kyiv("2026-11-02 10:00"))
    assert by_piece(ask("patrons", "2026-10-19", "2026-10-21")) == [0, 1, 1]
    assert by_piece(ask("patrons", "2026-10-31", "2026-11-03")) == [1, 1, 0, 0]


def test_money_heard_late_changes_the_days_that_it_was_for(ask, giver):
    other = make_giver(kyiv("2026-10-01 09:00"))
    cover(other, kyiv("2026-11-05 10:00"))
    assert by_piece(ask("patrons", "2026-11-03", "2026-11-06")) == [0, 0, 1, 1]
    cover(giver, kyiv("2026-11-04 10:00"), days=1)
    assert by_piece(ask("patrons", "2026-11-03", "2026-11-06")) == [0, 1, 1, 1]


def test_today_counts_until_the_moment_of_the_page(ask, giver):
    cover(giver, kyiv("2026-11-18 11:00"), days=0.5)
    for at, n in ((kyiv("2026-11-18 10:59"), 0), (kyiv("2026-11-18 11:00"), 1), (kyiv("2026-11-18 23:00"), 0)):
        result = ask("patrons", "2026-11-17", "2026-11-18", at=at)
        assert (result.now, result.at) == (n, at)
        assert n_patrons(at) == n


def test_it_is_the_same_number_as_at_the_door(ask, app):
    for n in range(12):
        cover(make_giver(NOW), NOW - timedelta(days=40 - 3 * n))
    assert ask("patrons", "2026-11-01", "2026-11-18").now == n_patrons(NOW) > 0


def test_two_people_who_turn_out_to_be_one_count_once_also_before(ask, giver):
    other = make_giver(kyiv("2026-10-01 09:00"))
    cover(giver, kyiv("2026-11-02 10:00"), days=5)
    cover(other, kyiv("2026-11-04 10:00"), days=5)
    assert by_piece(ask("patrons", "2026-11-01", "2026-11-10")) == [0, 1, 1, 2, 2, 2, 1, 1, 0, 0]
    patrons.merge(other, giver, NOW)
    # Periods that were paid lie where they lie.
    assert by_piece(ask("patrons", "2026-11-01", "2026-11-10")) == [0, 1, 1, 1, 1, 1, 1, 1, 0, 0]
