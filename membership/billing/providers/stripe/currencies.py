"""How Stripe counts money, where that differs from ISO 4217 (docs.stripe.com/currencies, API 2026-10-28)."""

from membership.kernel.money import MINOR_DIGITS, Money

ZERO_DECIMAL = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"}
)
# The least that Stripe charges, in its own count; currencies that are missing have no least of their own: there it
# depends on what the account is paid out in (docs.stripe.com/currencies, "Minimum and maximum charge amounts").
SMALLEST: dict[str, int] = {
    **dict.fromkeys(("AUD", "BRL", "CAD", "CHF", "EUR", "INR", "NZD", "SGD", "USD"), 50),
    "AED": 200,
    "BGN": 100,
    "CZK": 1500,
    "DKK": 250,
    "GBP": 30,
    "HUF": 17500,
    "JPY": 50,
    "MXN": 1000,
    "NOK": 300,
    "PLN": 200,
    "RON": 200,
    "SEK": 300,
}
THREE_DECIMAL = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
"""Counted in thousandths, of which the last digit must be 0. UGX and ISK have no digits in ISO 4217 and are
counted in hundredths at Stripe, which must be whole."""


def stripe_digits(currency: str) -> int:
    """How many digits after the point Stripe counts in `currency` (upper case)."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def to_stripe(money: Money) -> int:
    """The amount as Stripe wants it. ValueError where Stripe cannot charge it exactly."""
    if money.currency in THREE_DECIMAL and money.minor % 10:
        raise ValueError(f"{money} must end in 0: Stripe charges no thousandths.")
    return int(money.minor * 10 ** (stripe_digits(money.currency) - MINOR_DIGITS[money.currency]))


def from_stripe(amount: int, currency: str) -> Money:
    """Stripe's count of `currency` (any case) as Money. ValueError for an unknown currency or a part of a unit."""
    code = currency.upper()
    if code not in MINOR_DIGITS:
        raise ValueError(f"Stripe speaks of {code}, which we do not keep books in.")
    minor, rest = divmod(amount, 10 ** (stripe_digits(code) - MINOR_DIGITS[code]))
    if rest:
        raise ValueError(f"{amount} {code} at Stripe is no whole amount of ours.")
    return Money(int(minor), code)
