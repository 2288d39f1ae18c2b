"""A filter as conditions on `Person`: each is asked of the tables that are the truth, none of a copy of them."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, distinct, func, select, union
from sqlalchemy.orm import InstrumentedAttribute

from membership.accounts.models import Person, StaffMember
from membership.contributions.models import Card, Contribution
from membership.contributions.rules import LIVE, UNPAID, State
from membership.db import db
from membership.front.models import PersonTag, Tag
from membership.front.rules.filters import ANY_ROLE, Filter, Standing
from membership.mail.rules import NOBODY
from membership.newsroom.queries import zone
from membership.patrons.models import CoverageSpan, Grace

# What is tried again is open; what the provider stopped trying is lapsed, and can be paid for a while all the same.
IN_TROUBLE = (*LIVE, State.LAPSED)
FEW = 2_000
Conditions = list[ColumnElement[bool]]


def of(wanted: Filter, at: datetime) -> Conditions:
    """Everything but the text. Whoever was erased or merged is nobody and in no list."""
    found: Conditions = [Person.email.not_like(f"%{NOBODY}")]
    if wanted.standing:
        found += _stands(wanted.standing, at)
    if wanted.joined_from:
        found.append(Person.created_at >= _begin_of(wanted.joined_from))
    if wanted.joined_to:
        found.append(Person.created_at < _begin_of(wanted.joined_to + timedelta(days=1)))
    if wanted.locale:
        found.append(Person.locale == wanted.locale)
    return found + [_is_among(people) for people in _kinds_of_people(wanted, at)]


def _kinds_of_people(wanted: Filter, at: datetime) -> Iterator[Any]:
    """What is asked that may be true of a few people only, each as their ids."""
    if wanted.standing is Standing.GRACE:
        yield select(Grace.person_id).where(Grace.closed_at.is_(None), Grace.until > at)
    if wanted.asks_of_support:
        yield select(Contribution.person_id).where(*of_support(Contribution, wanted))
    if wanted.trouble:
        yield select(Contribution.person_id).where(has_failed())
    if wanted.look:
        yield _to_look_at()
    if wanted.role:
        is_meant = StaffMember.role == wanted.role if wanted.role != ANY_ROLE else StaffMember.role.is_not(None)
        yield select(StaffMember.person_id).where(is_meant)
    if wanted.tag:
        tagged = select(PersonTag.person_id).join(Tag, Tag.id == PersonTag.tag_id)
        yield tagged.where(Tag.plain_name == wanted.tag)


def _is_among(people: Any) -> ColumnElement[bool]:
    """Whether a person is one of them. Where they are few, they are read first: neither planner would know, and walk
    past everybody to find them.
    """
    ids = set(db.session.scalars(people.limit(FEW + 1)))
    return Person.id.in_(sorted(ids - {None}) if len(ids) <= FEW else people)


def _begin_of(day: date) -> datetime:
    return datetime.combine(day, time(), zone())


def of_support(row: Any, wanted: Filter) -> Conditions:
    """What is asked of one contribution (`Contribution` or an alias of it); without a state, one that money came of."""
    found: Conditions = [row.person_id.is_not(None)]
    found.append(row.state == wanted.state.value if wanted.state else row.state.not_in(UNPAID))
    pairs: tuple[tuple[InstrumentedAttribute[str], str | None], ...] = (
        (row.rhythm, wanted.rhythm), (row.currency, wanted.currency), (row.way, wanted.way),
    )  # fmt: skip
    found += [column == str(value) for column, value in pairs if value is not None]
    if wanted.cups_from is not None:
        found.append(row.n_cups >= wanted.cups_from)
    if wanted.cups_to is not None:
        found.append(row.n_cups <= wanted.cups_to)
    return found


def _stands(standing: Standing, at: datetime) -> Conditions:
    """As `patrons.rules.standing` decides for one person: coverage first, then an open grace, then what is over."""
    mine = CoverageSpan.person_id == Person.id
    covered = _has(select(CoverageSpan.id).where(mine, CoverageSpan.ends_at > at, CoverageSpan.starts_at <= at))
    graced = _has(select(Grace.id).where(Grace.person_id == Person.id, Grace.closed_at.is_(None), Grace.until > at))
    over = _has(select(CoverageSpan.id).where(mine, CoverageSpan.ends_at <= at))
    match standing:
        case Standing.PATRON:
            return [covered | graced]
        case Standing.GRACE:
            return [graced, ~covered]
        case Standing.LAPSED:
            return [~covered, ~graced, over]
        case Standing.NEVER:
            return [~covered, ~graced, ~over]


def _has(rows: Select[Any]) -> ColumnElement[bool]:
    """EXISTS, written so that PostgreSQL looks it up for each person that it walks past, and does not gather the
    coverage of everybody first.
    """
    return rows.limit(1).correlate(Person).scalar_subquery().is_not(None)


def has_failed() -> ColumnElement[bool]:
    """Whether the last charge of a contribution failed and is open."""
    is_open = Contribution.failed_at.is_not(None) | (Contribution.state == State.PAST_DUE)
    return is_open & Contribution.state.in_(IN_TROUBLE)


def _to_look_at() -> Any:
    """Two supports at once, one card or account of two people, or a warning of fraud: somebody should look."""
    given = Contribution.person_id.is_not(None)
    doubled = (
        select(Contribution.person_id)
        .where(given, Contribution.state.in_(LIVE))
        .group_by(Contribution.person_id)
        .having(func.count() > 1)
    )
    cards = select(Card.contribution_id).where(Card.fingerprint.in_(_shared(Card.fingerprint)))
    return union(
        doubled,
        select(Contribution.person_id).where(given, Contribution.customer_id.in_(_shared(Contribution.customer_id))),
        select(Contribution.person_id).where(given, Contribution.id.in_(cards)),
        select(Contribution.person_id).where(given, Contribution.warned_at.is_not(None)),
    )


def _shared(by: InstrumentedAttribute[str | None]) -> Any:
    """Names at the provider under which more than one person pays."""
    query = select(by).where(by.is_not(None), Contribution.person_id.is_not(None))
    if by.class_ is Card:
        query = query.join(Contribution, Contribution.id == Card.contribution_id)
    return query.group_by(by).having(func.count(distinct(Contribution.person_id)) > 1)
