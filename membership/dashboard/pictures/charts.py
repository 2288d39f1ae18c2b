"""What a picture shows, in numbers and words of the page's language: pure values, before anything is drawn."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from membership.dashboard.metrics.metric import Kind, Result, Unit, Value
from membership.dashboard.rules.nice import ticks
from membership.dashboard.rules.periods import Step
from membership.kernel.money import Money
from membership.web.filters import day_short, decimal, money_short, month_name, month_short, percent

# Which of the eight tones of the charts a line has, by its key; others take them in order.
TONES = {
    "new": 7,
    "more": 3,
    "back": 8,
    "less": 5,
    "lost": 1,
    "currency": 2,
    "rates": 6,
    "returned": 1,
    "card": 3,
    "other": 7,
    "gift": 5,
    "failed": 1,
    "recovered": 7,
    "chosen": 5,
    "stopped": 4,
    "paused": 2,
    "monthly": 3,
    "yearly": 7,
    "retry": 5,
}

MINUS = "−"


@dataclass(frozen=True, slots=True)
class Series:
    """One line, or the bars of one colour. `values` has one number (or None) per piece, `end` the words at its end."""

    label: str
    tone: int
    values: tuple[float | None, ...]
    end: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture. `is_bars`: stacked from the zero line up and down; else lines. `marks` are the numbers of the upright
    axis with their words, ascending; `names` the words under the pieces.
    """

    is_bars: bool
    names: tuple[str, ...]
    marks: tuple[tuple[float, str], ...]
    series: tuple[Series, ...]


def chart_of(result: Result) -> Chart | None:
    """The picture of a result; None where a picture would show nothing: no pieces, or no number in them."""
    is_bars = result.kind in {Kind.FLOW, Kind.STACK}
    lines = [line for line in result.lines if line.is_drawn and any(value is not None for value in line.values)]
    if result.kind in {Kind.NUMBER, Kind.TABLE, Kind.HEATMAP} or not lines:
        return None
    numbers = [[_number(value) for value in line.values] for line in lines]
    if is_bars:  # a colour with nothing in it has no place in the picture
        lines = [line for line, row in zip(lines, numbers, strict=True) if any(row)]
        numbers = [row for row in numbers if any(row)]
    if not lines:
        return None
    if not is_bars and len(result.pieces) < 2:  # noqa: PLR2004 - a line needs two ends
        return None
    series = tuple(
        Series(str(line.label), TONES.get(line.key, 3 if len(lines) == 1 else at % 8 + 1), tuple(row),
               _end(line.values, result.unit, is_bars=is_bars, label=str(line.label), is_alone=len(lines) == 1))
        for at, (line, row) in enumerate(zip(lines, numbers, strict=True))
    )  # fmt: skip
    return Chart(is_bars, _names(result), _marks(result.unit, numbers, lines[0].values, is_bars=is_bars), series)


def shown(value: Value, unit: Unit) -> str:
    """A value in words of the page's language; "–" for what cannot be said."""
    if value is None:
        return "–"
    if isinstance(value, Money):
        return money_short(value).replace("-", MINUS)
    if unit is Unit.PERCENT:
        return percent(Decimal(value)).replace("-", MINUS)
    return decimal(value, 2 if unit is Unit.CUPS else 0).replace("-", MINUS)


def piece_name(piece: tuple[date, date], step: Step) -> str:
    """What a piece is called: its day, its month, or the day on which a week begins."""
    return month_name(piece[0]) if step is Step.MONTH else day_short(piece[0])


def _names(result: Result) -> tuple[str, ...]:
    if result.period.step is Step.MONTH and len({start_on.year for start_on, _end in result.pieces}) == 1:
        return tuple(month_short(start_on) for start_on, _end in result.pieces)
    return tuple(piece_name(piece, result.period.step) for piece in result.pieces)


def _number(value: Value) -> float | None:
    return value.minor if isinstance(value, Money) else None if value is None else float(value)


def _end(values: tuple[Value, ...], unit: Unit, *, is_bars: bool, label: str, is_alone: bool) -> str:
    if is_bars:
        return "" if is_alone else label
    last = next(value for value in reversed(values) if value is not None)
    return shown(last, unit) if is_alone else f"{label} {shown(last, unit)}"


def _marks(
    unit: Unit, numbers: list[list[float | None]], sample: tuple[Value, ...], *, is_bars: bool
) -> tuple[tuple[float, str], ...]:
    if is_bars:
        columns = list(zip(*numbers, strict=True))
        high = max(sum(n for n in column if n and n > 0) for column in columns)
        low = min(sum(n for n in column if n and n < 0) for column in columns)
    else:
        known = [number for row in numbers for number in row if number is not None]
        low, high = min(known), max(known)
    smallest: Any = Decimal("0.1") if unit is Unit.CUPS else Decimal("0.01") if unit is Unit.PERCENT else 1
    currency = next((value.currency for value in sample if isinstance(value, Money)), None)
    return tuple(
        (float(mark), shown(Money(int(mark), currency) if currency else mark, unit))
        for mark in ticks(low, high, smallest=float(smallest))
    )
