import pytest
from hypothesis import given
from hypothesis import strategies as st

from membership.kernel.money import MINOR_DIGITS, Money, sum_by_currency

currencies = st.sampled_from(sorted(MINOR_DIGITS))
amounts = st.integers(-(10**12), 10**12)


@given(amounts, currencies, st.lists(st.integers(0, 1000), min_size=1, max_size=20).filter(any))
def test_allocate_loses_no_cent_and_is_fair_to_one_unit(minor, currency, weights):
    parts = Money(minor, currency).allocate(weights)
    assert sum(part.minor for part in parts) == minor
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part.minor - minor * weight / sum(weights)) <= 1


@given(st.integers(0, 10**12 - 1), currencies)
def test_an_amount_is_read_back_as_it_was_written(minor, currency):
    money = Money(minor, currency)
    assert Money.parse(str(money.amount), currency) == money
    assert Money.parse(str(money.amount).replace(".", ","), currency) == money


@given(st.text(max_size=20), currencies)
def test_whatever_is_typed_is_an_exact_amount_or_a_clear_refusal(text, currency):
    try:
        money = Money.parse(text, currency)
    except ValueError:
        return
    assert money.minor >= 0


@pytest.mark.parametrize("typed", ["1.5", "1,5"])
def test_a_currency_without_cents_takes_no_cents(typed):
    with pytest.raises(ValueError, match="Too long"):
        Money.parse(typed, "JPY")


def test_two_currencies_never_mix():
    for mix in (lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a < b, lambda a, b: a <= b):
        with pytest.raises(ValueError, match="mix"):
            mix(Money(1, "EUR"), Money(1, "USD"))


@pytest.mark.parametrize("wrong", [1.0, True, "1", None])
def test_money_is_whole_numbers_only(wrong):
    with pytest.raises(TypeError):
        Money(wrong, "EUR")


def test_an_unknown_currency_is_refused():
    with pytest.raises(ValueError, match="Unknown currency"):
        Money(1, "XXX")


def test_a_sum_over_currencies_is_a_map():
    assert sum_by_currency([Money(1, "EUR"), Money(2, "USD"), Money(3, "EUR")]) == {
        "EUR": Money(4, "EUR"),
        "USD": Money(2, "USD"),
    }


@pytest.mark.parametrize(
    ("typed", "currency", "minor"),
    [
        ("12", "EUR", 1200),
        ("12.5", "EUR", 1250),
        ("12,50", "EUR", 1250),
        ("0.05", "EUR", 5),
        ("1\u202f234 567,89", "EUR", 123456789),
        ("999999999999", "EUR", 99999999999900),
        ("12.345", "KWD", 12345),
        ("12", "JPY", 12),
        ("٣", "EUR", 300),
    ],
)
def test_an_amount_is_read_to_the_last_cent(typed, currency, minor):
    assert Money.parse(typed, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    "typed", ["", "1.", "1,", ".5", ",5", "1.2.3", "1,2,3", "-1", "+1", "1e3", "twelve", "1.x", "½"]
)
def test_what_is_no_amount_is_refused(typed):
    with pytest.raises(ValueError, match=r"^Not an amount: "):
        Money.parse(typed, "EUR")


@pytest.mark.parametrize("typed", ["1000000000000", "1.234"])
def test_an_amount_is_neither_rounded_nor_without_end(typed):
    with pytest.raises(ValueError, match=rf"^Too long for an amount in EUR: '{typed}'\.$"):
        Money.parse(typed, "EUR")


def test_an_amount_in_an_unknown_currency_is_not_read():
    with pytest.raises(ValueError, match=r"^Unknown currency 'XXX'\.$"):
        Money.parse("1", "XXX")


def test_amounts_are_added_subtracted_turned_and_multiplied():
    three, two = Money(300, "EUR"), Money(200, "EUR")
    assert (three + two, three - two, two - three) == (Money(500, "EUR"), Money(100, "EUR"), Money(-100, "EUR"))
    assert (-three, three * 4, three * 0) == (Money(-300, "EUR"), Money(1200, "EUR"), Money(0, "EUR"))


@pytest.mark.parametrize("times", [1.0, True, "2"])
def test_amounts_are_multiplied_by_whole_numbers_only(times):
    with pytest.raises(TypeError, match=rf"^Money is multiplied by whole numbers only, not {times!r}\.$"):
        Money(1, "EUR") * times


def test_amounts_are_compared():
    one, two = Money(1, "EUR"), Money(2, "EUR")
    assert (one < two, two < one, one < Money(1, "EUR")) == (True, False, False)
    assert (one <= two, two <= one, one <= Money(1, "EUR")) == (True, False, True)


@pytest.mark.parametrize(
    ("money", "written"),
    [(Money(1250, "EUR"), "12.50 EUR"), (Money(-5, "EUR"), "-0.05 EUR"), (Money(12, "JPY"), "12 JPY"),
     (Money(1, "BHD"), "0.001 BHD")],
)  # fmt: skip
def test_an_amount_is_written_in_major_units(money, written):
    assert str(money) == written


@pytest.mark.parametrize(
    ("minor", "weights", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (-100, [1, 1, 1], [-34, -33, -33]),
        (101, [1, 1, 1], [34, 34, 33]),
        (10, [2, 1], [7, 3]),
        (11, [1, 2], [4, 7]),
        (10, [1, 2], [3, 7]),
        (7, [0, 1], [0, 7]),
        (1, [1], [1]),
        (0, [1, 2], [0, 0]),
    ],
)
def test_what_is_left_over_goes_to_the_largest_remainders_and_among_equals_to_the_first(minor, weights, parts):
    assert Money(minor, "EUR").allocate(weights) == [Money(part, "EUR") for part in parts]


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [-1, 2], [1, -1]])
def test_nothing_is_split_by_weights_that_mean_nothing(weights):
    with pytest.raises(ValueError, match=r"^Weights must be whole numbers, none negative, with a positive sum\.$"):
        Money(100, "EUR").allocate(weights)


def test_what_money_says_when_it_refuses():
    with pytest.raises(TypeError, match=r"^Money takes whole minor units, not '1'\.$"):
        Money("1", "EUR")
    with pytest.raises(ValueError, match=r"^Unknown currency 'eur'\.$"):
        Money(1, "eur")
    with pytest.raises(ValueError, match=r"^Cannot mix EUR and USD\.$"):
        Money(1, "EUR") + Money(1, "USD")
