from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from membership.dashboard.rules import stories
from membership.dashboard.rules.days import days_between, span_of
from membership.dashboard.rules.nice import ticks
from membership.dashboard.rules.periods import Range, Step, period_of, pieces
from membership.dashboard.rules.rates import Quote, RateBook, convert
from membership.kernel.errors import InvalidInput
from membership.kernel.money import Money

KYIV = ZoneInfo("Europe/Kyiv")
TODAY = date(2026, 11, 18)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Kyiv", date(2026, 3, 29), 23),
        ("Europe/Kyiv", date(2026, 10, 25), 25),
        ("Europe/Kyiv", date(2026, 11, 18), 24),
        ("Africa/Cairo", date(2026, 4, 24), 23),  # there midnight itself is skipped
        ("America/Havana", date(2026, 11, 1), 25),  # there the hour after midnight comes twice
    ],
)
def test_a_day_is_as_long_as_its_clocks_say(zone, day, hours):
    start, end = span_of(day, ZoneInfo(zone))
    assert end - start == timedelta(hours=hours)
    assert start.astimezone(ZoneInfo(zone)).date() == day
    assert (start - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date() < day


@given(st.integers(0, 10 * 365 * 86_400).map(lambda n: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=n)))
def test_every_moment_lies_in_exactly_the_day_that_its_date_is(at):
    day = at.astimezone(KYIV).date()
    start, end = span_of(day, KYIV)
    assert start <= at < end


def test_ranges_and_what_they_are_compared_with():
    def dates(name):
        period = period_of(name, TODAY)
        return period.start_on, period.last_on, *period.before

    assert dates("month") == (date(2026, 11, 1), TODAY, date(2026, 10, 1), date(2026, 10, 19))
    assert dates("30") == (date(2026, 10, 20), TODAY, date(2026, 9, 20), date(2026, 10, 20))
    assert dates("quarter") == (date(2026, 10, 1), TODAY, date(2026, 7, 1), date(2026, 8, 19))
    assert dates("year") == (date(2026, 1, 1), TODAY, date(2025, 1, 1), date(2025, 11, 19))


def test_a_longer_month_is_compared_with_no_more_than_the_whole_month_before():
    period = period_of("month", date(2026, 3, 31))
    assert period.before == (date(2026, 2, 1), date(2026, 3, 1))


def test_own_days_are_compared_with_as_many_before_them():
    period = period_of("own", TODAY, date(2026, 11, 10), date(2026, 11, 12))
    assert (period.range, period.n_days, period.before) == (Range.OWN, 3, (date(2026, 11, 7), date(2026, 11, 10)))


@pytest.mark.parametrize(
    ("name", "start", "end", "code"),
    [
        ("week", None, None, "range"),
        ("own", None, date(2026, 11, 1), "range_dates"),
        ("own", date(2026, 11, 2), date(2026, 11, 1), "range_dates"),
        ("own", date(2026, 11, 2), date(2026, 11, 19), "range_dates"),
        ("own", date(1999, 1, 1), date(2026, 11, 1), "range_dates"),
    ],
)
def test_what_makes_no_range_is_refused(name, start, end, code):
    with pytest.raises(InvalidInput) as refused:
        period_of(name, TODAY, start, end)
    assert refused.value.code == code


@given(st.dates(date(2020, 1, 1), date(2026, 1, 1)), st.integers(1, 900), st.sampled_from(Step))
def test_pieces_cover_a_range_without_gap_or_overlap(start, n_days, step):
    end = start + timedelta(days=n_days)
    cut = pieces(start, end, step)
    assert [first for first, _ in cut] == [start, *(last for _, last in cut[:-1])]
    assert cut[-1][1] == end
    assert all(first < last for first, last in cut)


def test_days_between_holds_both_ends():
    assert list(days_between(date(2026, 2, 27), date(2026, 3, 1))) == [
        date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1),
    ]  # fmt: skip
    assert list(days_between(date(2026, 3, 1), date(2026, 2, 27))) == []


# Rates -------------------------------------------------------------------------------------------------

FRIDAY = date(2026, 11, 13)


def quote(source, on, base, currency, rate):
    return Quote(source, on, base, currency, Decimal(rate))


def worth(quotes, currency, reporting, day):
    found = RateBook(quotes).find(currency, reporting, day)
    return found and found.rate


def test_a_rate_holds_over_the_weekend_and_not_for_ever():
    quotes = [quote("ecb", FRIDAY, "EUR", "USD", "1.25")]
    assert worth(quotes, "USD", "EUR", FRIDAY) == Decimal("0.8")
    assert worth(quotes, "EUR", "USD", FRIDAY + timedelta(days=2)) == Decimal("1.25")
    assert worth(quotes, "USD", "EUR", FRIDAY + timedelta(days=10)) == Decimal("0.8")
    assert worth(quotes, "USD", "EUR", FRIDAY + timedelta(days=11)) is None
    assert worth(quotes, "USD", "EUR", FRIDAY - timedelta(days=1)) is None


