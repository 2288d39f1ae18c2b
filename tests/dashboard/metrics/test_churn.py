"""Churn and lifetime value, counted by hand."""

from decimal import Decimal

import pytest

from membership.kernel.money import Money
from membership.patrons import services as patrons
from membership.patrons.rules import Loss
from tests.dashboard.conftest import by_piece, kyiv, rate
from tests.factories.money import make_giver, support

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def begin(app):
    """Supports of one cup a month that begin together; their numbers."""

    def _begin(numbers, at="2026-10-05 10:00"):
        for number in numbers:
            support(make_giver(kyiv(at)), f"con_{number}", kyiv(at))

    return _begin


def end(number, at, cause, person="giver"):
    giver = make_giver(kyiv(at), f"{person}{number}")
    patrons.move_to(giver, f"con_{number}", Money(0, "EUR"), kyiv(at), cause=cause)


def shares(result):
    return {line.key: line.n for line in result.lines}


def test_chosen_and_failed_stand_apart_and_both_are_of_those_that_ran_before(ask, begin):
    """Eight ran at the end of two days, seven of one, five of seven: 58 days are 1.90558 months, and three ended."""
    begin(range(8))
    end(0, "2026-11-03 10:00", Loss.CHOSEN)
    end(1, "2026-11-04 10:00", Loss.FAILED)
    end(2, "2026-11-04 11:00", Loss.FAILED)
    result = ask("churn", "2026-11-01", "2026-11-10")
    assert shares(result) == {"chosen": 1, "failed": 2}
    assert (result.now, result.before) == (Decimal("1.5743"), Decimal(0))
    assert by_piece(result, "chosen")[2] == Decimal("0.1250")  # of eight
    assert by_piece(result, "failed")[3] == Decimal("0.2857")  # two of the seven that were left


def test_a_pause_and_what_we_end_have_lines_of_their_own(ask, begin):
    begin(range(4))
    end(0, "2026-11-03 10:00", Loss.PAUSED)
    end(1, "2026-11-03 10:00", Loss.STOPPED)
    result = ask("churn", "2026-11-01", "2026-11-10")
    assert shares(result) == {"chosen": 0, "failed": 0, "stopped": 1, "paused": 1}
    assert by_piece(result, "paused")[2] == Decimal("0.2500")


def test_another_currency_is_no_end(ask, begin):
    rate("EUR", "UAH", "50")
    begin(range(2))
    support(make_giver(kyiv("2026-10-01 10:00")), "con_0", kyiv("2026-11-03 10:00"), 2, "UAH")
    result = ask("churn", "2026-11-01", "2026-11-10")
    assert result.now == 0
    assert sum(line.n for line in result.lines) == 0


def test_an_end_just_after_midnight_in_kyiv_is_of_the_new_month(ask, begin):
    begin(range(2), "2026-09-05 10:00")
    end(0, "2026-11-01 00:30", Loss.CHOSEN)  # in London it is October still
    assert shares(ask("churn", "2026-10-01", "2026-10-31"))["chosen"] == 0
    assert shares(ask("churn", "2026-11-01", "2026-11-10"))["chosen"] == 1


def test_where_no_support_ran_there_is_nothing_to_divide_by(ask, begin):
    begin([1], "2026-11-05 10:00")
    result = ask("churn", "2026-11-01", "2026-11-04")
    assert (result.now, by_piece(result, "chosen")) == (None, [None] * 4)
    assert "nothing to divide by" in result.notes[0]


def test_a_cause_that_an_older_version_did_not_write_counts_as_chosen(ask, begin):
    from membership.db import db, transaction
    from membership.patrons.models import Movement

    begin(range(2))
    with transaction("test"):
        giver = make_giver(kyiv("2026-11-01 10:00"))
        db.session.add(Movement(person_id=giver, reference="con_0", kind="lost", at=kyiv("2026-11-03 10:00"),
                                yearly_delta_minor=-4800, milli_cups_delta=-1000, currency="EUR"))  # fmt: skip
    assert shares(ask("churn", "2026-11-01", "2026-11-10"))["chosen"] == 1


def test_the_lifetime_value_is_the_average_support_times_the_months_that_one_lasts(ask, begin):
    """Thirty supports of four euros; ten end on the morning of the eleventh day.

    Thirty ran at the end of each of ten days and twenty at the end of each of ten more: 500 days, 16.4274 months.
    Divided by ten ends, one lasts 1.64274 months: 6.57 euros.
    """
    begin(range(30))
    for number in range(10):
        end(number, "2026-10-21 08:00", Loss.CHOSEN)
    result = ask("lifetime-value", "2026-10-11", "2026-10-30")
    assert result.now == Money(657, "EUR")
    assert result.before is None  # nothing had ended: too early to say
    assert result.notes == ()


def test_with_fewer_than_ten_ends_it_is_too_early_to_say(ask, begin):
    begin(range(12))
    for number in range(9):
        end(number, "2026-11-03 08:00", Loss.FAILED)
    result = ask("lifetime-value", "2026-11-01", "2026-11-10")
    assert result.now is None
    assert "Only 9 supports ended" in result.notes[0]
