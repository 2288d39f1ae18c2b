"""What is to come: the charges of the next 30 days, as Stripe means to make them."""

from calendar import monthrange
from collections import Counter
from datetime import date
from fractions import Fraction

from tests.year.asked import Answer, Asked, half_even, in_reporting
from tests.year.place import DAY, day_at
from tests.year.reckoned.flows import flow
from tests.year.rows import Rows

N_DAYS = 30


def expected(rows: Rows, asked: Asked) -> Answer:
    """Day by day from today, whatever days are asked for; before it, what renewals of 30 days brought."""
    today, sums, n = rows.today, {}, Counter()
    for at, kind, currency, minor in rows.due:
        if asked.currency not in {None, currency}:
            continue
        for day in _days(max(day_at(at), today), kind):
            if day < today + N_DAYS * DAY:
                sums.setdefault((kind, (day - today).days), Counter())[currency] += minor
                n[kind] += 1
    lines = {}
    for kind in ("monthly", "yearly", "retry"):
        if kind == "monthly" or n[kind]:
            values = [_worth(rows, sums.get((kind, at), Counter()), asked) for at in range(N_DAYS)]
            lines[kind] = (values, sum(values), n[kind])
    renewals = [
        (row.at, row.currency, f"{row.rhythm}:{row.way}", row.minor) for row in rows.payments if row.rhythm != "once"
    ]
    before = flow(rows, renewals, Asked("before", today - N_DAYS * DAY, today, asked.currency)).total()
    return Answer(sum(total for _, total, _ in lines.values()), before, lines)


def _days(day: date, kind: str) -> list[date]:
    """Once, and a month later once more: a short month has room for two."""
    if kind != "monthly":
        return [day]
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    return [day, date(year, month, min(day.day, monthrange(year, month)[1]))]


def _worth(rows: Rows, by_currency: Counter, asked: Asked) -> int:
    if asked.currency:
        return by_currency[asked.currency]
    worth = (in_reporting(rows, minor, currency, rows.today) for currency, minor in by_currency.items())
    return half_even(sum(worth, Fraction(0)))
