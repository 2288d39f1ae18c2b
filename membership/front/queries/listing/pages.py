"""One page of the list, found by its place in the order and not by counting rows: whoever comes or goes meanwhile, no
page repeats or skips anybody who stayed where they were.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select

from membership.accounts.models import Person
from membership.db import UTCDateTime, db
from membership.front.queries.listing import conditions, search
from membership.front.queries.listing.conditions import Conditions
from membership.front.queries.listing.rows import Line, lines_of
from membership.front.queries.listing.walks import Walk, by_word, rest_of, walk_of, with_word
from membership.front.rules.filters import Column, Filter, Sort
from membership.front.rules.searching import read
from membership.newsroom.queries import newsroom
from membership.transfers.rules.codes import prefix_of

PAGE_LENGTH = 25
MOST_COUNTED = 10_000
# So many people of a search can be brought into any order; of more, those come first whose words do.
MOST_SORTED = 500
# What a column of whole numbers holds.
LARGEST = 2**63
LARGEST_ID = 2**31


@dataclass(frozen=True, slots=True)
class Found:
    """One page. `n` is how many there are in all, at most MOST_COUNTED + 1; None on later pages. `next_place` leads to
    the page behind it ("" for none). `is_sorted`: by what was asked; else by the words that were searched.
    """

    lines: Sequence[Line]
    n: int | None
    next_place: str
    is_sorted: bool


@dataclass(frozen=True, slots=True)
class _List:
    """Everybody who is asked for: a walk for those who have something in the column, one for the rest, and the
    conditions on both. `ids` are theirs without the conditions, in no order; where it is None, everybody's.
    """

    walks: tuple[Walk, ...]
    conditions: Conditions
    ids: Any = None

    @property
    def is_sorted(self) -> bool:
        """Whether by what was asked; a search that meets many is walked along its words."""
        return self.ids is None


def page(wanted: Filter, sort: Sort, place: str, at: datetime) -> Found:
    """The page at `place` ("" for the first; one that is no place of this list is the first)."""
    asked = _list(wanted, sort.column, at)
    is_down = sort.is_down and asked.is_sorted
    number, after = _read_place(place, asked)
    met: list[tuple[int, Any, Any]] = []
    for index in range(number, len(asked.walks)):
        left = PAGE_LENGTH + 1 - len(met)
        rest_goes_up = is_down and index == 0
        part = asked.walks[index].part(asked.conditions, after, left, is_down=rest_goes_up)
        met += [(index, person, key) for person, key in db.session.execute(part)]
        after = None
        if len(met) > PAGE_LENGTH:
            break
    shown = met[:PAGE_LENGTH]
    is_more = len(met) > PAGE_LENGTH
    n = None if place else len(shown) if not is_more else _count(asked)
    last = _write_place(*shown[-1]) if is_more else ""
    return Found(lines_of([person for _, person, _ in shown], at), n, last, asked.is_sorted)


def count(wanted: Filter, at: datetime) -> int:
    """How many people are asked for, up to MOST_COUNTED + 1."""
    return _count(_list(wanted, Column.JOINED, at))


def _count(asked: _List) -> int:
    everyone = select(Person.id) if asked.ids is None else asked.ids
    ids = everyone.where(*asked.conditions).limit(MOST_COUNTED + 1).subquery()
    return db.session.scalar(select(func.count()).select_from(ids)) or 0


def everybody(wanted: Filter, at: datetime) -> Conditions:
    """The whole list as conditions on `Person`, in no order: for what is done with all of them."""
    asked = _list(wanted, Column.JOINED, at)
    return asked.conditions if asked.ids is None else [*asked.conditions, Person.id.in_(asked.ids)]


def _list(wanted: Filter, column: Column, at: datetime) -> _List:
    found = conditions.of(wanted, at)
    asked = read(wanted.q, prefix_of(newsroom().name))
    if asked is not None:
        ids = search.whole(asked)
        if not ids:
            first, *others = search.rarest_first(asked.words) or [""]
            if not first:
                return _List((walk_of(Column.JOINED, wanted),), [Person.id.is_(None)])
            found += [search.has_word(word) for word in others]
            few = _few(by_word(first), found)
            if few is None:
                return _List((by_word(first),), found, with_word(first))
            ids = few
        found.append(Person.id.in_(ids))
    rest = rest_of(column, wanted)
    return _List((walk_of(column, wanted), rest) if rest else (walk_of(column, wanted),), found)


def _few(walk: Walk, found: Conditions) -> list[int] | None:
    """Whom a walk meets, where they are few enough to be sorted; None where they are more."""
    query = walk.query.with_only_columns(Person.id).where(*found).limit(MOST_SORTED + 1)
    ids = db.session.scalars(query).all()
    return list(ids) if len(ids) <= MOST_SORTED else None


# Places -------------------------------------------------------------------------------------------------


def _write_place(index: int, person: Person, key: Any) -> str:
    plain = key.isoformat() if isinstance(key, datetime) else key
    return base64.urlsafe_b64encode(json.dumps([index, plain, person.id]).encode()).decode().rstrip("=")


def _read_place(place: str, asked: _List) -> tuple[int, tuple[Any, int] | None]:
    """Which walk, and behind whom in it."""
    try:
        padded = place + "=" * (-len(place) % 4)
        index, key, person_id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        value = _as_key(asked.walks[index], key)
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0, None
    if type(index) is not int or index < 0 or type(person_id) is not int or not 0 < person_id < LARGEST_ID:
        return 0, None
    return index, (value, person_id)


def _as_key(walk: Walk, key: Any) -> Any:
    """What the place says, as a value of the walk's column; ValueError for what is none."""
    if isinstance(walk.key.type, UTCDateTime):
        return datetime.fromisoformat(key).astimezone(UTC)
    kind = walk.key.type.python_type
    if type(key) is not kind or (kind is int and abs(key) >= LARGEST):
        raise ValueError(key)
    if kind is str and ("\0" in key or not key.isprintable()):  # no database would take it
        raise ValueError(key)
    return key
