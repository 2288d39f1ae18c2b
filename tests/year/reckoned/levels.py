"""What stands at the ends of days: patrons, monthly revenue, average cups."""

from collections import Counter
from collections.abc import Callable
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from tests.year.asked import Answer, Asked, half_even, in_reporting
from tests.year.place import DAY, day_at, midnight
from tests.year.rows import MovementRow, Rows

STEPS = {"new": 1, "back": 1, "lost": -1}


def _ends(asked: Asked) -> list[date]:
    """The last day before the span, then of each piece."""
    return [asked.first - DAY, *(end - DAY for _, end in asked.pieces())]


# Patrons ------------------------------------------------------------------------------------------------------


def patrons(rows: Rows, asked: Asked) -> Answer:
    """Each person once, in the last moment of a day; in any currency."""
    found = [_n_patrons(rows, day) for day in _ends(asked)]
    return Answer(found[-1], found[0], {"patrons": (found[1:], None, None)})


def _n_patrons(rows: Rows, day: date) -> int:
    if day >= rows.today:
        return len({row.person_id for row in rows.times if row.starts_at <= rows.upto < row.ends_at})
    end = midnight(day + DAY)
    return len({row.person_id for row in rows.times if row.starts_at < end <= row.ends_at})


# Revenue ------------------------------------------------------------------------------------------------------


def monthly_revenue(rows: Rows, asked: Asked) -> list[int]:
    """At the end of the day before the span, then of each piece."""
    days = _ends(asked)
    yearly = _levels(rows, days, asked.currency, lambda row: row.yearly_minor)
    found = []
    for day, level in zip(days, yearly, strict=True):
        on = min(day, rows.today)
        if asked.currency:
            total = Fraction(level[asked.currency])
        else:
            total = sum((in_reporting(rows, minor, code, on) for code, minor in level.items()), Fraction(0))
        found.append(half_even(total / 12))
    return found


def mrr(rows: Rows, asked: Asked) -> Answer:
    found = monthly_revenue(rows, asked)
    n = _levels(rows, _ends(asked), asked.currency, lambda row: STEPS.get(row.kind, 0))[-1]
    return Answer(found[-1], found[0], {"mrr": (found[1:], None, sum(n.values()))})


def _levels(rows: Rows, days: list[date], currency: str | None, of: Callable[[MovementRow], int]) -> list[Counter]:
    """By currency, what all movements up to the end of each day add up to."""
    found = [Counter() for _ in days]
    for row in rows.movements:
        if row.at > rows.upto or currency not in {None, row.currency}:
            continue
        day = day_at(row.at)
        for at, end in enumerate(days):
            if day <= end:
                found[at][row.currency] += of(row)
    return found


# Cups ---------------------------------------------------------------------------------------------------------


def average_cups(rows: Rows, asked: Asked) -> Answer:
    days = _ends(asked)
    cups = _levels(rows, days, asked.currency, lambda row: row.milli_cups)
    n = _levels(rows, days, asked.currency, lambda row: STEPS.get(row.kind, 0))
    found = [_share(sum(some.values()), sum(of.values())) for some, of in zip(cups, n, strict=True)]
    return Answer(found[-1], found[0], {"average-cups": (found[1:], None, None)})


def _share(milli: int, n: int) -> Decimal | None:
    return (Decimal(milli) / 1000 / n).quantize(Decimal("0.01"), ROUND_HALF_EVEN) if n > 0 else None
