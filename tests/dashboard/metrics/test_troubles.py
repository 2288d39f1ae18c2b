"""Renewals that failed and what came after all, counted by hand."""

import pytest

from membership.kernel.money import Money
from tests.dashboard.conftest import by_piece, kyiv, minors, rate
from tests.factories.money import trouble

pytestmark = pytest.mark.usefixtures("app")


def test_what_failed_stands_below_and_what_came_above(ask):
    trouble("failed", kyiv("2026-11-02 10:00"), "in_1")
    trouble("failed", kyiv("2026-11-02 11:00"), "in_2", 800)
    trouble("recovered", kyiv("2026-11-05 10:00"), "in_2", 800)
    result = ask("failed", "2026-11-01", "2026-11-06")
    assert minors(result) == {"recovered": 800, "failed": -1200}
    assert by_piece(result, "failed") == [0, -1200, 0, 0, 0, 0]
    assert by_piece(result, "recovered") == [0, 0, 0, 0, 800, 0]
    assert (result.now, result.before) == (Money(-400, "EUR"), Money(0, "EUR"))


def test_a_month_in_which_all_comes_that_failed_before_it_is_above_zero(ask):
    trouble("failed", kyiv("2026-10-31 23:50"), "in_1")
    trouble("recovered", kyiv("2026-11-01 00:10"), "in_1")
    result = ask("failed", "2026-11-01", "2026-11-06")
    assert (result.now, result.before) == (Money(400, "EUR"), Money(-400, "EUR"))


def test_other_currencies_count_at_the_rate_of_the_day(ask):
    rate("EUR", "UAH", "50")
    trouble("failed", kyiv("2026-11-02 10:00"), "in_1", 10_000, "UAH")
    assert minors(ask("failed", "2026-11-01", "2026-11-06")) == {"recovered": 0, "failed": -200}
    assert minors(ask("failed", "2026-11-01", "2026-11-06", "UAH")) == {"recovered": 0, "failed": -10_000}
