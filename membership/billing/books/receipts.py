"""Receipts run from 1 without gaps in each year, and the counter stands at the last (part of I3)."""

from collections.abc import Iterator

from sqlalchemy import Integer, cast, func, select

from membership.billing.books.findings import Finding, Scope
from membership.billing.models import Payment, ReceiptCounter
from membership.db import db

FIRST_SHOWN = 5
# Behind the year and its dash.
NUMBER = cast(func.substr(Payment.receipt_number, 6), Integer)
YEAR = cast(func.substr(Payment.receipt_number, 1, 4), Integer)


def receipt_gaps(scope: Scope) -> Iterator[Finding]:
    """Numbers are unique, so that as many as the last of them, from 1 on, means that none is missing."""
    counters = {row.year: row.last_number for row in db.session.scalars(select(ReceiptCounter))}
    query = select(YEAR, func.count(), func.min(NUMBER), func.max(NUMBER)).group_by(YEAR)
    if scope.since is not None:
        # Years that are over are gone through once a night.
        year = max(counters, default=0)
        counters = {year: counters[year]} if counters else {}
        query = query.where(Payment.receipt_number.between(f"{year}-", f"{year}-~"))
    found = {year: (n, first, last) for year, n, first, last in db.session.execute(query)}
    for year in sorted({*counters, *found}):
        last = counters.get(year, 0)
        if found.get(year, (0, None, None)) != ((last, 1, last) if last else (0, None, None)):
            n_found = found.get(year, (0, None, None))[0]
            missing = _missing(year, last) or "none"
            yield Finding("receipt_gap", f"Receipts of {year}: {n_found} of {last}; missing {missing}.")


def _missing(year: int, last: int) -> list[int]:
    missing: list[int] = []
    expected = 1
    of_year = Payment.receipt_number.between(f"{year}-", f"{year}-~")
    for number in db.session.scalars(select(NUMBER).where(of_year).order_by(NUMBER)).yield_per(1000):
        missing += range(expected, number)
        expected = number + 1
        if len(missing) >= FIRST_SHOWN:
            return missing[:FIRST_SHOWN]
    return [*missing, *range(expected, last + 1)][:FIRST_SHOWN]


QUESTIONS = (receipt_gaps,)
