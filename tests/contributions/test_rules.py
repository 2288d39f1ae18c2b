import pytest
from hypothesis import given
from hypothesis import strategies as st

from membership.contributions.rules import (
    LIVE,
    NEXT,
    State,
    choice_of,
    clean_attribution,
    clean_public_name,
    gift_from,
    may_become,
)
from membership.kernel.errors import InvalidInput
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from membership.newsroom.rules import build_offer, whole_cups

OFFER = build_offer("EUR", {"EUR": 400, "UAH": 10000}, {"EUR": 100, "UAH": 5000}, 15, {"EUR": 25, "UAH": 1200})


def euros(minor):
    return Money(minor, "EUR")


def test_two_cups_cost_eight_euros_a_month_and_ninety_six_a_year():
    assert gift_from(OFFER, Rhythm.MONTHLY, "2", "") == euros(800)
    assert gift_from(OFFER, Rhythm.YEARLY, "2", "") == euros(9600)
    assert gift_from(OFFER, Rhythm.ONCE, "2", "") == euros(800)


@pytest.mark.parametrize("typed", ["12.50", "12,50", " 12,5 ", "12.5"])
def test_an_own_amount_is_read_with_comma_or_point(typed):
    assert gift_from(OFFER, Rhythm.MONTHLY, "own", typed) == euros(1250)


@pytest.mark.parametrize(
    "typed", ["", "abc", "-5", "1e3", "1.234", "12.345,00", "NaN", "∞", "5 €", "0x10", "9" * 20, "١٢.٥٥٥"]
)
def test_what_is_no_amount_is_refused_at_the_amount_field(typed):
    with pytest.raises(InvalidInput) as refusal:
        gift_from(OFFER, Rhythm.MONTHLY, "own", typed)
    assert refusal.value.field == "amount"


@pytest.mark.parametrize(
    ("rhythm", "typed", "code"),
    [
        (Rhythm.MONTHLY, "3.99", "too_little"),
        (Rhythm.YEARLY, "47.99", "too_little"),
        (Rhythm.ONCE, "0.99", "too_little"),
        (Rhythm.ONCE, "10000.01", "too_much"),
    ],
)
def test_an_amount_outside_the_limits_is_refused_with_the_limit(rhythm, typed, code):
    with pytest.raises(InvalidInput) as refusal:
        gift_from(OFFER, rhythm, "own", typed)
    assert refusal.value.code == code


def test_a_choice_that_is_not_on_offer_is_refused():
    with pytest.raises(InvalidInput):
        gift_from(OFFER, Rhythm.MONTHLY, "3", "")


def test_a_one_time_gift_may_be_less_than_a_cup():
    assert whole_cups(gift_from(OFFER, Rhythm.ONCE, "own", "1"), Rhythm.ONCE, OFFER.cup) == 0


@given(st.integers(1, 10_000_000))
def test_the_covered_fee_leaves_the_gift_whole_and_is_the_smallest_that_does(minor):
    def fee_on(charge):
        return -(-(charge * 15) // 1000) + 25

    extra = OFFER.fee_for(euros(minor)).minor
    assert minor + extra - (minor + extra) * 15 / 1000 - 25 >= minor - 1e-6
    smaller = extra - 1
    assert minor + smaller - (minor + smaller) * 15 / 1000 - 25 < minor
    assert fee_on(minor + extra) <= extra + 1


def test_a_public_name_loses_what_cannot_be_seen():
    assert clean_public_name("  Оле\u200bна\u202e \n K. ") == "Олена K."
    assert clean_public_name(" \u200b ") is None


def test_a_name_longer_than_sixty_characters_is_refused():
    with pytest.raises(InvalidInput):
        clean_public_name("x" * 61)


def test_attribution_keeps_known_keys_only_and_cuts_them():
    kept = clean_attribution({"article": "a" * 500, "utm_source": "x\ny", "evil": "1", "appeal": ""})
    assert kept == {"article": "a" * 200, "utm_source": "xy"}


def test_every_state_that_lives_has_an_exit_and_every_state_can_be_reached():
    assert all(NEXT[state] for state in LIVE)
    reached = {State.STARTED}
    while more := {then for state in reached for then in NEXT[state]} - reached:
        reached |= more
    assert reached == set(State)


def test_an_abandoned_checkout_that_is_paid_after_all_counts():
    assert may_become(State.ABANDONED, State.ACTIVE)
    assert not may_become(State.ACTIVE, State.ABANDONED)


@pytest.mark.parametrize("blank", ["\u3164", "\u2800\u115f", "\ufe0f", "...", "- -"])
def test_a_name_without_a_visible_letter_is_no_name(blank):
    assert clean_public_name(blank) is None


def test_marks_do_not_pile_up_on_a_letter():
    assert clean_public_name("Zoe" + "\u0321" * 59) == "Zoe" + "\u0321" * 2


@pytest.mark.parametrize("rhythm", list(Rhythm))
@pytest.mark.parametrize(("cups", "amount"), [("1", ""), ("4", ""), ("own", "77.50"), ("own", "1234")])
def test_coming_back_from_the_payment_page_shows_the_same_choice(rhythm, cups, amount):
    gift = gift_from(OFFER, rhythm, cups, amount)
    choice = choice_of(gift, rhythm, OFFER.cup)
    assert gift_from(OFFER, rhythm, choice["cups"], choice.get("amount", "")) == gift
