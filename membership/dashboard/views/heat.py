"""A table of ratios whose cells are coloured by how high they are."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from membership.dashboard.metrics import Kind, Result
from membership.web.filters import decimal, percent

N_HEATS = 10


@dataclass(frozen=True, slots=True)
class Cell:
    """Words, and how warm: from 0 to N_HEATS; None for what is no ratio."""

    words: str
    heat: int | None


def heat_of(result: Result) -> list[tuple[str, list[Cell]]]:
    """The rows of a heat map: what each is called, and its cells. Empty for whatever is none."""
    if result.kind is not Kind.HEATMAP or result.table is None:
        return []
    return [(str(name), [_cell(value) for value in cells]) for name, *cells in result.table.rows]


def _cell(value: Any) -> Cell:
    if value is None:
        return Cell("", None)
    if isinstance(value, Decimal):
        return Cell(percent(value), int(min(value, Decimal(1)) * N_HEATS))
    return Cell(decimal(value, 0), None)
