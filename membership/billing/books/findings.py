"""What the questions are about, and what they answer with."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute

from membership.db import db

PROVIDER_SILENT = "provider_silent"
"""The code of a finding that says only that the provider did not answer."""

SLICE = 20_000
"""How many rows one statement goes through: a fraction of a second each, however long the history is."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not hold, as a whole sentence; `code` names the question that found it."""

    code: str
    message: str


@dataclass(slots=True)
class Report:
    """What was looked at (name of the thing -> how many, in order) and what does not hold."""

    counts: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which part of the books is asked about: what was booked since `since` (business time), or everything (None)."""

    since: datetime | None = None

    def slices(
        self, row_id: InstrumentedAttribute[int], booked_at: InstrumentedAttribute[datetime] | None = None
    ) -> Iterator[ColumnElement[bool]]:
        """Conditions that together are this part of a table, each for one statement.

        Where only the newest is asked about, rows are chosen by `booked_at`; without it there are none.
        """
        if self.since is not None:
            if booked_at is not None:
                yield booked_at >= self.since
            return
        first, last = db.session.execute(select(func.min(row_id), func.max(row_id))).one()
        for low in range(first or 0, (last or -1) + 1, SLICE):
            yield row_id.between(low, low + SLICE - 1)


WHOLE = Scope()


def total_where(condition: ColumnElement[bool], amount: Any) -> ColumnElement[int]:
    """The sum of `amount` over the rows of a group that fulfil `condition`; zero for none."""
    return func.coalesce(func.sum(amount).filter(condition), 0)
