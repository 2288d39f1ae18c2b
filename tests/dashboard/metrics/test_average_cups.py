"""Average cups, counted by hand."""

from decimal import Decimal

import pytest

from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from membership.newsroom.rules import milli_cups
from tests.dashboard.conftest import by_piece, kyiv
from tests.factories.money import make_giver, support


@pytest.fixture
def giver(app):
    return make_giver(kyiv("2026-10-01 09:00"))


def test_cups_of_all_supports_divided_by_how_many_there_are(ask, giver):
    support(giver, "con_1", kyiv("2026-11-02 10:00"), 1)
    support(giver, "con_2", kyiv("2026-11-03 10:00"), 4, "UAH")
    support(giver, "con_3", kyiv("2026-11-04 10:00"), 2)
    result = ask("average-cups", "2026-11-01", "2026-11-04")
    assert by_piece(result) == [None, Decimal("1.00"), Decimal("2.50"), Decimal("2.33")]
    assert by_piece(ask("average-cups", "2026-11-01", "2026-11-04", "EUR"))[-1] == Decimal("1.50")


def test_a_pause_and_an_end_count_neither_as_cups_nor_as_a_support(ask, giver):
    support(giver, "con_1", kyiv("2026-11-02 10:00"), 1)
    support(giver, "con_2", kyiv("2026-11-02 10:00"), 3)
    support(giver, "con_2", kyiv("2026-11-03 10:00"), 0)
    support(giver, "con_2", kyiv("2026-11-04 10:00"), 2)
    assert by_piece(ask("average-cups", "2026-11-02", "2026-11-04")) == [Decimal(2), Decimal(1), Decimal("1.5")]


def test_another_currency_keeps_the_number_of_supports(ask, giver):
    support(giver, "con_1", kyiv("2026-11-02 10:00"), 1, "EUR")
    support(giver, "con_1", kyiv("2026-11-03 10:00"), 3, "UAH")
    assert by_piece(ask("average-cups", "2026-11-02", "2026-11-03")) == [Decimal(1), Decimal(3)]


def test_without_a_support_there_is_no_average(ask, giver):
    result = ask("average-cups", "2026-11-02", "2026-11-03")
    assert (result.now, result.change) == (None, None)
    assert "no average" in result.notes[0]


@pytest.mark.parametrize(
    ("minor", "rhythm", "cup", "wanted"),
    [
        (400, Rhythm.MONTHLY, 400, 1000),
        (1000, Rhythm.MONTHLY, 400, 2500),
        (4800, Rhythm.YEARLY, 400, 1000),
        (4000, Rhythm.YEARLY, 400, 833),
        (4800, Rhythm.ONCE, 400, 0),
        (400, Rhythm.MONTHLY, 0, 0),
    ],
)
def test_a_gift_in_thousandths_of_a_cup_a_month(minor, rhythm, cup, wanted):
    assert milli_cups(Money(minor, "EUR"), rhythm, Money(cup, "EUR")) == wanted
