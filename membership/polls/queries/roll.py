"""Who would be on the roll of a poll: one statement, for the opening that freezes it and for staff who plan it."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from membership.accounts.models import Person
from membership.billing.models import Payment
from membership.db import db
from membership.patrons.models import CoverageGrant, CoverageSpan
from membership.patrons.rules import Cause
from membership.polls.models import Poll, RollEntry

BY_PAYMENT = "payment:"


def eligible(eligibility: str, joined_before: datetime, at: datetime) -> Select[int, int]:
    """The rows (person_id, grant_id) of everybody who may vote in a poll that opens at `at`, each once: covered at
    that moment by a grant that qualifies, and by one that was paid before `joined_before`.
    """
    grant, earlier = CoverageGrant, CoverageGrant.__table__.alias("earlier")
    was_there_before = (
        select(earlier.c.id)
        .where(earlier.c.person_id == Person.id, earlier.c.paid_at < joined_before)
        .where(_qualifies(earlier.c, eligibility))
        .exists()
    )
    return (
        select(Person.id.label("person_id"), func.min(grant.id).label("grant_id"))
        .join(CoverageSpan, CoverageSpan.person_id == Person.id)
        .join(grant, grant.id == CoverageSpan.grant_id)
        .where(CoverageSpan.starts_at <= at, CoverageSpan.ends_at > at)
        .where(Person.disabled_at.is_(None), _qualifies(grant, eligibility), was_there_before)
        .group_by(Person.id)
    )


def is_returned(entry: Any, whose: Any, opened_at: Any, eligibility: str) -> ColumnElement[bool]:
    """Whether the vote of a row of a roll falls because its payment is back with the payer, or disputed (decision 20):
    the grant on the roll is revoked, and no other that qualifies and covered the opening stands.

    `whose`: the id of who that is by now; since a merge places months anew, the rows of others who turned out to be
    the same person speak for them, too. A comp that staff took back returns no payment: what it covered, stays.
    """
    grant, span = CoverageGrant.__table__.alias("standing"), CoverageSpan.__table__.alias("at_opening")
    stands = _qualifies(grant.c, eligibility)
    if eligibility == "covered":
        stands = or_(stands, grant.c.cause == Cause.COMP.value)
    covers = (
        select(span.c.id)
        .join_from(span, grant, grant.c.id == span.c.grant_id)
        .where(span.c.person_id == whose, span.c.starts_at <= opened_at, span.c.ends_at > opened_at, stands)
        .exists()
    )
    row, person, its = RollEntry.__table__.alias("row"), Person.__table__.alias("same"), CoverageGrant.__table__.alias()
    speaks = (
        select(row.c.person_id)
        .join_from(row, person, person.c.id == row.c.person_id)
        .join(its, its.c.id == row.c.grant_id)
        .where(row.c.poll_id == entry.c.poll_id, its.c.revoked_at.is_(None))
        .where(or_(person.c.id == whose, person.c.merged_into_id == whose))
        .exists()
    )
    return and_(is_revoked(entry), ~covers, ~speaks)


def is_revoked(entry: Any) -> ColumnElement[bool]:
    """Whether the very grant on a row of a roll is revoked; only then the rest of `is_returned` need be asked."""
    is_it = (CoverageGrant.id == entry.c.grant_id) & CoverageGrant.revoked_at.is_not(None)
    return select(CoverageGrant.id).where(is_it).exists()


def n_eligible(poll: Poll, at: datetime) -> int:
    """How many would be on the roll of a draft if it were opened at `at`."""
    everybody = eligible(poll.eligibility, poll.joined_before, at).subquery()
    return db.session.scalar(select(func.count()).select_from(everybody)) or 0


def _qualifies(grant: Any, eligibility: str) -> ColumnElement[bool]:
    """Whether a grant makes somebody eligible: money that came and stayed; with "covered", anything that covers.

    A payment of nothing (a whole discount) never becomes a row of `payments`, so it makes nobody eligible.
    """
    if eligibility == "covered":
        return grant.revoked_at.is_(None)  # type: ignore[no-any-return]
    paid = (
        select(Payment.id)
        .where(Payment.provider_id == func.substr(grant.cause_ref, len(BY_PAYMENT) + 1), Payment.charged_minor > 0)
        .exists()
    )
    is_by_payment = and_(grant.cause_ref.like(f"{BY_PAYMENT}%"), paid)
    return and_(grant.revoked_at.is_(None), or_(grant.cause == Cause.PAID, grant.cause == Cause.GIFT), is_by_payment)


def export_of(person_id: int) -> list[dict[str, Any]]:
    """The rolls that a person is on, and whether they voted: never what, which nobody knows."""
    rows = db.session.execute(
        select(Poll.public_id, Poll.title, RollEntry.has_voted, RollEntry.wants_news)
        .join(Poll, Poll.id == RollEntry.poll_id)
        .where(RollEntry.person_id == person_id)
        .order_by(Poll.id)
    )
    return [
        {"poll": row.public_id, "title": row.title, "has_voted": row.has_voted, "wants_news": row.wants_news}
        for row in rows
    ]
