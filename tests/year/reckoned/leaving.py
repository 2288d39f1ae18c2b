"""Who goes and who stays: ends by cause, what a support brings until it ends, what failed and came, cohorts."""

from collections import Counter
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from tests.year.asked import Answer, Asked, half_even
from tests.year.place import DAY, day_at, midnight
from tests.year.reckoned.flows import flow
from tests.year.reckoned.levels import STEPS, monthly_revenue
from tests.year.rows import Rows

CAUSES = ("chosen", "failed", "stopped", "paused")
DAYS_A_MONTH = Fraction(146_097, 4_800)
ENOUGH = 10


def churn(rows: Rows, asked: Asked) -> Answer:
    """Ends of each piece by the supports before it; the number by all the months for which supports ran."""
    lines = {}
    for cause in CAUSES:
        values = [_part(_n_ended(rows, piece, asked, cause), _n_running(rows, piece[0], asked))
                  for piece in asked.pieces()]  # fmt: skip
        n = _n_ended(rows, (asked.first, asked.end), asked, cause)
        if cause in {"chosen", "failed"} or n:
            lines[cause] = (values, None, n)
    return Answer(_a_month(rows, asked), _a_month(rows, asked.before), lines)


def lifetime_value(rows: Rows, asked: Asked) -> Answer:
    return Answer(_lifetime(rows, asked), _lifetime(rows, asked.before))


def failed(rows: Rows, asked: Asked) -> Answer:
    moves = [(row.at, row.currency, row.kind, row.minor) for row in rows.troubles]
    found, was, nothing = flow(rows, moves, asked), flow(rows, moves, asked.before), [0] * len(asked.pieces())
    lines = {}
    for kind, sign in (("recovered", 1), ("failed", -1)):
        values = [sign * value for value in found.pieces.get(kind, nothing)]
        lines[kind] = (values, sum(values), found.n.get(kind, 0))
    before = sum(was.pieces.get("recovered", [])) - sum(was.pieces.get("failed", []))
    return Answer(sum(line[1] for line in lines.values()), before, lines)


def cohorts(rows: Rows, asked: Asked) -> Answer:
    """Of those who joined in a month that is over, and not the last such, the part that stays at its end."""
    bound = min(rows.today, asked.end)
    months = _months(asked.first, asked.end - DAY)
    over = [month for month in months if _next(month) <= bound]
    if len(over) < 2:
        return Answer(None, None)
    joined = {}
    for row in rows.changes:  # in the order in which they were written
        joined.setdefault(row.person_id, day_at(row.starts_at).replace(day=1))
    size, kept, last = 0, 0, midnight(_next(over[-1]))
    for month in over[:-1]:
        theirs = {person for person, since in joined.items() if since == month}
        size += _n_patrons(rows, theirs, midnight(_next(month)))
        kept += _n_patrons(rows, theirs, last)
    return Answer(_part(kept, size), None)


def _months(first: date, last: date) -> list[date]:
    """At least thirteen, at most twenty-five months, the last one that of the last day."""
    months = [last.replace(day=1)]
    while len(months) < 13 or (months[0] > first.replace(day=1) and len(months) < 25):
        months.insert(0, (months[0] - DAY).replace(day=1))
    return months


def _next(month: date) -> date:
    return (month + 31 * DAY).replace(day=1)


def _n_patrons(rows: Rows, people: set[int], end) -> int:
    """How many of them are patrons in the last moment before `end`."""
    return len({row.person_id for row in rows.times if row.person_id in people and row.starts_at < end <= row.ends_at})


def _n_ended(rows: Rows, span: tuple[date, date], asked: Asked, cause: str) -> int:
    return sum(
        row.kind == "lost" and (row.cause or "chosen") == cause and span[0] <= day_at(row.at) < span[1]
        and row.at <= rows.upto and asked.currency in {None, row.currency}
        for row in rows.movements
    )  # fmt: skip


def _n_running(rows: Rows, day: date, asked: Asked) -> int:
    """How many supports ran when `day` began."""
    return sum(
        STEPS.get(row.kind, 0)
        for row in rows.movements
        if day_at(row.at) < day and row.at <= rows.upto and asked.currency in {None, row.currency}
    )


def _months_run(rows: Rows, asked: Asked) -> Fraction:
    steps = Counter()
    for row in rows.movements:
        if row.at <= rows.upto and asked.currency in {None, row.currency}:
            steps[max(day_at(row.at), asked.first)] += STEPS.get(row.kind, 0)
    n_days = sum(n * max(0, (asked.end - day).days) for day, n in steps.items())
    return n_days / DAYS_A_MONTH


def _all_ended(rows: Rows, asked: Asked) -> int:
    return sum(_n_ended(rows, (asked.first, asked.end), asked, cause) for cause in CAUSES)


def _a_month(rows: Rows, asked: Asked) -> Decimal | None:
    return _part(_all_ended(rows, asked), _months_run(rows, asked))


def _lifetime(rows: Rows, asked: Asked) -> int | None:
    n_ended, n_running = _all_ended(rows, asked), _n_running(rows, asked.end, asked)
    if n_ended < ENOUGH or n_running <= 0:
        return None
    return half_even(Fraction(monthly_revenue(rows, asked)[-1], n_running) * _months_run(rows, asked) / n_ended)


def _part(n: int, of: Fraction | int) -> Decimal | None:
    if of <= 0:
        return None
    share = Fraction(n) / of
    return (Decimal(share.numerator) / share.denominator).quantize(Decimal("0.0001"), ROUND_HALF_EVEN)
