"""Reads of contributions."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import distinct, func, select

from membership.contributions.models import Contribution
from membership.contributions.rules import LIVE, State
from membership.db import db
from membership.kernel.errors import NotFound


def find_by_reference(reference: str) -> Contribution | None:
    """The contribution of that name, if there is one."""
    return db.session.scalar(select(Contribution).where(Contribution.reference == reference))


def find_by_checkout(checkout_id: str) -> Contribution | None:
    """The contribution that opened this payment page, if there is one."""
    return db.session.scalar(select(Contribution).where(Contribution.checkout_id == checkout_id))


def get_by_id(contribution_id: int) -> Contribution:
    """The contribution; raises NotFound."""
    contribution = db.session.get(Contribution, contribution_id)
    if contribution is None:
        raise NotFound("no_such_contribution", "There is no such contribution.")
    return contribution


def tries_of(form_token: str) -> Sequence[Contribution]:
    """What this browser's form token has led to, newest first."""
    return db.session.scalars(
        select(Contribution).where(Contribution.form_token == form_token).order_by(Contribution.form_try.desc())
    ).all()


def contributions_of(person_id: int) -> Sequence[Contribution]:
    """A person's contributions that led to money, newest first."""
    return db.session.scalars(
        select(Contribution)
        .where(Contribution.person_id == person_id, Contribution.state.not_in([State.STARTED, State.ABANDONED]))
        .order_by(Contribution.created_at.desc(), Contribution.id.desc())
    ).all()


def find_live_support(person_id: int) -> Contribution | None:
    """The person's monthly or yearly contribution that is not over, the newest if there are several."""
    return db.session.scalar(
        select(Contribution)
        .where(Contribution.person_id == person_id, Contribution.state.in_(LIVE))
        .order_by(Contribution.created_at.desc(), Contribution.id.desc())
        .limit(1)
    )


def list_shared_customers() -> list[list[int]]:
    """Groups of two or more people whose contributions were paid by one and the same customer of the provider."""
    paid = (Contribution.customer_id.is_not(None)) & (Contribution.person_id.is_not(None))
    shared = (
        select(Contribution.customer_id)
        .where(paid)
        .group_by(Contribution.customer_id)
        .having(func.count(distinct(Contribution.person_id)) > 1)
    )
    rows = db.session.execute(
        select(Contribution.customer_id, Contribution.person_id)
        .where(paid, Contribution.customer_id.in_(shared))
        .distinct()
        .order_by(Contribution.customer_id, Contribution.person_id)
    )
    groups: dict[str, list[int]] = {}
    for customer_id, person_id in rows:
        if customer_id is not None and person_id is not None:
            groups.setdefault(customer_id, []).append(person_id)
    return list(groups.values())


def list_overdue_checkouts(before: datetime, limit: int = 50) -> Sequence[Contribution]:
    """Contributions still `started` whose payment page ran out unfinished before `before`, oldest first."""
    return db.session.scalars(
        select(Contribution)
        .where(Contribution.state == State.STARTED, Contribution.checkout_expires_at < before)
        .order_by(Contribution.checkout_expires_at)
        .limit(limit)
    ).all()
