"""The doctor says when days are no longer summed, and when exchange rates no longer come; else that all is fine."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import delete

from membership.dashboard.examining import AT_MOST, QUIET_DAYS, examine
from membership.dashboard.models import ExchangeRate, RollupState
from membership.dashboard.rules.rates import Quote
from membership.dashboard.services import rating, rebuilding
from membership.db import db, transaction
from membership.kernel import clock
from membership.kernel.said import packed
from membership.newsroom.queries import day_of
from membership.operations.examining.finding import Weight
from membership.web.filters import in_words
from tests.conftest import make_settings
from tests.factories.money import book

HOUR = timedelta(hours=1)


@pytest.fixture
def now():
    """A moment that stands still until it is shifted."""
    with time_machine.travel("2026-11-18 10:00:00Z", tick=False) as traveller:
        yield traveller


def codes(weight=None) -> list[str]:
    db.session.rollback()
    return [each.code for each in examine() if weight in {None, each.weight}]


def wrong() -> list[str]:
    return codes(Weight.PROBLEM) + codes(Weight.NOTE)


# Daily sums ---------------------------------------------------------------------------------------------


def test_an_empty_newsroom_has_nothing_to_sum(app, now):
    assert codes(Weight.FINE) == ["rollups"]
    assert wrong() == []


def test_days_that_were_summed_within_the_hour_are_fine(app, now):
    book(clock.now())
    rebuilding.roll(clock.now())
    now.shift(AT_MOST)
    assert wrong() == []


def test_rows_of_before_today_that_nobody_ever_summed_are_a_problem(app, now):
    book(clock.now())
    assert wrong() == []  # it is new
    now.shift(24 * HOUR)
    assert wrong() == ["rollups"]


def test_a_worker_that_no_longer_sums_is_found_after_an_hour(app, now):
    book(clock.now())
    rebuilding.roll(clock.now())
    now.shift(AT_MOST + timedelta(seconds=1))
    [found] = [each for each in examine() if each.code == "rollups"]
    assert "knows nothing of what came after" in found.what
    rebuilding.roll(clock.now())
    assert wrong() == []


def test_days_that_cannot_be_summed_are_counted_although_the_worker_goes_on_looking(app, now, monkeypatch):
    book(clock.now())
    rebuilding.roll(clock.now())

    def broken(*args, **kwargs):
        raise ValueError("a row that nobody can sum")

    monkeypatch.setattr("membership.dashboard.services.summing._sum_day", broken)
    for _ in range(2):
        now.shift(AT_MOST)
        with pytest.raises(ValueError, match="nobody can sum"):
            rebuilding.roll(clock.now())
    [found] = [each for each in examine() if each.code == "rollups"]
    assert found.weight is Weight.PROBLEM
    assert "wait to be summed for more than an hour: 1" in found.what


def test_an_installation_that_was_just_upgraded_is_given_time(app, now):
    book(clock.now())
    rebuilding.roll(clock.now())
    with transaction("test.upgraded"):
        db.session.get_one(RollupState, 1).summed_at = None
    now.shift(2 * AT_MOST)
    assert wrong() == []


# Exchange rates -----------------------------------------------------------------------------------------


def quote(source="ecb", currency="USD", days_ago=0) -> None:
    rating.take_in([Quote(source, day_of(clock.now()) - timedelta(days=days_ago), "EUR", currency, 2)])


@pytest.fixture
def banks(app):
    app.extensions["membership.settings"] = make_settings(
        rates_ecb_url="https://bank.example/ecb", rates_nbu_url="https://bank.example/nbu"
    )


def test_a_bank_that_is_not_set_is_not_missed(app, now):
    assert "rates_silent" not in codes()


def test_a_bank_that_never_answered_is_worth_a_look(banks, now):
    quote("nbu", "UAH")
    [found] = [each for each in examine() if each.code == "rates_silent"]
    assert (found.weight, found.what) == (
        Weight.NOTE, "The European Central Bank has not told us any exchange rate yet.",
    )  # fmt: skip


@pytest.mark.parametrize(("days_ago", "expected"), [(0, 0), (QUIET_DAYS, 0), (QUIET_DAYS + 1, 2)])
def test_a_bank_that_is_silent_for_longer_than_over_easter_is_worth_a_look(banks, now, days_ago, expected):
    for source in ("ecb", "nbu"):
        quote(source, days_ago=days_ago)
    assert codes(Weight.NOTE).count("rates_silent") == expected


def test_money_that_can_no_longer_be_brought_into_our_currency_is_a_problem(app, now):
    book(clock.now(), 500, "USD")
    rebuilding.roll(clock.now())
    [found] = [each for each in examine() if each.code == "rates_missing"]
    assert found.weight is Weight.PROBLEM
    assert found.what == "There is no exchange rate of these days into EUR for: USD."
    quote(days_ago=10)
    assert wrong() == []
    with transaction("test.forget"):
        db.session.execute(delete(ExchangeRate))
    quote(days_ago=11)
    assert "rates_missing" in wrong()


def test_the_page_says_it_in_ukrainian(app, now, banks):
    with app.test_request_context("/", headers={"Accept-Language": "uk"}):
        said = [in_words(packed(each.what)) for each in examine() if each.code == "rates_silent"]
    assert said[0] == "Європейський центральний банк ще не повідомив жодного курсу."
