"""Monthly recurring revenue, counted by hand."""

import pytest

from membership.kernel.money import Money
from membership.patrons import services as patrons
from tests.dashboard.conftest import by_piece, kyiv, rate
from tests.factories.money import make_giver, support

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def giver(app):
    return make_giver(kyiv("2026-10-01 09:00"))


def test_monthly_supports_count_as_they_are_and_yearly_ones_a_twelfth(ask, giver):
    patrons.move_to(giver, "con_month", Money(800 * 12, "EUR"), kyiv("2026-11-02 10:00"))
    patrons.move_to(giver, "con_year", Money(5000, "EUR"), kyiv("2026-11-03 10:00"))  # 50 a year: 4.1667 a month
    result = ask("mrr", "2026-11-01", "2026-11-04")
    assert by_piece(result) == [0, 800, 1217, 1217]
    assert (result.before, result.now) == (Money(0, "EUR"), Money(1217, "EUR"))
    assert result.lines[0].n == 2


def test_a_pause_brings_nothing_while_it_lasts(ask, giver):
    support(giver, "con_1", kyiv("2026-11-01 10:00"), 2)
    support(giver, "con_1", kyiv("2026-11-03 10:00"), 0)
    support(giver, "con_1", kyiv("2026-11-05 10:00"), 2)
    assert by_piece(ask("mrr", "2026-11-01", "2026-11-06")) == [800, 800, 0, 0, 800, 800]


def test_other_currencies_count_at_the_rate_of_each_day(ask, giver):
    rate("EUR", "UAH", "40", "2026-11-01")
    rate("EUR", "UAH", "50", "2026-11-04")
    support(giver, "con_1", kyiv("2026-11-02 10:00"), 4, "UAH")  # 400 a month
    result = ask("mrr", "2026-11-01", "2026-11-05")
    assert by_piece(result) == [0, 1000, 1000, 800, 800]
    assert by_piece(ask("mrr", "2026-11-01", "2026-11-05", "UAH")) == [0, 40000, 40000, 40000, 40000]
    assert by_piece(ask("mrr", "2026-11-01", "2026-11-05", "EUR")) == [0, 0, 0, 0, 0]


def test_without_a_rate_the_amount_is_left_out_and_a_sentence_says_so(ask, giver):
    support(giver, "con_1", kyiv("2026-11-02 10:00"), 1)
    support(giver, "con_2", kyiv("2026-11-02 10:00"), 4, "UAH")
    result = ask("mrr", "2026-11-01", "2026-11-03")
    assert by_piece(result) == [0, 400, 400]
    (note,) = result.notes
    assert "no exchange rate from UAH to EUR for 2 days" in note


def test_before_anything_was_summed_it_says_so(app):
    from membership.dashboard.metrics import METRICS, Lens
    from membership.dashboard.rules.periods import period_of
    from tests.dashboard.conftest import NOW

    with app.test_request_context():
        result = METRICS["mrr"].measure(NOW, period_of("30", NOW.date()), Lens("EUR"))
    assert result.at is None
    assert "Nothing has been summed yet" in result.notes[0]
