"""Movements of monthly recurring revenue, counted by hand."""

import pytest

from membership.kernel.money import Money
from membership.patrons import services as patrons
from tests.dashboard.conftest import by_piece, kyiv, minors, rate
from tests.factories.money import make_giver, support

NONE = {"new": 0, "more": 0, "back": 0, "less": 0, "lost": 0}


@pytest.fixture
def giver(app):
    return make_giver(kyiv("2026-10-01 09:00"))


def test_the_life_of_one_support(ask, giver):
    for day, cups in ((2, 1), (4, 3), (6, 2), (8, 0), (10, 2)):
        support(giver, "con_1", kyiv(f"2026-11-{day:02} 10:00"), cups)
    result = ask("movements", "2026-11-01", "2026-11-12")
    assert minors(result) == {"new": 400, "more": 800, "back": 800, "less": -400, "lost": -800}
    assert {line.key: line.n for line in result.lines} == dict.fromkeys(NONE, 1)
    assert by_piece(result, "less") == [0] * 5 + [-400] + [0] * 6
    assert result.now == Money(800, "EUR")


def test_who_comes_back_with_another_support_is_back_and_not_new(ask, giver):
    support(giver, "con_1", kyiv("2026-10-05 10:00"))
    support(giver, "con_1", kyiv("2026-10-20 10:00"), 0)
    support(giver, "con_2", kyiv("2026-11-05 10:00"), 2)
    assert minors(ask("movements", "2026-11-01", "2026-11-12")) == NONE | {"back": 800}


def test_from_monthly_to_yearly_with_a_discount_is_less(ask, giver):
    patrons.move_to(giver, "con_1", Money(400 * 12, "EUR"), kyiv("2026-11-02 10:00"))
    patrons.move_to(giver, "con_1", Money(4200, "EUR"), kyiv("2026-11-03 10:00"))
    assert minors(ask("movements", "2026-11-01", "2026-11-12")) == NONE | {"new": 400, "less": -50}


def test_another_currency_is_neither_lost_nor_back(ask, giver):
    rate("EUR", "UAH", "50")
    support(giver, "con_1", kyiv("2026-10-05 10:00"), 1, "EUR")
    support(giver, "con_1", kyiv("2026-11-05 10:00"), 3, "UAH")  # 300 hryvnias: 6.00 euros
    result = ask("movements", "2026-11-01", "2026-11-12")
    assert minors(result) == NONE | {"currency": 200}
    assert result.now == Money(200, "EUR")
    assert minors(ask("movements", "2026-11-01", "2026-11-12", "EUR")) == NONE | {"currency": -400}
    assert minors(ask("movements", "2026-11-01", "2026-11-12", "UAH")) == NONE | {"currency": 30000}


def test_what_rates_did_stands_by_itself_and_all_together_are_the_change(ask, giver):
    rate("EUR", "UAH", "40", "2026-10-01")
    rate("EUR", "UAH", "50", "2026-11-04")
    support(giver, "con_1", kyiv("2026-10-05 10:00"), 4, "UAH")  # 10.00 at 40
    support(giver, "con_1", kyiv("2026-11-06 10:00"), 5, "UAH")  # 100 more at 50: 2.00
    result = ask("movements", "2026-11-01", "2026-11-12")
    # 10.00 became 8.00 by the rate, then 10.00 by the giver.
    assert minors(result) == NONE | {"more": 200, "rates": -200}
    assert by_piece(result, "rates") == [0, 0, 0, -200] + [0] * 8
    assert result.now == Money(0, "EUR") == ask("mrr", "2026-11-01", "2026-11-12").change


def test_a_movement_counts_on_the_newsroom_s_day(ask, giver):
    support(giver, "con_1", kyiv("2026-10-31 23:59"))
    support(giver, "con_2", kyiv("2026-11-01 00:00"))
    assert minors(ask("movements", "2026-10-31", "2026-10-31")) == NONE | {"new": 400}
    assert minors(ask("movements", "2026-11-01", "2026-11-01")) == NONE | {"new": 400}


def test_the_range_before_is_what_it_is_compared_with(ask, giver):
    support(giver, "con_1", kyiv("2026-10-30 10:00"), 3)
    support(giver, "con_1", kyiv("2026-11-02 10:00"), 2)
    result = ask("movements", "2026-11-01", "2026-11-03")
    assert (result.now, result.before) == (Money(-400, "EUR"), Money(1200, "EUR"))


def test_a_movement_without_a_rate_is_left_out_and_nothing_is_put_down_to_rates(ask, giver):
    support(giver, "con_1", kyiv("2026-11-02 10:00"), 1, "UAH")
    support(giver, "con_2", kyiv("2026-11-03 10:00"), 1, "EUR")
    result = ask("movements", "2026-11-01", "2026-11-03")
    assert minors(result) == NONE | {"new": 400}
    assert "UAH" in result.notes[0]


def test_a_year_is_shown_by_months(ask, giver):
    support(giver, "con_1", kyiv("2026-10-31 23:30"), 1)
    support(giver, "con_1", kyiv("2026-11-01 00:30"), 3)
    result = ask("movements", "2026-01-01", "2026-11-18")
    assert by_piece(result, "new") == [0] * 9 + [400, 0]
    assert by_piece(result, "more") == [0] * 10 + [800]
