"""Whether the dashboard goes on: since when days wait to be summed, and how old the exchange rates are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select

from membership.dashboard.models import DaySum, ExchangeRate, StaleDay
from membership.dashboard.queries.rates import rate_book
from membership.dashboard.queries.sums import find_state
from membership.dashboard.sources import MONEY, SOURCES
from membership.db import db
from membership.newsroom.queries import day_of, reporting_currency


@dataclass(frozen=True, slots=True)
class Standstill:
    """Up to when days are summed (business time; None: never were), and how many days are known to wait."""

    rolled_to: datetime | None
    n_days: int


def find_standstill(now: datetime, since: datetime) -> Standstill | None:
    """Where all days were last summed before `since` (real time), although there is something to sum; else None.

    Days that were never summed wait since their first row (business time `now`): a new newsroom has none yet.
    """
    if not any(source.newest_id() for source in SOURCES):
        return None
    state = find_state()
    if state is None:
        firsts = [first for source in SOURCES if (first := source.find_first()) is not None]
        is_new = all(day_of(first) >= day_of(now) for first in firsts)
        return None if is_new else Standstill(None, 0)
    if state.summed_at is None or state.summed_at >= since:
        return None
    n_days = db.session.scalar(select(func.count(StaleDay.day_on.distinct()))) or 0
    return Standstill(state.rolled_to, n_days)


def newest_quotes() -> Mapping[str, date]:
    """Of which day the newest exchange rates of each source are; a source that never had any is not in it."""
    rows = db.session.execute(
        select(ExchangeRate.source, func.max(ExchangeRate.quoted_on)).group_by(ExchangeRate.source)
    )
    return {source: day for source, day in rows}  # noqa: C416 - of rows, which are no pairs to the type checker


def currencies_without_rate(now: datetime) -> list[str]:
    """Currencies in which money came, and that cannot be brought into the reporting currency today."""
    used = set(db.session.scalars(select(DaySum.currency).where(DaySum.measure.in_(MONEY)).distinct()))
    today, reporting = day_of(now), reporting_currency()
    book = rate_book(today, today, used)
    return sorted(each for each in used - {reporting, ""} if book.find(each, reporting, today) is None)
