"""One-time and other gifts, counted by hand."""

import pytest
from sqlalchemy import update

from membership.contributions.models import Contribution
from membership.db import db, transaction
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from tests.dashboard.conftest import by_piece, kyiv, minors, rate
from tests.factories.gifts import make_gift
from tests.factories.money import book, give_back

ONCE = Rhythm.ONCE
pytestmark = pytest.mark.usefixtures("app")


def test_single_gifts_by_card_and_by_other_ways_and_no_recurring_payment(ask):
    book(kyiv("2026-11-02 10:00"), 1000, rhythm=ONCE)
    book(kyiv("2026-11-03 10:00"), 5000, rhythm=ONCE, way="bank")
    book(kyiv("2026-11-03 11:00"), 700, rhythm=ONCE, way="cash")
    book(kyiv("2026-11-03 12:00"), 400, rhythm=Rhythm.MONTHLY)
    result = ask("gifts", "2026-11-01", "2026-11-04")
    assert minors(result) == {"card": 1000, "other": 5700, "returned": 0}
    assert by_piece(result, "other") == [0, 0, 5700, 0]
    assert result.now == Money(6700, "EUR")


def test_a_membership_for_somebody_else_stands_by_itself(ask):
    make_gift(at=kyiv("2026-11-02 10:00"), n_months=3)
    assert minors(ask("gifts", "2026-11-01", "2026-11-04")) == {"card": 0, "gift": 1200, "returned": 0}


def test_a_refund_over_a_month_end_is_taken_off_where_it_leaves(ask):
    payment = book(kyiv("2026-10-30 10:00"), 1000, rhythm=ONCE)
    give_back(payment, kyiv("2026-11-02 10:00"), 600)
    october, november = ask("gifts", "2026-10-01", "2026-10-31"), ask("gifts", "2026-11-01", "2026-11-18")
    assert (october.now, november.now) == (Money(1000, "EUR"), Money(-600, "EUR"))
    assert november.before == Money(1000, "EUR")


def test_a_dispute_that_is_won_brings_it_back(ask):
    payment = book(kyiv("2026-11-02 10:00"), 1000, rhythm=ONCE)
    name = give_back(payment, kyiv("2026-11-03 10:00"))
    give_back(payment, kyiv("2026-11-05 10:00"), name=name, back=True)
    result = ask("gifts", "2026-11-01", "2026-11-06")
    assert by_piece(result, "returned") == [0, 0, -1000, 0, 1000, 0]
    assert result.now == Money(1000, "EUR")


def test_each_day_has_its_rate(ask):
    rate("EUR", "UAH", "40", "2026-11-01")
    rate("EUR", "UAH", "50", "2026-11-03")
    book(kyiv("2026-11-02 10:00"), 100_000, "UAH", rhythm=ONCE)
    book(kyiv("2026-11-03 10:00"), 100_000, "UAH", rhythm=ONCE)
    assert by_piece(ask("gifts", "2026-11-02", "2026-11-03"), "card") == [2500, 2000]
    assert by_piece(ask("gifts", "2026-11-02", "2026-11-03", "UAH"), "card") == [100_000, 100_000]


def test_the_hour_that_comes_twice_belongs_to_the_day_that_it_is_in(ask):
    # 25 October 2026, 03:30 comes twice in Kyiv; the last second of that day is its own.
    for text in ("2026-10-25 03:30", "2026-10-25 23:59:59", "2026-10-26 00:00"):
        book(kyiv(text), 100, rhythm=ONCE)
    assert by_piece(ask("gifts", "2026-10-24", "2026-10-26"), "card") == [0, 200, 100]


def test_what_a_payment_was_for_is_read_from_its_contribution_alone(ask):
    make_gift(at=kyiv("2026-11-02 10:00"))
    before = minors(ask("gifts", "2026-11-01", "2026-11-04"))
    with transaction("test.erase"):
        db.session.execute(update(Contribution).values(email=""))
    assert minors(ask("gifts", "2026-11-01", "2026-11-04")) == before
