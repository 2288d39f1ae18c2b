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