def test_two_currencies_that_are_not_quoted_in_each_other_meet_in_a_third():
    quotes = [quote("nbu", FRIDAY, "EUR", "UAH", "50"), quote("nbu", FRIDAY, "USD", "UAH", "40")]
    assert worth(quotes, "USD", "EUR", FRIDAY) == Decimal("0.8")


def test_two_sources_are_never_mixed_into_one_rate():
    quotes = [quote("nbu", FRIDAY, "USD", "UAH", "40"), quote("ecb", FRIDAY, "EUR", "USD", "1.25")]
    assert worth(quotes, "UAH", "EUR", FRIDAY) is None


def test_the_newest_published_rate_counts_and_on_one_day_the_newsroom_s_own_table():
    quotes = [
        quote("csv", FRIDAY, "EUR", "USD", "1.00"),
        quote("ecb", FRIDAY, "EUR", "USD", "1.25"),
        quote("nbu", FRIDAY + timedelta(days=1), "EUR", "USD", "1.60"),
    ]
    assert worth(quotes, "EUR", "USD", FRIDAY) == Decimal("1.00")
    assert worth(quotes, "EUR", "USD", FRIDAY + timedelta(days=1)) == Decimal("1.60")


def test_what_was_set_by_hand_counts_where_nothing_was_published_however_old():
    quotes = [quote("manual", date(2020, 1, 1), "EUR", "UAH", "30"), quote("nbu", FRIDAY, "EUR", "UAH", "50")]
    assert worth(quotes, "EUR", "UAH", FRIDAY - timedelta(days=1)) == 30
    assert worth(quotes, "EUR", "UAH", FRIDAY) == 50
    assert worth(quotes, "EUR", "UAH", date(2019, 12, 31)) is None


def test_the_same_currency_needs_no_rate():
    assert worth([], "EUR", "EUR", FRIDAY) == 1


def test_nothing_is_worth_one_to_one_for_want_of_a_rate():
    assert worth([], "USD", "EUR", FRIDAY) is None


@pytest.mark.parametrize(
    ("minor", "currency", "reporting", "rate", "wanted"),
    [
        (1000, "USD", "EUR", "0.8", 800),
        (1000, "JPY", "EUR", "0.006", 600),  # yen have no smaller unit
        (600, "EUR", "JPY", "166.666666666", 1000),
        (25, "USD", "EUR", "0.5", 12),  # halves go to the even neighbour
        (35, "USD", "EUR", "0.5", 18),
        (-25, "USD", "EUR", "0.5", -12),
    ],
)
def test_amounts_are_rounded_to_the_smallest_unit_half_to_even(minor, currency, reporting, rate, wanted):
    assert convert(Money(minor, currency), reporting, Decimal(rate)) == Money(wanted, reporting)


# Axes --------------------------------------------------------------------------------------------------


@given(st.floats(-1e7, 1e7), st.floats(0, 1e7), st.sampled_from([1.0, 0.1]))
def test_marks_of_an_axis_are_round_and_hold_everything(low, span, smallest):
    high = low + span
    marks = ticks(low, high, smallest=smallest)
    assert len(marks) in range(2, 9)
    assert float(marks[0]) <= low + 1e-6
    assert float(marks[-1]) >= high - 1e-6
    step = marks[1] - marks[0]
    assert all(b - a == step for a, b in pairwise(marks))
    assert str(step.normalize().as_tuple().digits[0]) in "125"


# Stories -----------------------------------------------------------------------------------------------

STORY = "https://www.Example.org/news/2026/port-contracts.html?from=letter#top"


@pytest.mark.parametrize(
    "article",
    [
        "port-contracts", "Port-Contracts", "/news/2026/port-contracts", "news/2026/port-contracts/",
        "2026/port-contracts",
        "https://example.org/news/2026/port-contracts", "http://example.org/news/2026/port-contracts.html?utm=x",
        "example.org/news/2026/port-contracts", " port%2Dcontracts ",
    ],
)  # fmt: skip
def test_an_article_is_a_story_by_its_address_or_any_end_of_it(article):
    assert stories.plain(article) in stories.names_of([STORY])


@pytest.mark.parametrize(
    "article", ["", "contracts", "news", "news/2026", "https://other.org/news/2026/port-contracts", "/"]
)
def test_any_other_name_is_another_story(article):
    assert stories.plain(article) not in stories.names_of([STORY])


def test_a_house_without_stories_has_no_names():
    assert stories.names_of([]) == stories.names_of([""]) == frozenset()


@given(st.text(max_size=60))
def test_no_name_that_somebody_makes_up_breaks_it(name):
    stories.plain(name)
    stories.plain(f"https://{name}")


@pytest.mark.parametrize("name", ["https://[", "//[::1", "http://a]b/c", "%", "%ff%"])
def test_what_is_no_address_is_a_name_like_any_other(name):
    assert stories.plain(name) in stories.names_of([name])
