"""What may be set, what a change is, and what it means."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from membership.config import Settings
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from membership.newsroom.queries.first_values import SOURCES, first_values, source_of
from membership.newsroom.rules.colours import Colours, Palette, name_of, trial_css
from membership.newsroom.rules.consequences import Met, consequences
from membership.newsroom.rules.contrast import contrast
from membership.newsroom.rules.plain import Goal, Languages, LateMoney, Names
from membership.newsroom.rules.prices import DEAREST_CUP, MAY_BE_OFFERED, Prices, in_one_currency
from membership.newsroom.rules.subjects import Subject, differences, values_of
from membership.newsroom.views.theme import read_trial, trial_name
from membership.newsroom.views.words import NAMES as WORDS
from tests.conftest import make_settings
from tests.newsroom.values import (
    ALL,
    BOUNDS,
    COLOURS,
    EUR,
    GOAL,
    LANGUAGES,
    LATE,
    NAMES,
    NO_COLOURS,
    PLN,
    PRICES,
    TOKENS,
    UAH,
    WAYS,
    prices_with,
)

MET = Met(n_running={"EUR": 12, "UAH": 3}, n_awaited={"bank": 2}, n_readers={"uk": 40}, n_patrons=123)
EVERY_SUBJECT = pytest.mark.parametrize("subject", list(Subject))


def faults(values, bounds=BOUNDS):
    return {(fault.path, fault.code) for fault in values.faults(bounds)}


@EVERY_SUBJECT
def test_every_setting_comes_back_from_history_as_it_was(subject):
    assert values_of(subject, json.loads(json.dumps(ALL[subject].to_json()))) == ALL[subject]
    assert differences(ALL[subject], ALL[subject]) == []
    assert faults(ALL[subject]) == set()


@EVERY_SUBJECT
def test_the_environments_own_values_are_in_order(subject):
    known = make_settings(bank_iban="DE89370400440532013000", bank_holder="The Harbour Post")
    first = first_values(known)[subject]
    assert faults(first) == set()
    assert values_of(subject, json.loads(json.dumps(first.to_json()))) == first


@EVERY_SUBJECT
def test_every_value_has_a_name_and_says_where_it_comes_from(subject):
    known = make_settings()
    for path in ALL[subject].leaves():
        first, _, last = path.partition(".")
        assert first == "crypto" or (last or first) in WORDS, path
        assert source_of(subject, path, known) in {None, "NEWSROOM_NAME"}, path
    wanted = {name.lower() for names in SOURCES.values() for name in names.values()}
    assert wanted <= set(Settings.model_fields)


def test_a_value_is_from_the_environment_only_where_it_is_set_there():
    known = make_settings(cup_prices={"EUR": 400}, once_minimums={"EUR": 100}, fee_fixed={"EUR": 25})
    assert source_of(Subject.PRICES, "EUR.cup_minor", known) == "CUP_PRICES"
    assert source_of(Subject.PRICES, "fee_permille", known) is None
    assert source_of(
        Subject.WAYS, "crypto.Bitcoin", make_settings(crypto_addresses={"Bitcoin": "bc1q" + "x" * 20})
    ) == ("CRYPTO_ADDRESSES")


# Cups and currencies


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"cup_minor": 0}, ("EUR.cup_minor", "cup_price")),
        ({"cup_minor": DEAREST_CUP + 1}, ("EUR.cup_minor", "cup_price")),
        ({"monthly_minimum_minor": 49}, ("EUR.monthly_minimum_minor", "minimum_too_small")),
        ({"once_minimum_minor": 49}, ("EUR.once_minimum_minor", "minimum_too_small")),
        ({"monthly_minimum_minor": 401}, ("EUR.monthly_minimum_minor", "minimum_above_cup")),
        ({"once_minimum_minor": 401}, ("EUR.once_minimum_minor", "minimum_above_cup")),
        ({"fee_fixed_minor": 400}, ("EUR.fee_fixed_minor", "fee_fixed")),
        ({"fee_fixed_minor": -1}, ("EUR.fee_fixed_minor", "fee_fixed")),
    ],
)
def test_a_price_that_cannot_be_stands_at_its_value(changes, wrong):
    assert faults(prices_with("EUR", **changes)) == {wrong}


def test_at_least_one_currency_is_open_and_the_reporting_one_is_among_them():
    closed = replace(PRICES, currencies=tuple(replace(row, is_open=False) for row in PRICES.currencies))
    assert faults(closed) == {("open", "no_currency")}
    assert faults(prices_with("EUR", is_open=False)) == {("reporting_currency", "reporting_closed")}
    assert faults(replace(PRICES, reporting_currency="USD")) == {("reporting_currency", "reporting_closed")}
    assert faults(replace(PRICES, fee_permille=201)) == {("fee_permille", "fee_share")}


def test_the_dearest_cup_can_still_be_charged_four_times_for_a_year():
    offer = replace(PRICES, currencies=(replace(EUR, cup_minor=DEAREST_CUP), UAH)).offer("EUR")
    assert offer.price(Rhythm.YEARLY, 4).minor <= 99_999_999
    assert offer.maximum.minor == 99_999_999


def test_a_closed_currency_is_not_offered_and_keeps_its_price_for_support_that_runs():
    prices = prices_with("UAH", is_open=False)
    assert prices.open_currencies == ("EUR",)
    assert prices.offer("EUR").currencies == ("EUR",)
    assert prices.offer("UAH").cup == Money(10000, "UAH")


def test_a_price_is_never_thrown_away():
    before = replace(PRICES, currencies=(EUR, UAH, PLN))
    kept = PRICES.keeping(before)
    assert kept.open_currencies == ("EUR", "UAH")
    assert kept.find("PLN") == replace(PLN, is_open=False)
    assert PRICES.keeping(PRICES) == PRICES


def test_the_monthly_minimum_is_its_own_and_the_yearly_one_twelve_times_that():
    offer = prices_with("EUR", monthly_minimum_minor=300).offer("EUR")
    assert offer.minimum[Rhythm.MONTHLY] == Money(300, "EUR")
    assert offer.minimum[Rhythm.YEARLY] == Money(3600, "EUR")


def test_other_prices_have_another_mark():
    marks = {
        prices.offer("EUR").mark
        for prices in (
            PRICES,
            prices_with("EUR", cup_minor=500),
            prices_with("EUR", fee_fixed_minor=30),
            prices_with("EUR", once_minimum_minor=200),
            prices_with("EUR", monthly_minimum_minor=300),
            replace(PRICES, fee_permille=20),
        )
    }
    assert len(marks) == 6
    offer = PRICES.offer("EUR")
    assert not offer.is_other_than(offer.mark)
    assert not offer.is_other_than("")
    assert not offer.is_other_than(PRICES.offer("UAH").mark)  # that it is another currency is said in other words
    assert offer.is_other_than(prices_with("EUR", cup_minor=500).offer("EUR").mark)


def test_money_of_several_currencies_is_added_up_by_the_price_of_a_cup():
    # 8 euros are two cups; 100 hryvnias are one cup, so 4 euros; zlotys have no price here.
    assert in_one_currency({"EUR": 800, "UAH": 10000, "PLN": 999}, "EUR", PRICES) == Money(1200, "EUR")
    assert in_one_currency({"EUR": 800}, "UAH", PRICES) == Money(20000, "UAH")
    assert in_one_currency({"EUR": 800}, "PLN", PRICES) is None


def test_currencies_in_thousandths_cannot_be_added():
    assert "KWD" not in MAY_BE_OFFERED
    assert {"EUR", "PLN", "JPY"} <= set(MAY_BE_OFFERED)


# The smaller ones


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        (Goal("patrons", 0, 0, "EUR"), ("n_patrons", "goal_patrons")),
        (Goal("hearts", 1, 0, "EUR"), ("kind", "goal_kind")),
        (Goal("money", 1, 0, "EUR"), ("money_minor", "goal_money")),
        (Goal("money", 1, 100, "USD"), ("currency", "goal_currency")),
        (Names("", None), ("name", "name")),
        (Names("x" * 81, None), ("name", "name")),
        (Names("Two  spaces", None), ("name", "name")),
        (Names("Post", "nobody"), ("contact", "contact")),
        (Names("Post", "a@example.org\nBcc: b@example.org"), ("contact", "contact")),
        (Languages((), "en"), ("offered", "no_language")),
        (Languages(("uk",), "en"), ("default", "default_closed")),
        (LateMoney(61, (), books_certain=True), ("grace_days", "grace_days")),
        (LateMoney(14, (("EUR", 1_000_001),), books_certain=True), ("EUR.refund_below_minor", "refund_below")),
        (replace(WAYS, iban="DE89370400440532013001"), ("iban", "iban")),
        (replace(WAYS, iban="DE89 3704 0044 0532 0130 00"), ("iban", "iban")),
        (replace(WAYS, iban=None), ("iban", "iban_missing")),
        (replace(WAYS, holder=None), ("holder", "holder_missing")),
        (replace(WAYS, bic="NOBIC"), ("bic", "bic")),
        (replace(WAYS, bank_name="x" * 81), ("bank_name", "too_long")),
        (replace(WAYS, paypal_link="http://paypal.me/x"), ("paypal_link", "link")),
        (replace(WAYS, paypal_link="javascript:alert(1)"), ("paypal_link", "link")),
        (replace(WAYS, paypal_link="https://paypal.me@evil.example/"), ("paypal_link", "link")),
        (replace(WAYS, paypal_link="https://[::1"), ("paypal_link", "link")),
        (replace(WAYS, paypal_link=None), ("paypal_link", "link_missing")),
        (replace(WAYS, crypto=()), ("crypto", "crypto_missing")),
        (replace(WAYS, crypto=(("", "bc1qharbourpost7x0"),)), ("crypto.0.name", "crypto_name")),
        (replace(WAYS, crypto=(("Bitcoin", "a b"),)), ("crypto.0.address", "crypto_address")),
        (replace(WAYS, crypto=WAYS.crypto * 2), ("crypto.1.name", "crypto_twice")),
        (replace(WAYS, cash_words=None), ("cash_words", "cash_missing")),
        (replace(WAYS, cash_words="x" * 601), ("cash_words", "too_long")),
    ],
)
def test_what_cannot_be_stands_at_its_value(values, wrong):
    assert faults(values) == {wrong}


def test_a_way_that_is_switched_off_needs_nothing_and_stays_known():
    off = replace(WAYS, has_bank=False, has_crypto=False)
    assert off.offered == ["paypal", "cash"]
    assert faults(off) == set()
    assert off.iban == WAYS.iban
    nothing = replace(WAYS, has_bank=False, iban=None, holder=None, bic=None, bank_name=None)
    assert faults(nothing) == set()


# Colours


def test_a_colour_that_cannot_be_read_says_by_how_much_and_what_could():
    [fault] = Colours(Palette("#ff9966", None, None), NO_COLOURS).faults(BOUNDS)
    assert (fault.path, fault.code) == ("light.accent", "weak")
    # The warm ground is the one of the four whose luminance lies nearest; 1.727 to 1, worked out beside this code.
    assert (fault.details["ground"], fault.details["ratio"], fault.details["least"]) == ("paper-warm", 1.72, 4.5)
    offered = Colours(Palette(fault.details["nearest"], None, None), NO_COLOURS)
    assert offered.faults(BOUNDS) == []


def test_words_on_the_accent_are_checked_where_they_stand():
    assert faults(Colours(Palette("#1d4f8f", None, "#1d4f90"), NO_COLOURS)) == {("light.ink", "weak")}
    assert faults(Colours(Palette("#1d4f8f", "#9cc4f5", None), NO_COLOURS)) == {("light.strong", "weak")}
    assert faults(Colours(Palette(None, "#1d4f8f", None), NO_COLOURS)) == {("light.accent", "accent_missing")}
    assert faults(Colours(NO_COLOURS, Palette("#1d4f8f", None, None))) == {("dark.accent", "weak")}


@given(st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}"), st.sampled_from(["light", "dark"]))
def test_whatever_is_accepted_can_be_read_everywhere(colour, scheme):
    """What is worked out from an accent keeps the promises of tests/look/test_tokens.py, too."""
    palettes = {"light": NO_COLOURS, "dark": NO_COLOURS, scheme: Palette(colour, None, None)}
    wrong = Colours(**palettes).faults(BOUNDS)
    if wrong:
        palettes[scheme] = Palette(wrong[0].details["nearest"], None, None)
    drawn = Colours(**palettes).drawn(TOKENS).of(scheme)
    for name in ("accent", "accent-strong"):
        for ground in ("paper", "paper-raised", "paper-sunken", "paper-warm"):
            assert contrast(drawn[name], drawn[ground]) >= 4.5, (name, ground)
        assert contrast(drawn["accent-ink"], drawn[name]) >= 4.5, name


def test_the_style_sheet_of_the_colours_is_small_and_has_the_dark_ones_behind():
    css = COLOURS.css(TOKENS)
    light, dark = css.split("@media (prefers-color-scheme: dark)")
    assert "--accent:#1d4f8f" in light
    assert f"--accent:{TOKENS.dark['accent']}" in dark  # blue of the light does not shine through
    assert len(css) < 300
    assert Colours(NO_COLOURS, NO_COLOURS).css(TOKENS) == ""
    assert name_of(css) != name_of(css + " ")
    assert ".trial--dark{color-scheme:dark;" in trial_css(COLOURS, TOKENS)


def test_colours_travel_in_an_address_and_nothing_else_does():
    both = Colours(Palette("#1d4f8f", None, "#ffffff"), Palette("#9cc4f5", "#bcd8fa", None))
    assert read_trial(trial_name(both)) == both
    assert trial_name(both) == "1d4f8f.-.ffffff.9cc4f5.bcd8fa.-"
    for other in ("", "x", "1d4f8f", "1d4f8f.-.ffffff.9cc4f5.bcd8fa.-.", "1D4F8F.-.-.-.-.-", "}*{.-.-.-.-.-", "......"):
        assert read_trial(other) is None, other


# What a change means


def codes(before, after):
    return [(one.code, one.details.get("n")) for one in consequences(before, after, MET)]


def test_a_new_price_says_who_keeps_the_old_one():
    assert codes(PRICES, prices_with("EUR", cup_minor=500)) == [("cup_changed", 12), ("prices_promise", None)]
    assert codes(PRICES, prices_with("UAH", is_open=False)) == [("currency_closed", 3), ("prices_promise", None)]
    more = replace(PRICES, currencies=(EUR, UAH, PLN), fee_permille=20, reporting_currency="PLN")
    assert codes(PRICES, more) == [
        ("currency_opened", 0), ("fee_changed", None), ("reporting_changed", None), ("prices_promise", None),
    ]  # fmt: skip
    smaller = prices_with("EUR", monthly_minimum_minor=300, once_minimum_minor=200)
    assert codes(PRICES, smaller)[:2] == [("monthly_minimum", None), ("once_minimum", None)]


def test_switching_a_way_off_says_who_still_waits():
    assert codes(WAYS, replace(WAYS, has_bank=False)) == [("way_off", 2)]
    other = replace(WAYS, iban="GB29NWBK60161331926819", crypto=(("Bitcoin", "bc1qanotheraddress"),))
    assert codes(WAYS, other) == [("account_changed", 2), ("crypto_changed", None)]
    assert codes(replace(WAYS, has_cash=False), WAYS) == [("way_on", None)]


def test_the_others_say_what_they_touch():
    assert codes(GOAL, replace(GOAL, n_patrons=200)) == [("goal_patrons", 77)]
    assert codes(GOAL, replace(GOAL, n_patrons=100)) == [("goal_reached", 123)]
    assert codes(GOAL, Goal("money", 500, 100, "EUR")) == [("goal_money", None)]
    assert codes(NAMES, Names("Other", None)) == [
        ("name_changed", None),
        ("name_at_stripe", None),
        ("contact_unsaid", None),
    ]
    assert codes(LANGUAGES, Languages(("uk",), "uk")) == [("language_closed", 0), ("default_changed", None)]
    assert codes(LANGUAGES, Languages(("en",), "en")) == [("language_closed", 40)]
    assert codes(Languages(("en",), "en"), LANGUAGES) == [("language_opened", 40)]
    assert codes(COLOURS, Colours(NO_COLOURS, NO_COLOURS)) == [("colours_of_program", None)]
    assert codes(LATE, LateMoney(7, (), books_certain=False)) == [
        ("grace_changed", 7), ("books_nothing", None), ("refund_below", None),
    ]  # fmt: skip
    assert codes(LATE, LATE) == []


def test_a_difference_names_what_is_new_and_what_is_gone():
    more = replace(PRICES, currencies=(EUR, PLN))
    found = {one.path: (one.before, one.after) for one in differences(PRICES, more)}
    assert found["PLN.cup_minor"] == (None, 1500)
    assert found["UAH.cup_minor"] == (10000, None)
    assert "EUR.cup_minor" not in found
    assert Prices.of(more.to_json()) == more
