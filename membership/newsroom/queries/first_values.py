"""What the environment says of the settings: it counts until somebody saves a page of them."""

from collections.abc import Mapping

from membership.config import Settings
from membership.newsroom.rules.colours import Colours, Palette
from membership.newsroom.rules.plain import Goal, Languages, LateMoney, Names
from membership.newsroom.rules.prices import CurrencyPrices, Prices
from membership.newsroom.rules.subjects import Subject, Values
from membership.newsroom.rules.ways import Ways
from membership.web.i18n import DEFAULT, LANGUAGES

# Last part of a path in `leaves` -> the setting in the environment that it comes from at first. What is not here
# has no setting there: it comes with the program.
SOURCES: Mapping[Subject, Mapping[str, str]] = {
    Subject.PRICES: {
        "cup_minor": "CUP_PRICES",
        "monthly_minimum_minor": "CUP_PRICES",
        "is_open": "CUP_PRICES",
        "once_minimum_minor": "ONCE_MINIMUMS",
        "fee_fixed_minor": "FEE_FIXED",
        "fee_permille": "FEE_PERMILLE",
        "reporting_currency": "REPORTING_CURRENCY",
    },
    Subject.GOAL: {"n_patrons": "GOAL_PATRONS"},
    Subject.WAYS: {
        "has_bank": "BANK_IBAN",
        "iban": "BANK_IBAN",
        "holder": "BANK_HOLDER",
        "bic": "BANK_BIC",
        "bank_name": "BANK_NAME",
        "has_paypal": "PAYPAL_LINK",
        "paypal_link": "PAYPAL_LINK",
        "has_crypto": "CRYPTO_ADDRESSES",
        "crypto": "CRYPTO_ADDRESSES",
        "has_cash": "CASH_WORDS",
        "cash_words": "CASH_WORDS",
    },
    Subject.NAMES: {"name": "NEWSROOM_NAME", "contact": "CONTACT_ADDRESS"},
    Subject.LANGUAGES: {},
    Subject.COLOURS: {},
    Subject.LATE: {
        "grace_days": "GRACE_DAYS",
        "books_certain": "BOOK_CERTAIN_TRANSFERS",
        "refund_below_minor": "FRAUD_REFUND_BELOW",
    },
}


def first_values(known: Settings) -> dict[Subject, Values]:
    """Every setting as the environment has it."""
    return {
        Subject.PRICES: _prices(known),
        Subject.GOAL: Goal("patrons", known.goal_patrons, 0, known.reporting_currency),
        Subject.WAYS: _ways(known),
        Subject.NAMES: Names(known.newsroom_name, known.contact_address),
        Subject.LANGUAGES: Languages(tuple(LANGUAGES), DEFAULT),
        Subject.COLOURS: Colours(Palette(None, None, None), Palette(None, None, None)),
        Subject.LATE: LateMoney(
            known.grace_days, tuple(sorted(known.fraud_refund_below.items())), known.book_certain_transfers
        ),
    }


def source_of(subject: Subject, path: str, known: Settings) -> str | None:
    """The environment's setting that a value comes from; None where it is not set there: it comes with the program."""
    first, _, last = path.partition(".")
    names = SOURCES[subject]
    name = names.get(last or first) or names.get(first)
    return name if name is not None and name.lower() in known.model_fields_set else None


def _prices(known: Settings) -> Prices:
    rows = tuple(
        CurrencyPrices(
            currency=code,
            cup_minor=minor,
            monthly_minimum_minor=minor,
            once_minimum_minor=known.once_minimums[code],
            fee_fixed_minor=known.fee_fixed[code],
            is_open=True,
        )
        for code, minor in known.cup_prices.items()
    )
    return Prices(rows, known.reporting_currency, known.fee_permille)


def _ways(known: Settings) -> Ways:
    return Ways(
        has_bank=known.bank_iban is not None,
        iban=known.bank_iban,
        holder=known.bank_holder,
        bic=known.bank_bic,
        bank_name=known.bank_name,
        has_paypal=known.paypal_link is not None,
        paypal_link=known.paypal_link,
        has_crypto=bool(known.crypto_addresses),
        crypto=tuple(known.crypto_addresses.items()),
        has_cash=known.cash_words is not None,
        cash_words=known.cash_words,
    )
