"""Amounts: fees, smallest charges, and how an amount is written for people."""

import re
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import lru_cache

from babel.numbers import format_currency

from membership.sandbox.protocol.errors import ApiError

ZERO_DECIMAL = frozenset(
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"]
)
THREE_DECIMAL = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])
_SMALLEST = {
    **dict.fromkeys(["usd", "eur", "chf", "cad", "aud", "nzd", "brl", "sgd"], 50),
    "gbp": 30,
    "czk": 1500,
    "dkk": 250,
    "huf": 17500,
    "jpy": 50,
    "mxn": 1000,
    "nok": 300,
    "pln": 200,
    "ron": 200,
    "sek": 300,
}
DISPUTE_FEE = 2000


def round_half_up(value: Fraction | Decimal) -> int:
    """The nearest whole minor unit, halves away from zero."""
    exact = Decimal(value.numerator) / Decimal(value.denominator) if isinstance(value, Fraction) else value
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def card_fee(amount: int) -> int:
    """What the sandbox keeps of a charge: 1.5 % and 25 minor units, never more than the charge."""
    return min(amount, round_half_up(Fraction(amount * 15, 1000)) + 25)


def check_smallest(amount: int, currency: str, param: str = "amount") -> None:
    """ApiError 400 amount_too_small below the least that can be charged in the currency."""
    if amount < _SMALLEST.get(currency, 1):
        raise ApiError(
            f"Amount must be at least {written(_SMALLEST.get(currency, 1), currency)}.",
            code="amount_too_small",
            param=param,
        )


# The signs that readers know where a locale would write the code out.
_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "UAH": "₴"}


@lru_cache(maxsize=1024)
def written(amount: int, currency: str, locale: str = "en") -> str:
    """An amount for people, such as "€7.00" or "7,00 €"."""
    digits = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    code = currency.upper()
    text: str = format_currency(Decimal(amount).scaleb(-digits), code, locale=locale)
    if code in _SIGNS:
        return text.replace(code, _SIGNS[code])
    # A code needs a gap that a sign does not: "KWD 12.340", and the gap must not break.
    return re.sub(rf"{code}(?=\d)", f"{code}\N{NO-BREAK SPACE}", text)
