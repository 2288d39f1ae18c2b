"""What a metric is, and what it answers with."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol

from membership.dashboard.rules.periods import Period
from membership.kernel.money import Money

Value = int | Decimal | Money | None
"""A number of people or things, cups or a ratio, an amount; None where it cannot be said (a note then says why)."""


class Unit(StrEnum):
    """What a value counts. PERCENT values are ratios from 0 to 1."""

    PEOPLE = "people"
    COUNT = "count"
    MONEY = "money"
    CUPS = "cups"
    PERCENT = "percent"
    DAYS = "days"


class Kind(StrEnum):
    """How a result is shown, and what its values are.

    LEVEL: how high something stood at the end of each piece; drawn as lines, compared with where the range began.
    FLOW: what came in each piece; drawn as bars, compared with the range before. STACK: the same, in several lines of
    which some are below zero. NUMBER: only the headline. TABLE: rows of `Result.table`. HEATMAP: such rows as colours.
    """

    LEVEL = "level"
    FLOW = "flow"
    STACK = "stack"
    NUMBER = "number"
    TABLE = "table"
    HEATMAP = "heatmap"


@dataclass(frozen=True, slots=True)
class Lens:
    """In which money a page is read: in one `currency` alone, or (None) all of them in the `reporting` currency."""

    reporting: str
    currency: str | None = None

    @property
    def shown(self) -> str:
        """The currency in which amounts are shown."""
        return self.currency or self.reporting


@dataclass(frozen=True, slots=True)
class Definition:
    """What a number means, for whoever asks: our words, whose convention it follows, and where that is published.

    Words may be lazy texts; they are read in the language of the page.
    """

    words: Any
    source: Any = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One series: a value for each piece of the result, in order. `total` and `n` are of the whole range, where they
    mean something. `is_drawn`: whether it is in the picture, or only in the table.
    """

    key: str
    label: Any
    values: tuple[Value, ...]
    total: Value = None
    n: int | None = None
    is_drawn: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of a TABLE or HEATMAP: headings, and as many cells in each row. The first cell names the row.

    A cell is words, a number (int), a ratio from 0 to 1 that is shown as per cent (Decimal), an amount, a day, or None
    for what cannot be said.
    """

    headings: tuple[Any, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What a metric came to in a period.

    `at`: up to when it knows everything; None before the first roll-up. `now` is the headline of
    the period, `before` what it is compared with: of a LEVEL, where it stood when the period began; else the range
    before. `pieces` are the spans `[start_on, end_on)` that every line has a value for. `notes` are whole sentences,
    such as which amounts are missing for want of an exchange rate.
    """

    at: datetime | None
    period: Period
    unit: Unit
    kind: Kind
    now: Value
    before: Value
    pieces: tuple[tuple[date, date], ...] = ()
    lines: tuple[Line, ...] = ()
    table: Table | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def change(self) -> Value:
        """By how much `now` is more than `before`; None where either cannot be said."""
        if self.now is None or self.before is None:
            return None
        return self.now - self.before  # type: ignore[operator]  # both are of the metric's one unit


class Metric(Protocol):
    """One number of the dashboard: a class with these, and one object of it in METRICS."""

    @property
    def key(self) -> str:
        """Its address."""

    @property
    def unit(self) -> Unit:
        """What its values count."""

    @property
    def kind(self) -> Kind:
        """How it is shown."""

    @property
    def is_up_good(self) -> bool | None:
        """Whether more is better; None: neither."""

    @property
    def title(self) -> Any:
        """Its name in the language of the page."""

    @property
    def definition(self) -> Definition:
        """What it means, and whose convention that is."""

    def measure(self, at: datetime, period: Period, lens: Lens) -> Result:
        """Read it from the roll-ups: `at` is the moment of the page."""

    def words(self, result: Result) -> str:
        """The result as one sentence in the language of the page, without its unit's jargon."""
