"""What is due in the next 30 days, counted by hand. Noon in Kyiv, 18 November 2026."""

from datetime import UTC, datetime

import pytest

from membership.kernel.money import Money
from tests.dashboard.conftest import by_piece, kyiv, rate
from tests.factories.listed import make_support
from tests.factories.money import book
from tests.factories.people import make_person

pytestmark = pytest.mark.usefixtures("app")


def due(state, **given):
    """A support of one cup a month, four euros, in a state; with what is given."""
    make_support(make_person(), state, **given)


def total(result):
    return {line.key: (line.n, line.total.minor) for line in result.lines}


def test_each_charge_stands_on_its_day(ask):
    due("active", next_payment_at=kyiv("2026-11-18 23:30"))
    due("active", next_payment_at=kyiv("2026-12-17 23:30"), n_cups=2)  # the thirtieth day
    due("active", next_payment_at=kyiv("2026-12-18 00:30"), n_cups=4)  # the one after it
    result = ask("expected", "2026-11-01", "2026-11-18")
    assert total(result) == {"monthly": (2, 1200)}
    assert by_piece(result, "monthly") == [400] + [0] * 28 + [800]
    assert (result.now, result.period.start_on.isoformat()) == (Money(1200, "EUR"), "2026-11-18")


def test_what_ends_or_is_paused_is_not_due(ask):
    moment = kyiv("2026-11-20 10:00")
    for state in ("paused", "cancelling", "ended", "lapsed"):
        due(state, next_payment_at=moment)
    due("active", next_payment_at=moment, stop_asked_at=kyiv("2026-11-18 09:00"))
    assert total(ask("expected", "2026-11-01", "2026-11-18")) == {"monthly": (0, 0)}


def test_a_wished_amount_counts_as_it_will_be(ask):
    due("active", next_payment_at=kyiv("2026-11-20 10:00"), next_gift_minor=4800, next_charge_minor=4800,
        next_cup_minor=400, next_rhythm="yearly")  # fmt: skip
    assert total(ask("expected", "2026-11-01", "2026-11-18")) == {"monthly": (0, 0), "yearly": (1, 4800)}


def test_what_failed_is_due_when_it_is_tried_again(ask):
    due("past_due", failed_at=kyiv("2026-11-17 10:00"), next_try_at=kyiv("2026-11-19 10:00"),
        next_payment_at=kyiv("2026-12-17 10:00"))  # fmt: skip
    result = ask("expected", "2026-11-01", "2026-11-18")
    assert total(result) == {"monthly": (0, 0), "retry": (1, 400)}
    assert by_piece(result, "retry")[1] == 400


def test_what_should_have_come_already_is_due_today(ask):
    due("active", next_payment_at=kyiv("2026-11-17 10:00"))
    assert by_piece(ask("expected", "2026-11-01", "2026-11-18"), "monthly")[0] == 400


def test_in_a_short_month_both_charges_count(ask):
    february = datetime(2027, 2, 1, 10, tzinfo=UTC)
    due("active", next_payment_at=kyiv("2027-02-01 20:00"))  # and on 1 March, the 29th day
    result = ask("expected", "2027-02-01", "2027-02-01", at=february)
    assert total(result) == {"monthly": (2, 800)}
    assert by_piece(result, "monthly")[28] == 400


def test_currencies_count_at_the_rate_of_today(ask):
    rate("EUR", "UAH", "50")
    due("active", next_payment_at=kyiv("2026-11-20 10:00"), cup=10_000, currency="UAH")
    assert ask("expected", "2026-11-01", "2026-11-18").now == Money(200, "EUR")
    assert ask("expected", "2026-11-01", "2026-11-18", "UAH").now == Money(10_000, "UAH")
    assert ask("expected", "2026-11-01", "2026-11-18", "EUR").now == Money(0, "EUR")


def test_it_is_compared_with_what_renewals_brought_before(ask):
    book(kyiv("2026-11-17 10:00"), 700)
    book(kyiv("2026-10-19 00:10"), 50)  # the first of the thirty days before
    book(kyiv("2026-10-18 23:50"), 9000)
    assert ask("expected", "2026-11-01", "2026-11-18").before == Money(750, "EUR")
