"""How the list is walked for each sorting: along an index in its order, so that a page costs what stands on it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, literal, or_, select, tuple_
from sqlalchemy.orm import aliased

from membership.accounts.models import Person, PersonWord
from membership.accounts.rules import WordKind
from membership.contributions.models import Contribution
from membership.front.queries.listing.conditions import Conditions, of_support
from membership.front.queries.listing.search import begins, first_match
from membership.front.rules.filters import Column, Filter
from membership.patrons.models import CoverageSpan


@dataclass(frozen=True, slots=True)
class Walk:
    """People with `key`, the value by which they are in order; `tie` settles who comes first among equals.

    `query` selects both beside the person, without an order. Each person comes once.
    """

    query: Any
    key: Any
    tie: Any

    def part(self, conditions: Conditions, after: tuple[Any, int] | None, limit: int, *, is_down: bool) -> Any:
        """The next `limit` of them behind `after` (a key and a tie)."""
        query = self.query.where(*conditions)
        if after is not None:
            here = tuple_(self.key, self.tie)
            place = tuple_(literal(after[0], self.key.type), literal(after[1]))
            query = query.where(here < place if is_down else here > place)
        order = (self.key.desc(), self.tie.desc()) if is_down else (self.key, self.tie)
        return query.order_by(*order).limit(limit)


def walk_of(column: Column, wanted: Filter) -> Walk:
    """Those who have something in `column`."""
    match column:
        case Column.JOINED:
            return _along(Person.created_at)
        case Column.ADDRESS:
            return _along(Person.email)
        case Column.NAME:
            return _by_name()
        case Column.UNTIL:
            return _by_end()
        case Column.CUPS:
            return _by_cups(wanted)


def rest_of(column: Column, wanted: Filter) -> Walk | None:
    """Those who have nothing in it, in the order in which we came to know them; None where everybody has something."""
    lacks = _LACKS.get(column)
    if lacks is None:
        return None
    by_id = _along(Person.id)
    return Walk(by_id.query.where(lacks(wanted)), by_id.key, by_id.tie)


def by_word(prefix: str) -> Walk:
    """Those of whom a word begins so, in the order of these words."""
    query = select(Person, PersonWord.word.label("key")).join(PersonWord, PersonWord.person_id == Person.id)
    is_met = and_(begins(PersonWord.word, prefix), first_match(prefix))
    return Walk(query.where(is_met), PersonWord.word, PersonWord.person_id)


def with_word(prefix: str) -> Any:
    """The ids of the same people, in no order: quicker to count."""
    query = select(PersonWord.person_id).join(Person, Person.id == PersonWord.person_id)
    return query.where(begins(PersonWord.word, prefix)).distinct()


def _along(key: Any) -> Walk:
    return Walk(select(Person, key.label("key")), key, Person.id)


def _by_name() -> Walk:
    query = select(Person, PersonWord.word.label("key")).join(PersonWord, PersonWord.person_id == Person.id)
    return Walk(query.where(PersonWord.kind == WordKind.NAME.value), PersonWord.word, PersonWord.person_id)


def _by_end() -> Walk:
    """By the end of all coverage that somebody has."""
    later = aliased(CoverageSpan)
    is_last = ~exists().where(
        later.person_id == CoverageSpan.person_id,
        later.ends_at >= CoverageSpan.ends_at,
        or_(later.ends_at > CoverageSpan.ends_at, later.id > CoverageSpan.id),
    )
    query = select(Person, CoverageSpan.ends_at.label("key")).join(CoverageSpan, CoverageSpan.person_id == Person.id)
    return Walk(query.where(is_last), CoverageSpan.ends_at, CoverageSpan.person_id)


def _by_cups(wanted: Filter) -> Walk:
    """By the largest of somebody's contributions that the filter asks for."""
    larger = aliased(Contribution)
    is_largest = ~exists().where(
        *of_support(larger, wanted),
        larger.person_id == Contribution.person_id,
        or_(
            larger.n_cups > Contribution.n_cups,
            and_(larger.n_cups == Contribution.n_cups, larger.id > Contribution.id),
        ),
    )
    query = select(Person, Contribution.n_cups.label("key")).join(Contribution, Contribution.person_id == Person.id)
    query = query.where(*of_support(Contribution, wanted), is_largest)
    return Walk(query, Contribution.n_cups, Contribution.person_id)


def _no_name(_wanted: Filter) -> ColumnElement[bool]:
    return ~exists().where(PersonWord.person_id == Person.id, PersonWord.kind == WordKind.NAME.value)


def _no_coverage(_wanted: Filter) -> ColumnElement[bool]:
    return ~exists().where(CoverageSpan.person_id == Person.id)


def _no_support(wanted: Filter) -> ColumnElement[bool]:
    return ~exists().where(Contribution.person_id == Person.id, *of_support(Contribution, wanted))


_LACKS = {Column.NAME: _no_name, Column.UNTIL: _no_coverage, Column.CUPS: _no_support}
