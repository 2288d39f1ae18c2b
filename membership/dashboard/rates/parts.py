"""What every way of writing rates shares: a number that can be a rate, a currency that we know."""

from datetime import date
from decimal import Decimal, InvalidOperation

from membership.dashboard.rules.rates import Quote
from membership.kernel.errors import InvalidInput
from membership.kernel.money import MINOR_DIGITS

MOST_DIGITS = 16


def unreadable(message: str) -> InvalidInput:
    """The error of a file that cannot be taken for rates."""
    return InvalidInput("rates_unreadable", message, field="file")


def quote(source: str, quoted_on: date, base: str, currency: str, number: str) -> Quote | None:
    """A quote from words; None for a currency that nobody here can give in. InvalidInput for what is no rate."""
    base, currency = base.strip().upper(), currency.strip().upper()
    try:
        rate = Decimal(number.strip())
    except InvalidOperation:
        raise unreadable(f"{number!r} is no exchange rate.") from None
    if not rate.is_finite() or rate <= 0 or abs(rate.adjusted()) > MOST_DIGITS or len(str(rate)) > MOST_DIGITS:
        raise unreadable(f"{number!r} is no exchange rate.")
    if base not in MINOR_DIGITS or currency not in MINOR_DIGITS:
        return None
    if base == currency:
        raise unreadable(f"{base} is quoted in itself.")
    return Quote(source, quoted_on, base, currency, rate)


def day(text: str) -> date:
    """A day as 2026-11-23 or 23.11.2026; InvalidInput for anything else."""
    try:
        parts = text.strip().split(".")
        return date(*map(int, reversed(parts))) if len(parts) == 3 else date.fromisoformat(text.strip())  # noqa: PLR2004 - day, month, year
    except ValueError:
        raise unreadable(f"{text!r} is no day, such as 2026-11-23.") from None
