"""Takes exchange rates in: from files, from central banks, by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select

from membership.dashboard.models import ExchangeRate
from membership.dashboard.rates.parts import MOST_DIGITS, unreadable
from membership.dashboard.rules.rates import MANUAL, Quote
from membership.db import db, transaction
from membership.kernel.errors import InvalidInput
from membership.kernel.money import MINOR_DIGITS


@dataclass(frozen=True, slots=True)
class Taken:
    """How many quotes came, and what they were to us; the days they are of (None for none)."""

    n_new: int
    n_corrected: int
    n_known: int
    first: date | None
    last: date | None


def take_in(quotes: Sequence[Quote]) -> Taken:
    """Keep these quotes; a quote of the same day and source that differs corrects the one before. All or none.

    InvalidInput where there are none. Days that are over keep the rate that they were frozen with.
    """
    if not quotes:
        raise unreadable("There is no rate of a known currency in it.")
    first, last = min(q.quoted_on for q in quotes), max(q.quoted_on for q in quotes)
    n_new = n_corrected = 0
    with transaction("dashboard.take_rates"):
        between = select(ExchangeRate).where(ExchangeRate.quoted_on.between(first, last))
        known = {(r.source, r.quoted_on, r.base, r.currency): r for r in db.session.scalars(between)}
        for quote in quotes:
            key = (quote.source, quote.quoted_on, quote.base, quote.currency)
            row = known.get(key)
            if row is None:
                row = ExchangeRate(
                    source=quote.source, quoted_on=quote.quoted_on, base=quote.base, currency=quote.currency,
                    rate=str(quote.rate),
                )  # fmt: skip
                db.session.add(row)
                known[key] = row
                n_new += 1
            elif Decimal(row.rate) != quote.rate:
                row.rate = str(quote.rate)
                n_corrected += 1
    return Taken(n_new, n_corrected, len(quotes) - n_new - n_corrected, first, last)


def set_by_hand(base: str, currency: str, rate: Decimal, since: date) -> None:
    """From `since` on, one unit of `base` is worth `rate` units of `currency` where no bank says anything.

    InvalidInput for a currency that we do not know, or what is no rate.
    """
    if base == currency or {base, currency} - MINOR_DIGITS.keys():
        raise InvalidInput("rates_currency", "Please give two different currencies, such as EUR and UAH.")
    if not rate.is_finite() or rate <= 0 or abs(rate.adjusted()) > MOST_DIGITS or len(str(rate)) > MOST_DIGITS:
        raise InvalidInput("rates_number", "Please give a rate above zero, such as 45.10.")
    take_in([Quote(MANUAL, since, base, currency, rate)])
