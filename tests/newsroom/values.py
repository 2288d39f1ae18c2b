"""Settings for tests: fixed, boring, valid."""

from dataclasses import replace

from membership.newsroom.rules.colours import Colours, Palette
from membership.newsroom.rules.faults import Bounds
from membership.newsroom.rules.plain import Goal, Languages, LateMoney, Names
from membership.newsroom.rules.prices import CurrencyPrices, Prices
from membership.newsroom.rules.subjects import Subject
from membership.newsroom.rules.tokens import read_tokens
from membership.newsroom.rules.ways import Ways
from tests.look.test_tokens import TOKENS as CSS

TOKENS = read_tokens(CSS)
BOUNDS = Bounds(tokens=TOKENS, least={"EUR": 50, "USD": 50, "PLN": 200}, offered=("EUR", "UAH"))

EUR = CurrencyPrices("EUR", 400, 400, 100, 25, is_open=True)
UAH = CurrencyPrices("UAH", 10000, 10000, 5000, 1200, is_open=True)
PLN = CurrencyPrices("PLN", 1500, 1500, 500, 100, is_open=True)
PRICES = Prices((EUR, UAH), "EUR", 15)
GOAL = Goal("patrons", 500, 0, "EUR")
WAYS = Ways(
    has_bank=True,
    iban="DE89370400440532013000",
    holder="The Harbour Post",
    bic="COBADEFFXXX",
    bank_name="Harbour Bank",
    has_paypal=True,
    paypal_link="https://paypal.me/harbourpost",
    has_crypto=True,
    crypto=(("Bitcoin", "bc1qharbourpost7x0"),),
    has_cash=True,
    cash_words="An envelope through our letter box.",
)
NAMES = Names("The Harbour Post", "hello@example.org")
LANGUAGES = Languages(("en", "uk"), "en")
NO_COLOURS = Palette(None, None, None)
COLOURS = Colours(Palette("#1d4f8f", None, None), NO_COLOURS)
LATE = LateMoney(14, (("EUR", 500),), books_certain=True)
ALL = {
    Subject.PRICES: PRICES,
    Subject.GOAL: GOAL,
    Subject.WAYS: WAYS,
    Subject.NAMES: NAMES,
    Subject.LANGUAGES: LANGUAGES,
    Subject.COLOURS: COLOURS,
    Subject.LATE: LATE,
}


def prices_with(currency, **changes) -> Prices:
    rows = (replace(row, **changes) if row.currency == currency else row for row in PRICES.currencies)
    return replace(PRICES, currencies=tuple(rows))
