"""What check-books asks of membership: whether everybody's coverage is what their grants say (I5)."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Executable, Row, select

from membership.accounts.models import Person
from membership.billing.books import Finding, Scope
from membership.db import db
from membership.patrons.models import CoverageGrant, CoverageSpan, Grace, PatronChange
from membership.patrons.rules import Cause, Grant, patron_changes, place


def unlike_grants(scope: Scope) -> Iterator[Finding]:
    """I5: the kept spans of everybody are those that their grants give, worked out anew.

    Grants do not say when they last changed, so this is asked once a night, of everybody.
    """
    for part in scope.slices(Person.id):
        people = select(Person.id).where(part)
        grants = _of_each(
            select(
                CoverageGrant.person_id,
                CoverageGrant.id,
                CoverageGrant.cause,
                CoverageGrant.paid_at,
                CoverageGrant.starts_at,
                CoverageGrant.ends_at,
                CoverageGrant.n_months,
                CoverageGrant.revoked_at,
            )
            .where(CoverageGrant.person_id.in_(people))
            .order_by(CoverageGrant.person_id)
        )
        spans = _of_each(
            select(CoverageSpan.person_id, CoverageSpan.grant_id, CoverageSpan.starts_at, CoverageSpan.ends_at)
            .where(CoverageSpan.person_id.in_(people))
            .order_by(CoverageSpan.person_id)
        )
        for person_id in sorted({*grants, *spans}):
            kept = {(row.grant_id, row.starts_at, row.ends_at) for row in spans.get(person_id, [])}
            wanted = {(s.grant_id, s.starts_at, s.ends_at) for s in place(_grants(grants.get(person_id, [])))}
            if kept != wanted or len(spans.get(person_id, [])) != len(wanted):
                yield Finding("coverage_differs", f"Person {person_id}: the kept coverage is not what the grants give.")


def unlike_patron_changes(scope: Scope) -> Iterator[Finding]:
    """The written changes of everybody add up to when their coverage and graces make them a patron.

    Asked once a night, like the spans themselves; of whom nothing is written yet the dashboard's worker soon writes.
    """
    for part in scope.slices(Person.id):
        people = select(Person.id).where(part)
        spans, graces, changes = (
            _of_each(select(*columns).where(columns[0].in_(people)).order_by(columns[0]))
            for columns in (
                (CoverageSpan.person_id, CoverageSpan.starts_at, CoverageSpan.ends_at),
                (Grace.person_id, Grace.opened_at, Grace.until, Grace.closed_at),
                (PatronChange.person_id, PatronChange.starts_at, PatronChange.ends_at, PatronChange.delta),
            )
        )
        for person_id, known in changes.items():
            times = [(row.starts_at, row.ends_at) for row in spans.get(person_id, [])]
            times += [(row.opened_at, min(row.until, row.closed_at or row.until)) for row in graces.get(person_id, [])]
            if patron_changes([(row.starts_at, row.ends_at, row.delta) for row in known], times):
                yield Finding(
                    "patron_time_differs", f"Person {person_id}: the changes written are not when they are a patron."
                )


def _of_each(query: Executable) -> dict[int, list[Row[Any]]]:
    rows = db.session.execute(query).all()
    return {person_id: list(own) for person_id, own in groupby(rows, key=itemgetter(0))}


def _grants(rows: Sequence[Row[Any]]) -> list[Grant]:
    return [
        Grant(row.id, Cause(row.cause), row.paid_at, row.starts_at, row.ends_at, row.n_months, row.revoked_at)
        for row in rows
    ]


CHECKS = (unlike_grants, unlike_patron_changes)
