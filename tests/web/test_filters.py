from datetime import UTC, datetime

import pytest
from flask_babel import force_locale

from membership.kernel.money import Money
from membership.web import filters

NOON = datetime(2026, 11, 22, 12, 5, tzinfo=UTC)


def said(web, locale, show, *values):
    with web.test_request_context(), force_locale(locale):
        return show(*values).replace("\u00a0", " ").replace("\u202f", " ").replace("\u2009", " ")


@pytest.mark.parametrize(
    ("amount", "locale", "long", "short"),
    [
        (Money(400, "EUR"), "en", "€4.00", "€4"),
        (Money(450, "EUR"), "en", "€4.50", "€4.50"),
        (Money(400, "EUR"), "uk", "4,00 €", "4 €"),
        (Money(1_234_500, "UAH"), "uk", "12 345,00 ₴", "12 345 ₴"),
        (Money(-800, "USD"), "en", "-$8.00", "-$8"),
        (Money(500, "JPY"), "en", "¥500", "¥500"),
        (Money(10_000, "UAH"), "en", "₴100.00", "₴100"),
        (Money(5_050, "CZK"), "en", "CZK 50.50", "CZK 50.50"),
    ],
)
def test_money_is_written_as_readers_write_it(web, amount, locale, long, short):
    assert said(web, locale, filters.money, amount) == long
    assert said(web, locale, filters.money_short, amount) == short


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (Money(100, "EUR"), "1 euro"),
        (Money(10_000, "UAH"), "100 hryvnias"),
        (Money(500, "USD"), "5 dollars"),
        (Money(450, "GBP"), "£4.50"),
        (Money(5_000, "CZK"), "CZK 50"),
    ],
)
def test_money_in_running_text_is_a_word(web, amount, words):
    assert said(web, "en", filters.money_words, amount) == words


def test_days_and_moments_carry_their_zone(web):
    assert said(web, "en", filters.day, NOON) == "November 22, 2026"
    assert said(web, "uk", filters.day, NOON).startswith("22 листопада 2026")
    assert said(web, "en", filters.moment, NOON) == "November 22, 2026, 14:05 EET"


def test_a_span_names_both_ends(web):
    assert said(web, "en", filters.month_span, NOON, datetime(2026, 12, 22, tzinfo=UTC)) == "Nov 22 – Dec 22, 2026"
