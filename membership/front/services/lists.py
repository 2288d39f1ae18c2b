"""Lists of people: the one place where a page of one is read, and where one begins to leave the house.

Whatever has to be known about every such reading (who, which filter, how many) belongs here: no view reads a list
past these two.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from membership.audit.services import record
from membership.db import transaction
from membership.front.queries import listing
from membership.front.queries.listing import export
from membership.front.rules import cells
from membership.front.rules.filters import Filter, Sort


def read_page(wanted: Filter, sort: Sort, place: str, *, actor: str, at: datetime) -> listing.Found:
    """One page of the list, for `actor` ("staff:<public id>").

    `place` is what the page before it called its next one; "" for the first.
    """
    del actor  # the door writes down who reads lists (`reads` of the view's audience)
    return listing.page(wanted, sort, place, at)


@dataclass(frozen=True, slots=True)
class Export:
    """A CSV on its way: its name and its text, piece by piece, read while it is sent."""

    filename: str
    text: Iterator[str]


def begin_export(wanted: Filter, *, actor: str, at: datetime) -> Export:
    """Everybody whom the filter finds as CSV, in the order in which we came to know them.

    Read by a cursor of the database, so that it needs no more memory for a million people than for a hundred.
    """
    with transaction("front.begin_export"):
        fields = {"filters": sorted(wanted.to_query()), "people": listing.count(wanted, at)}
        record("people.exported", ("people", "csv"), actor=actor, after=fields)
    name = f"people-{at:%Y-%m-%d}.csv"
    return Export(name, _text(wanted, at))


def _text(wanted: Filter, at: datetime) -> Iterator[str]:
    yield cells.BOM + cells.lines([export.COLUMNS], ())
    for rows in export.read(wanted, at):
        yield cells.lines(rows, export.RISKY)
