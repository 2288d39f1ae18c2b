"""Results as pages show them: words, pictures, tables, links."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from flask_babel import gettext as _

from membership.dashboard.forms import DEFAULT, Asked
from membership.dashboard.metrics import Kind, Metric, Result, Unit, Value
from membership.dashboard.pictures import chart_of
from membership.dashboard.pictures.charts import piece_name, shown
from membership.dashboard.rules.periods import Range
from membership.dashboard.services import drawing
from membership.dashboard.services.drawing import Drawn
from membership.kernel.money import Money
from membership.web.filters import day_only, day_short, days_span, decimal
from membership.web.spreadsheet import Cell

# The line beside a number: as wide and as high, in pixels, and how far from its edges.
SPARK_WIDTH, SPARK_HEIGHT, SPARK_EDGE = 120, 28, 3


@dataclass(frozen=True, slots=True)
class View:
    """A metric as a page shows it. `change` has its sign; `tone` is good, bad or plain."""

    metric: Metric
    result: Result
    now: str
    change: str
    tone: str
    words: str
    compared: str
    spark: str
    drawn: Drawn | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """One choice of a picker."""

    words: str
    url: str
    is_chosen: bool


def measured(metric: Metric, at: datetime, asked: Asked) -> View:
    """A metric of the range that was asked for, without its picture."""
    result = metric.measure(at, asked.period, asked.lens)
    return View(
        metric=metric,
        result=result,
        now=shown(result.now, result.unit),
        change=signed(result.change, result.unit),
        tone=_tone(metric, result.change),
        words=metric.words(result).replace("..", "."),  # a short name of a month may bring its own full stop
        compared=_compared(result),
        spark=_spark(result),
    )


def draw(views: Sequence[View]) -> list[View]:
    """The same views with their pictures, where there is something to draw."""
    charts = [chart_of(view.result) for view in views]
    wanted = [(chart, label_of(view)) for view, chart in zip(views, charts, strict=True) if chart is not None]
    drawn = iter(drawing.pictures(wanted))
    return [
        view if chart is None else replace(view, drawn=next(drawn)) for view, chart in zip(views, charts, strict=True)
    ]


def label_of(view: View) -> str:
    """What a picture is called for whoever does not see it; its table stands below."""
    period = view.result.period
    span = days_span(period.start_on, period.last_on)
    return str(_("%(title)s, %(span)s. The table below has the same numbers.", title=view.metric.title, span=span))


def signed(change: Value, unit: Unit) -> str:
    """A change with its sign, "±0" for none; empty where it cannot be said."""
    if change is None:
        return ""
    size = change.minor if isinstance(change, Money) else change
    if not size:
        return "±0"
    words = shown(-change if size < 0 else change, unit)
    if unit is Unit.PERCENT:  # by how many percentage points: a part of the share before would be something else
        words = str(_("%(number)s pp", number=decimal(abs(Decimal(size)) * 100, 1)))
    return ("−" if size < 0 else "+") + words


def _tone(metric: Metric, change: Value) -> str:
    size = change.minor if isinstance(change, Money) else change
    if not size or metric.is_up_good is None:
        return "plain"
    return "good" if (size > 0) is metric.is_up_good else "bad"


def _compared(result: Result) -> str:
    if result.kind is Kind.LEVEL:
        return str(_("since %(day)s", day=day_short(result.period.start_on)))
    first, end = result.period.before
    return str(_("compared with %(span)s", span=days_span(first, end - (result.period.end_on - result.period.last_on))))


def _spark(result: Result) -> str:
    """Points of a line through the sums of all pieces; empty where there are too few for one."""
    columns = list(zip(*(line.values for line in result.lines), strict=True))
    numbers = [sum(v.minor if isinstance(v, Money) else float(v or 0) for v in column) for column in columns]
    if len(numbers) < 2 or not any(numbers):  # noqa: PLR2004 - a line needs two ends
        return ""
    low, high = min(numbers), max(numbers)
    if result.kind is not Kind.LEVEL:
        low, high = min(low, 0), max(high, 0)
    wide, high_room = SPARK_WIDTH - 2 * SPARK_EDGE, SPARK_HEIGHT - 2 * SPARK_EDGE
    span = (high - low) or 1
    points = (
        (SPARK_EDGE + wide * at / (len(numbers) - 1), SPARK_EDGE + high_room * (1 - (n - low) / span))
        for at, n in enumerate(numbers)
    )
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def rows_of(view: View) -> list[tuple[str, list[str]]]:
    """The table of a metric: each piece with what every line had there."""
    result = view.result
    return [
        (piece_name(piece, result.period.step), [shown(line.values[at], result.unit) for line in result.lines])
        for at, piece in enumerate(result.pieces)
    ]


def totals_of(view: View) -> list[str]:
    """What every line had in all pieces together; empty where that means nothing."""
    totals = [line.total for line in view.result.lines]
    return [shown(total, view.result.unit) for total in totals] if any(total is not None for total in totals) else []


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of a result in words of the page's language: headings by their place, which of them stand over numbers,
    and rows of as many words.
    """

    headings: dict[int, str]
    numbers: tuple[int, ...]
    rows: list[list[str]]


