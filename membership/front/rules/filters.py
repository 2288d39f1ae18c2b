"""Who is asked for: a filter of the list of people, read from an address and written into one, and the sorting.

A filter is a link: everything in it stands in the address of the page, so it can be kept, sent and named.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from enum import StrEnum
from typing import Any

from membership.accounts.rules import Role, folded
from membership.contributions.rules import State
from membership.front.rules.naming import LONGEST_NAME
from membership.front.rules.searching import LONGEST_SEARCH
from membership.kernel.money import MINOR_DIGITS
from membership.kernel.rhythm import Rhythm

MOST_CUPS = 1_000_000
WAYS = ("card", "bank", "paypal", "crypto", "cash")
LANGUAGES = ("en", "uk")
ANY_ROLE = "any"
TEXT = "q"
YEARS = range(1970, 2200)
LONGEST_NUMBER = 9


class Standing(StrEnum):
    """How somebody stands now. GRACE is a part of PATRON; every person is one of PATRON, LAPSED, NEVER."""

    PATRON = "patron"
    GRACE = "grace"
    LAPSED = "lapsed"
    NEVER = "never"


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """Whoever is all of this; a filter in which nothing is set is everybody. What concerns support (rhythm to way) is
    asked of one and the same contribution: somebody who has one that is all of it.
    """

    q: str = ""
    standing: Standing | None = None
    rhythm: Rhythm | None = None
    state: State | None = None
    # Whole cups a month, both ends included.
    cups_from: int | None = None
    cups_to: int | None = None
    currency: str | None = None
    way: str | None = None
    # Days of the newsroom's zone, both included.
    joined_from: date | None = None
    joined_to: date | None = None
    # A payment that failed and is open now; two supports, a shared card or a warning of fraud.
    trouble: bool = False
    look: bool = False
    # A `Role`, or "any" for everybody who works here.
    role: str | None = None
    locale: str | None = None
    # As `naming.clean_name` compares it.
    tag: str | None = None

    @property
    def asks_of_support(self) -> bool:
        """Whether anything is asked of a contribution."""
        asked = (self.rhythm, self.state, self.cups_from, self.cups_to, self.currency, self.way)
        return any(value is not None for value in asked)

    def to_query(self) -> dict[str, str]:
        """What is set, by the names that `read_filter` reads, in the order of the fields."""
        pairs = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: _written(value) for name, value in pairs if value not in (None, False, "")}

    def without(self, *names: str) -> "Filter":
        """The same filter with these fields not set."""
        defaults: dict[str, Any] = {field.name: field.default for field in fields(self)}
        return replace(self, **{name: defaults[name] for name in names})


def _written(value: Any) -> str:
    return "yes" if value is True else value.isoformat() if isinstance(value, date) else str(value)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER) or int(text) > MOST_CUPS:
        raise ValueError(text)
    return int(text)


def typed_day(text: str) -> date:
    """A day as addresses write it; ValueError for whatever is none of the centuries in which this program runs."""
    day = date.fromisoformat(text)
    if day.year not in YEARS:
        raise ValueError(text)
    return day


def _one_of(known: tuple[str, ...]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in known:
            raise ValueError(text)
        return text

    return read


def _flag(text: str) -> bool:
    return _one_of(("yes",))(text) == "yes"


def _tag(text: str) -> str:
    name = folded(text)
    if not name or len(name) > LONGEST_NAME:
        raise ValueError(text)
    return name


_READERS: Mapping[str, Callable[[str], Any]] = {
    TEXT: lambda text: text.strip()[:LONGEST_SEARCH],
    "standing": Standing,
    "rhythm": Rhythm,
    "state": State,
    "cups_from": _number,
    "cups_to": _number,
    "currency": _one_of(tuple(MINOR_DIGITS)),
    "way": _one_of(WAYS),
    "joined_from": typed_day,
    "joined_to": typed_day,
    "trouble": _flag,
    "look": _flag,
    "role": _one_of((*(role.value for role in Role), ANY_ROLE)),
    "locale": _one_of(LANGUAGES),
    "tag": _tag,
}


LIST_ARGUMENTS = frozenset({*_READERS, "sort", "after", "before", "page", "shown", "kind", "why", "next"})
"""What lists of people are narrowed down and turned over by, in their addresses."""


def read_filter(query: Mapping[str, str]) -> tuple[Filter, tuple[str, ...]]:
    """The filter of an address, and the names in it whose value is not understood and was left out; names of other
    things (a page's place in the list) and empty values are passed over.

    Who shows a list says what was left out. Who acts on one must refuse, or it would act on more people than asked.
    """
    values, odd = {}, []
    for name, read in _READERS.items():
        text = query.get(name, "").strip()
        if not text:
            continue
        try:
            values[name] = read(text)
        except ValueError:
            odd.append(name)
    return Filter(**values), tuple(odd)


class Column(StrEnum):
    """By what the list of people can be sorted."""

    JOINED = "joined"
    ADDRESS = "address"
    NAME = "name"
    UNTIL = "until"
    CUPS = "cups"


@dataclass(frozen=True, slots=True)
class Sort:
    """By a column, upwards or down. Whoever has nothing there (no name, no coverage, no support) comes last."""

    column: Column = Column.JOINED
    is_down: bool = True

    def written(self) -> str:
        """As `read_sort` reads it: "-joined" is down."""
        return ("-" if self.is_down else "") + self.column.value

    def toggled(self, column: Column) -> "Sort":
        """What a press on the heading of `column` leads to: the other way round, or that column in its natural way."""
        if column is self.column:
            return Sort(column, not self.is_down)
        return Sort(column, column in {Column.JOINED, Column.UNTIL, Column.CUPS})


def read_sort(text: str) -> Sort:
    """The sorting of an address; the newest first for what is none."""
    name = text.removeprefix("-")
    return Sort(Column(name), text.startswith("-")) if name in set(Column) else Sort()
