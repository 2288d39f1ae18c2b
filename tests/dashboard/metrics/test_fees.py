"""Fees, counted by hand."""

import pytest

from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from tests.dashboard.conftest import by_piece, kyiv, minors
from tests.factories.money import book, give_back, state_fee

pytestmark = pytest.mark.usefixtures("app")


def test_fees_of_payments_and_of_disputes(ask):
    payment = book(kyiv("2026-11-02 10:00"), 1000, fee=40)
    book(kyiv("2026-11-03 10:00"), 3000, rhythm=Rhythm.ONCE, fee=60)
    book(kyiv("2026-11-03 10:00"), 9000, rhythm=Rhythm.ONCE, way="bank")
    give_back(payment, kyiv("2026-11-05 10:00"), fee=1500)
    result = ask("fees", "2026-11-01", "2026-11-06")
    assert minors(result) == {"fee": 100, "reversal_fee": 1500}
    assert result.now == Money(1600, "EUR")
    assert "2.5%" in result.notes[0]  # 1.00 of the 40.00 that came by card


def test_a_fee_that_is_stated_late_is_put_on_the_day_of_its_payment(ask):
    payment = book(kyiv("2026-10-31 23:00"), 1000, fee=None)
    assert minors(ask("fees", "2026-10-30", "2026-11-01")) == {"fee": 0}
    state_fee(payment, 40)
    assert by_piece(ask("fees", "2026-10-30", "2026-11-01"), "fee") == [0, 40, 0]


def test_more_fees_are_no_good_news(app):
    from membership.dashboard.metrics import METRICS

    assert METRICS["fees"].is_up_good is False