def grid_of(view: View) -> Grid | None:
    """The table of a TABLE; None for a metric that has pieces."""
    table = view.result.table
    if table is None or view.result.kind is not Kind.TABLE:
        return None
    columns = list(zip(*table.rows, strict=True))
    return Grid(
        headings={at: str(heading) for at, heading in enumerate(table.headings)},
        numbers=tuple(at for at, column in enumerate(columns) if _is_of_numbers(column)),
        rows=[[_in_words(cell) for cell in row] for row in table.rows],
    )


def _is_of_numbers(column: Sequence[Any]) -> bool:
    """Whether a column has numbers in it, or would if they could be said."""
    return any(_is_number(cell) for cell in column) or all(cell is None for cell in column)


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | Decimal | Money)


def _in_words(cell: Any) -> str:
    if isinstance(cell, date):
        return day_only(cell)
    if cell is None or _is_number(cell):
        return shown(cell, Unit.PERCENT if isinstance(cell, Decimal) else Unit.COUNT)
    return str(cell)


def rows_for_csv(view: View) -> Iterator[list[Cell]]:
    """The same, in plain numbers; amounts in major units, with their currency in the heading."""
    result = view.result
    if result.table is not None:
        yield [str(heading) for heading in result.table.headings]
        for row in result.table.rows:
            yield [_plain(cell) for cell in row]
        return
    if not result.pieces:  # a number alone
        yield ["from", "to", _heading(view.metric.key, (result.now,))]
        yield [result.period.start_on, result.period.last_on, _plain(result.now)]
        return
    yield ["from", "to", *(_heading(line.key, line.values) for line in result.lines)]
    for at, (start_on, end_on) in enumerate(result.pieces):
        last = end_on - (result.period.end_on - result.period.last_on)
        yield [start_on, last, *(_plain(line.values[at]) for line in result.lines)]


def _heading(key: str, values: Sequence[Value]) -> str:
    currency = next((value.currency for value in values if isinstance(value, Money)), None)
    return f"{key} ({currency})" if currency else key


def _plain(value: Any) -> Cell:
    if isinstance(value, Money):
        return value.amount
    return value if isinstance(value, int | Decimal | date | None) else str(value)


def ranges(asked: Asked, path: str) -> list[Link]:
    """The ranges that are one click away; own dates are a form beside them."""
    words = {
        Range.DAYS30: _("Last 30 days"),
        Range.MONTH: _("This month"),
        Range.QUARTER: _("This quarter"),
        Range.YEAR: _("This year"),
    }
    kept = {name: value for name, value in asked.query.items() if name == "in"}
    return [
        Link(text, _url(path, kept if each is DEFAULT else {**kept, "range": each.value}), asked.period.range is each)
        for each, text in words.items()
    ]


def lenses(asked: Asked, path: str, currencies: Sequence[str]) -> list[Link]:
    """All money in the reporting currency, or one currency alone; none where there is only one."""
    if len(currencies) == 1:
        return []
    kept = {name: value for name, value in asked.query.items() if name != "in"}
    everything = Link(
        _("All, in %(currency)s", currency=asked.lens.reporting), _url(path, kept), asked.lens.currency is None
    )
    return [
        everything,
        *(
            Link(_("Only %(currency)s", currency=code), _url(path, {**kept, "in": code}), asked.lens.currency == code)
            for code in currencies
        ),
    ]


def _url(path: str, query: dict[str, str]) -> str:
    return path + (f"?{urlencode(query)}" if query else "")
