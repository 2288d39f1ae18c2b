"""What came in a span: gifts, fees, and the movements of monthly revenue."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction

from tests.year.asked import Answer, Asked, half_even, in_reporting
from tests.year.place import day_at
from tests.year.reckoned.levels import monthly_revenue
from tests.year.rows import Rows

Each = tuple[datetime, str, str, int]
"""When, in which currency, of which kind, how much in minor units."""


@dataclass
class Flow:
    """Kind -> sums piece by piece, and how many."""

    pieces: dict[str, list[int]] = field(default_factory=dict)
    n: dict[str, int] = field(default_factory=dict)

    def total(self, wanted: Callable[[str], bool] = bool) -> int:
        return sum(sum(values) for kind, values in self.pieces.items() if wanted(kind))


def flow(rows: Rows, moves: Iterable[Each], asked: Asked) -> Flow:
    """Each day's sum of a kind and currency is brought into the reporting currency, and rounded, by itself."""
    days: dict[tuple[date, str, str], int] = {}
    found = Flow()
    for at, currency, kind, minor in moves:
        day = day_at(at)
        if at > rows.upto or not asked.first <= day < asked.end or asked.currency not in {None, currency}:
            continue
        days[day, currency, kind] = days.get((day, currency, kind), 0) + minor
        found.n[kind] = found.n.get(kind, 0) + 1
    cut = asked.pieces()
    for (day, currency, kind), minor in days.items():
        value = minor if asked.currency else half_even(in_reporting(rows, minor, currency, day))
        values = found.pieces.setdefault(kind, [0] * len(cut))
        values[next(i for i, (first, end) in enumerate(cut) if first <= day < end)] += value
    return found


# Gifts --------------------------------------------------------------------------------------------------------


def _kind(payment) -> str:
    """Where a payment stands in the picture of gifts: "" for what belongs to regular support."""
    if payment.rhythm != "once":
        return ""
    if payment.purpose == "gift":
        return "gift"
    return "card" if payment.way == "card" else "other"


def gifts(rows: Rows, asked: Asked) -> Answer:
    came = [(p.at, p.currency, _kind(p), p.minor) for p in rows.payments if _kind(p)]
    # What goes back is rounded by what it was for and by which way it came; `of` keeps these apart.
    went = [(r.at, r.of.currency, f"{_kind(r.of)}:{r.of.way}", r.minor) for r in rows.returns if _kind(r.of)]
    by_way = [(p.at, p.currency, f"{_kind(p)}:{p.way}", p.minor) for p in rows.payments if _kind(p)]
    in_, out = flow(rows, by_way, asked), flow(rows, went, asked)
    counted = flow(rows, came, asked)
    n_pieces = len(asked.pieces())
    lines = {}
    for key in ("card", "other", "gift"):
        values = _added(in_, n_pieces, lambda kind, key=key: kind.startswith(f"{key}:"))
        if key == "card" or counted.n.get(key):
            lines[key] = (values, sum(values), counted.n.get(key, 0))
    back = [-value for value in _added(out, n_pieces, bool)]
    lines["returned"] = (back, sum(back), sum(out.n.values()))
    before = flow(rows, by_way, asked.before).total() - flow(rows, went, asked.before).total()
    return Answer(in_.total() - out.total(), before, lines)


def _added(found: Flow, n_pieces: int, wanted: Callable[[str], bool]) -> list[int]:
    chosen = [values for kind, values in found.pieces.items() if wanted(kind)]
    return [sum(values[at] for values in chosen) for at in range(n_pieces)]


# Fees ---------------------------------------------------------------------------------------------------------


def fees(rows: Rows, asked: Asked) -> Answer:
    moves = [(fee.at, fee.currency, fee.kind, fee.minor) for fee in rows.fees]
    found, nothing = flow(rows, moves, asked), [0] * len(asked.pieces())
    lines = {}
    for kind in ("fee", "reversal_fee"):
        if kind == "fee" or found.n.get(kind):
            values = found.pieces.get(kind, nothing)
            lines[kind] = (values, sum(values), found.n.get(kind, 0))
    return Answer(found.total(), flow(rows, moves, asked.before).total(), lines)


# Movements ----------------------------------------------------------------------------------------------------


def movements(rows: Rows, asked: Asked) -> Answer:
    """A twelfth of each kind of movement, and what rates did besides."""
    nothing = [0] * len(asked.pieces())
    found = flow(rows, _moves(rows), asked)
    lines = {}
    for kind in ("new", "more", "back", "less", "lost", "currency"):
        if kind == "currency" and not found.n.get(kind):
            continue
        values = found.pieces.get(kind, nothing)
        twelfths = [half_even(Fraction(value, 12)) for value in values]
        lines[kind] = (twelfths, half_even(Fraction(sum(values), 12)), found.n.get(kind, 0))
    ends = monthly_revenue(rows, asked)
    moved = [sum(values[at] for values, _, _ in lines.values()) for at in range(len(nothing))]
    left = [after - before - by for before, after, by in zip(ends, ends[1:], moved, strict=False)]
    total = ends[-1] - ends[0] - sum(total for _, total, _ in lines.values())
    if any(left) or total:
        lines["rates"] = (left, total, None)
    before = monthly_revenue(rows, asked.before)
    return Answer(ends[-1] - ends[0], before[-1] - before[0], lines)


def _moves(rows: Rows) -> list[Each]:
    """Two halves of one moment, in two currencies, are one support that changed its currency."""
    moments: dict[tuple[str, datetime], set[str]] = {}
    for row in rows.movements:
        moments.setdefault((row.reference, row.at), set()).add(row.currency)
    return [
        (row.at, row.currency, "currency" if len(moments[row.reference, row.at]) > 1 else row.kind, row.yearly_minor)
        for row in rows.movements
    ]
