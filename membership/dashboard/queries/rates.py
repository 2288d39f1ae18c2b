"""What currencies were worth: quotes as they were published, and the rates that days were frozen with."""

from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal

from sqlalchemy import or_, select

from membership.dashboard.models import DaySum, ExchangeRate, FrozenRate
from membership.dashboard.rules.rates import LASTS, MANUAL, Quote, RateBook
from membership.db import db
from membership.newsroom.queries import offered_currencies, reporting_currency

# What banks quote all others in: the way between two that are not quoted in each other.
PIVOTS = ("EUR", "UAH")


def used_currencies() -> tuple[str, ...]:
    """Currencies that are offered, or that a support ever ran in; the reporting currency first."""
    ran = db.session.scalars(select(DaySum.currency).where(DaySum.measure == "supports").distinct())
    return tuple(dict.fromkeys((reporting_currency(), *offered_currencies(), *sorted(ran))))


def rate_book(first: date, last: date, currencies: Collection[str]) -> RateBook:
    """Every quote that the rates of these currencies on days from `first` to `last` may rest on."""
    wanted = {*currencies, reporting_currency(), *PIVOTS}
    rows = db.session.scalars(
        select(ExchangeRate).where(
            ExchangeRate.quoted_on <= last,
            or_(ExchangeRate.quoted_on >= first - LASTS, ExchangeRate.source == MANUAL),
            ExchangeRate.base.in_(wanted),
            ExchangeRate.currency.in_(wanted),
        )
    )
    return RateBook(Quote(row.source, row.quoted_on, row.base, row.currency, Decimal(row.rate)) for row in rows)


def frozen_rates(first: date, last: date) -> Mapping[tuple[date, str], Decimal]:
    """By day and currency: the rates into the reporting currency that days from `first` to `last` were frozen with."""
    rows = db.session.execute(
        select(FrozenRate.day_on, FrozenRate.currency, FrozenRate.rate).where(
            FrozenRate.day_on.between(first, last), FrozenRate.reporting == reporting_currency()
        )
    )
    return {(day, currency): Decimal(rate) for day, currency, rate in rows}


class DayRates:
    """What currencies are worth in the reporting currency on the days of one page."""

    def __init__(self, first: date, last: date, today: date, currencies: Collection[str]) -> None:
        self._reporting = reporting_currency()
        self._frozen = frozen_rates(first, last)
        self._today = today
        # Only a day that still runs has no rate of its own yet.
        self._book = rate_book(today, today, currencies) if last >= today else RateBook(())

    def find(self, currency: str, day: date) -> Decimal | None:
        """The rate of one unit of `currency`; None where there was none."""
        if currency == self._reporting:
            return Decimal(1)
        if day < self._today:
            return self._frozen.get((day, currency))
        rate = self._book.find(currency, self._reporting, day)
        return rate.rate if rate else None


def list_rates(limit: int = 40) -> list[ExchangeRate]:
    """The newest quotes, newest day first."""
    newest = select(ExchangeRate).order_by(ExchangeRate.quoted_on.desc(), ExchangeRate.source, ExchangeRate.currency)
    return list(db.session.scalars(newest.limit(limit)))
