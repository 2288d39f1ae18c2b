"""Everybody of a list with what is known of them, a row each, read by a cursor of the database."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, String, case, cast, exists, func, select, type_coerce
from sqlalchemy.orm import aliased

from membership.accounts.models import Person
from membership.contributions.models import Contribution
from membership.contributions.rules import LIVE, UNPAID
from membership.db import db, is_sqlite
from membership.front.models import PersonTag, Tag
from membership.front.queries.listing.pages import everybody
from membership.front.rules.filters import Filter, Standing
from membership.patrons.models import CoverageSpan, Grace

AT_A_TIME = 2_000

# The first line of the file. Days are of UTC; amounts are in the smallest unit of their currency.
COLUMNS = (
    "id", "address", "name", "tags", "language", "since", "standing", "covered_until", "grace_until", "support",
    "rhythm", "state", "way", "currency", "amount_minor", "cups", "support_since", "next_payment",
)  # fmt: skip
# Where somebody may have typed something.
RISKY = (1, 2, 3)


def read(wanted: Filter, at: datetime) -> Iterator[Sequence[Row[Any]]]:
    """Rows of COLUMNS, some thousand at a time, in the order of the people's ids."""
    conditions = everybody(wanted, at)
    query = _query(at).where(*conditions).order_by(Person.id)
    result = db.session.execute(query, execution_options={"yield_per": AT_A_TIME})
    yield from result.partitions()


def _query(at: datetime) -> Select[Any]:
    support = aliased(Contribution)
    best = (
        select(Contribution.id)
        .where(Contribution.person_id == Person.id, Contribution.state.not_in(UNPAID))
        .order_by(case((Contribution.state.in_(LIVE), 0), else_=1), Contribution.n_cups.desc(), Contribution.id.desc())
        .limit(1)
        .correlate(Person)
        .scalar_subquery()
    )
    columns: tuple[Any, ...] = (
        Person.public_id, Person.email, Person.public_name, _tags(), Person.locale, _day(Person.created_at),
        _standing(at), _day(_covered_until()), _day(_grace_until(at)), support.reference, support.rhythm,
        support.state, support.way, support.currency, support.charge_minor, support.n_cups, _day(support.created_at),
        _day(support.next_payment_at),
    )  # fmt: skip
    return select(*columns).select_from(Person).outerjoin(support, support.id == best)


def _day(moment: Any) -> ColumnElement[str]:
    """The day of a moment, written by the database: reading a million moments to write a million days takes longer."""
    if is_sqlite():
        return func.substr(type_coerce(moment, String), 1, 10)
    return func.to_char(moment, "YYYY-MM-DD")


def _tags() -> ColumnElement[Any]:
    names = func.aggregate_strings(Tag.name, "; ")
    query = select(names).join(PersonTag, PersonTag.tag_id == Tag.id).where(PersonTag.person_id == Person.id)
    return query.correlate(Person).scalar_subquery()


def _covered_until() -> ColumnElement[Any]:
    """The end of all coverage that somebody has or had."""
    mine = CoverageSpan.person_id == Person.id
    return select(func.max(CoverageSpan.ends_at)).where(mine).correlate(Person).scalar_subquery()


def _grace_until(at: datetime) -> ColumnElement[Any]:
    mine = (Grace.person_id == Person.id, Grace.closed_at.is_(None), Grace.until > at)
    return select(func.max(Grace.until)).where(*mine).correlate(Person).scalar_subquery()


def _standing(at: datetime) -> ColumnElement[str]:
    """One word of `filters.Standing`, as `patrons.rules.standing` decides; "grace" before the patrons that they are."""
    mine = CoverageSpan.person_id == Person.id
    covered = exists().where(mine, CoverageSpan.ends_at > at, CoverageSpan.starts_at <= at)
    graced = exists().where(Grace.person_id == Person.id, Grace.closed_at.is_(None), Grace.until > at)
    over = exists().where(mine, CoverageSpan.ends_at <= at)
    return cast(
        case(
            (covered, Standing.PATRON.value),
            (graced, Standing.GRACE.value),
            (over, Standing.LAPSED.value),
            else_=Standing.NEVER.value,
        ),
        String,
    )
