"""Reads of membership."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import distinct, func, select

from membership.db import db
from membership.patrons.models import CoverageGrant, CoverageSpan, Grace, Movement, PatronChange
from membership.patrons.rules import Cause, Change, Grant, Span, Standing, standing


def grants_of(person_id: int) -> list[Grant]:
    """Every grant of a person, in order of payment; empty for somebody never covered."""
    rows = db.session.scalars(
        select(CoverageGrant)
        .where(CoverageGrant.person_id == person_id)
        .order_by(CoverageGrant.paid_at, CoverageGrant.id)
    )
    return [
        Grant(row.id, Cause(row.cause), row.paid_at, row.starts_at, row.ends_at, row.n_months, row.revoked_at)
        for row in rows
    ]


def comps_of(person_id: int) -> Sequence[CoverageGrant]:
    """The comps of a person, newest first, those that are over or were taken back among them."""
    mine = (CoverageGrant.person_id == person_id) & (CoverageGrant.cause == Cause.COMP.value)
    return db.session.scalars(select(CoverageGrant).where(mine).order_by(CoverageGrant.id.desc())).all()


def find_grant(cause_ref: str) -> CoverageGrant | None:
    """What was granted for this cause, if anything was."""
    return db.session.scalar(select(CoverageGrant).where(CoverageGrant.cause_ref == cause_ref))


def spans_of(person_id: int) -> list[Span]:
    """All coverage of a person, past and to come, ordered by start."""
    spans: dict[int, list[Span]] = {person_id: []}
    _add_spans(spans, _with_cause().where(CoverageSpan.person_id == person_id))
    return spans[person_id]


def _with_cause() -> Any:
    columns = (CoverageSpan.person_id, CoverageSpan.grant_id, CoverageSpan.starts_at, CoverageSpan.ends_at)
    query = select(*columns, CoverageGrant.cause).join(CoverageGrant, CoverageGrant.id == CoverageSpan.grant_id)
    return query.order_by(CoverageSpan.starts_at, CoverageSpan.grant_id)


def _add_spans(spans: dict[int, list[Span]], query: Any) -> None:
    for row in db.session.execute(query):
        spans[row.person_id].append(Span(row.grant_id, Cause(row.cause), row.starts_at, row.ends_at))


def standing_of(person_id: int, at: datetime) -> Standing:
    """The standing of a person at a moment, with its reason."""
    return standings_of([person_id], at)[person_id]


def standings_of(person_ids: Sequence[int], at: datetime) -> dict[int, Standing]:
    """The same for several people at once. What is long over is not looked at, but for when it ended: somebody who
    has paid for ten years costs no more than somebody who joined today.
    """
    spans: dict[int, list[Span]] = {person_id: [] for person_id in person_ids}
    _add_spans(spans, _with_cause().where(CoverageSpan.person_id.in_(person_ids), CoverageSpan.ends_at > at))
    if over := [person_id for person_id, found in spans.items() if all(span.starts_at > at for span in found)]:
        ended = select(CoverageSpan.person_id, func.max(CoverageSpan.ends_at).label("ends_at"))
        ended = ended.where(CoverageSpan.person_id.in_(over), CoverageSpan.ends_at <= at)
        last = ended.group_by(CoverageSpan.person_id).subquery()
        is_last = (last.c.person_id == CoverageSpan.person_id) & (last.c.ends_at == CoverageSpan.ends_at)
        _add_spans(spans, _with_cause().join(last, is_last))
    open_graces = select(Grace.person_id, func.max(Grace.until)).where(
        Grace.person_id.in_(person_ids), Grace.closed_at.is_(None)
    )
    graces: dict[int, datetime] = {row[0]: row[1] for row in db.session.execute(open_graces.group_by(Grace.person_id))}
    return {person_id: standing(spans[person_id], graces.get(person_id), at) for person_id in person_ids}


def n_patrons(at: datetime) -> int:
    """How many people are patrons at `at`, by coverage or by open grace; each counted once."""
    covered = select(CoverageSpan.person_id).where(CoverageSpan.ends_at > at, CoverageSpan.starts_at <= at)
    graced = select(Grace.person_id).where(Grace.closed_at.is_(None), Grace.until > at)
    people = covered.union(graced).subquery()
    return db.session.scalar(select(func.count(distinct(people.c.person_id)))) or 0


def patron_times_of(person_id: int) -> list[tuple[datetime, datetime]]:
    """When coverage or a grace makes somebody a patron: spans `[start, end)` that may overlap, past and to come."""
    spans = select(CoverageSpan.starts_at, CoverageSpan.ends_at).where(CoverageSpan.person_id == person_id)
    graces = select(Grace.opened_at, Grace.until, Grace.closed_at).where(Grace.person_id == person_id)
    times = [(starts_at, ends_at) for starts_at, ends_at in db.session.execute(spans)]
    return times + [(opened, min(until, closed or until)) for opened, until, closed in db.session.execute(graces)]


def patron_changes_of(person_id: int) -> list[Change]:
    """Every change that was written of when somebody is a patron."""
    query = select(PatronChange.starts_at, PatronChange.ends_at, PatronChange.delta)
    rows = db.session.execute(query.where(PatronChange.person_id == person_id))
    return [(starts_at, ends_at, delta) for starts_at, ends_at, delta in rows]


def find_cohort(person_id: int) -> date | None:
    """First day of the month since which somebody is a patron, by what was written of them; None where nothing was."""
    return db.session.scalar(select(func.min(PatronChange.cohort_on)).where(PatronChange.person_id == person_id))


def list_ever_covered(after_id: int, limit: int) -> Sequence[int]:
    """Ids of people above `after_id` who have coverage, a grace or a written change, in order, at most `limit`."""
    ids = (
        select(model.person_id).where(model.person_id > after_id).order_by(model.person_id).distinct().limit(limit)
        for model in (CoverageSpan, Grace, PatronChange)
    )
    found = {person_id for query in ids for person_id in db.session.scalars(query)}
    return sorted(found)[:limit]


def export_of(person_id: int) -> list[dict[str, Any]]:
    """What made a person a patron, and when: every grant with what it covers."""
    covered: dict[int, list[str]] = {}
    for span in spans_of(person_id):
        covered.setdefault(span.grant_id, []).append(f"{span.starts_at.isoformat()}/{span.ends_at.isoformat()}")
    rows = db.session.scalars(select(CoverageGrant).where(CoverageGrant.person_id == person_id))
    return [
        {
            "why": row.cause,
            "by": row.cause_ref,
            "paid_at": row.paid_at,
            "n_months": row.n_months,
            "revoked_at": row.revoked_at,
            "covers": ", ".join(covered.get(row.id, [])),
        }
        for row in rows
    ]


def export_graces(person_id: int) -> list[dict[str, Any]]:
    """Time that a person kept while a payment was retried."""
    rows = db.session.scalars(select(Grace).where(Grace.person_id == person_id).order_by(Grace.opened_at))
    return [{"reference": row.reference, "from": row.opened_at, "until": row.until} for row in rows]


def export_movements(person_id: int) -> list[dict[str, Any]]:
    """How a person's yearly support changed."""
    rows = db.session.scalars(select(Movement).where(Movement.person_id == person_id).order_by(Movement.at))
    return [
        {
            "at": row.at,
            "what": row.kind,
            "reference": row.reference,
            "yearly_delta_minor": row.yearly_delta_minor,
            "currency": row.currency,
        }
        for row in rows
    ]
