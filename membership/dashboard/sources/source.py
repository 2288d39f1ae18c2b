"""What a source of sums is: append-only rows with an id and moments, and how a span of time is summed."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute

from membership.db import db


@dataclass(frozen=True, slots=True)
class Sum:
    """What a span of time came to in one measure, currency and dimension (see `models.DaySum`)."""

    measure: str
    currency: str
    dim: str
    n: int
    amount: int


@dataclass(frozen=True, slots=True)
class Source:
    """Rows that days are summed from.

    `measures` are the names it gives, `money` those whose amount is money. `row_id` grows with each row; rows never
    change. `moments` are the columns that say to which days a row belongs; `of_rows` narrows the table to its rows, and
    joins it to the table of the moments where these stand in another one.
    `sums(start, end)` sums `[start, end)`, reading by an index of the moment and nothing outside the span.
    """

    name: str
    measures: frozenset[str]
    money: frozenset[str]
    row_id: InstrumentedAttribute[int]
    moments: tuple[InstrumentedAttribute[datetime], ...]
    sums: Callable[[datetime, datetime], Iterable[Sum]]
    of_rows: ColumnElement[bool] | None = None

    def newest_id(self) -> int:
        """The highest id there is; 0 for an empty table."""
        return db.session.scalar(select(func.max(self.row_id))) or 0

    def n_between(self, low: int, high: int) -> int:
        """How many rows of the table have an id above `low` and not above `high`."""
        return db.session.scalar(select(func.count()).where(self.row_id > low, self.row_id <= high)) or 0

    def moments_after(self, row_id: int) -> Iterator[datetime]:
        """Every moment of the rows above `row_id`."""
        query: Any = select(*self.moments).where(self.row_id > row_id)
        if self.of_rows is not None:
            query = query.where(self.of_rows)
        for row in db.session.execute(query).yield_per(5_000):
            yield from row

    def find_first(self) -> datetime | None:
        """The earliest moment in the table, whether or not its row is one of ours; None for an empty one."""
        firsts = [db.session.scalar(select(func.min(moment))) for moment in self.moments]
        return min((moment for moment in firsts if moment is not None), default=None)
