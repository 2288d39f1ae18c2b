"""Reads of contributions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import distinct, func, select

from membership.accounts.models import Person
from membership.billing.queries import payments_of
from membership.contributions.models import Card, Contribution, Refund, StanceChange
from membership.contributions.rules import LIVE, State
from membership.contributions.rules.defence import Stance
from membership.db import db
from membership.kernel.errors import NotFound
from membership.kernel.rhythm import Rhythm
from membership.newsroom.rules import MONTHS_A_YEAR
from membership.patrons.queries import grants_of


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


def get_by_reference(reference: str) -> Contribution:
    """The contribution of that name; raises NotFound."""
    contribution = find_by_reference(reference)
    if contribution is None:
        raise NotFound("no_such_contribution", "There is no such contribution.")
    return contribution


def cards_of(contribution_ids: Sequence[int]) -> dict[int, Card]:
    """The card that each of these is charged with now, by the contribution's id; those without one are missing."""
    rows = db.session.scalars(select(Card).where(Card.contribution_id.in_(contribution_ids)))
    return {row.contribution_id: row for row in rows}


def list_in_trouble(person_id: int) -> Sequence[Contribution]:
    """A person's supports whose last charge failed and is still open, oldest trouble first; mostly none."""
    return db.session.scalars(
        select(Contribution)
        .where(
            Contribution.person_id == person_id,
            Contribution.failed_at.is_not(None) | (Contribution.state == State.PAST_DUE),
            Contribution.state.in_((*LIVE, State.LAPSED)),
        )
        .order_by(Contribution.failed_at, Contribution.id)
    ).all()


def list_pending(person: Person) -> Sequence[Contribution]:
    """First debits that are on their way for this person, also under their address; they are not support yet."""
    mine = (Contribution.person_id == person.id) | (
        Contribution.person_id.is_(None) & (Contribution.email == person.email)
    )
    return db.session.scalars(
        select(Contribution)
        .where(mine, Contribution.pending_at.is_not(None), Contribution.state == State.STARTED)
        .order_by(Contribution.pending_at)
    ).all()


def list_shared_cards() -> list[list[int]]:
    """Groups of two or more people who pay with one and the same card, each group ordered by id."""
    shared = (
        select(Card.fingerprint)
        .join(Contribution, Contribution.id == Card.contribution_id)
        .where(Card.fingerprint.is_not(None), Contribution.person_id.is_not(None))
        .group_by(Card.fingerprint)
        .having(func.count(distinct(Contribution.person_id)) > 1)
    )
    rows = db.session.execute(
        select(Card.fingerprint, Contribution.person_id)
        .join(Contribution, Contribution.id == Card.contribution_id)
        .where(Card.fingerprint.in_(shared), Contribution.person_id.is_not(None))
        .distinct()
        .order_by(Card.fingerprint, Contribution.person_id)
    )
    groups: dict[str, list[int]] = {}
    for fingerprint, person_id in rows:
        if fingerprint is not None and person_id is not None:
            groups.setdefault(fingerprint, []).append(person_id)
    return list(groups.values())


def refunds_of(references: Sequence[str]) -> Sequence[Refund]:
    """Every wish to give money back for these contributions, newest first: done, on its way, failed."""
    return db.session.scalars(
        select(Refund).where(Refund.reference.in_(references)).order_by(Refund.asked_at.desc(), Refund.id.desc())
    ).all()


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


def is_known_giver(person_id: int | None) -> bool:
    """Whether money of this person came and stayed, or they were covered: an account alone is had in a minute."""
    if person_id is None:
        return False
    payments = payments_of([row.reference for row in contributions_of(person_id)])
    return any(row.returned != row.charged for row in payments) or bool(grants_of(person_id))


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


def n_running() -> dict[str, int]:
    """Currency -> how many supports run in it that will be charged again, paused and late ones too."""
    is_running = Contribution.state.in_((State.ACTIVE, State.PAST_DUE, State.PAUSED))
    rows = db.session.execute(
        select(Contribution.currency, func.count()).where(is_running).group_by(Contribution.currency)
    )
    return {currency: n for currency, n in rows}  # noqa: C416 - rows are no pairs to the type checker


def monthly_gifts() -> dict[str, int]:
    """Currency -> minor units that running support brings in a month, without covered fees; a year's by its twelfth.

    What is paused or will end brings in nothing more and is left out.
    """
    is_charged = Contribution.state.in_((State.ACTIVE, State.PAST_DUE))
    rows = db.session.execute(
        select(Contribution.currency, Contribution.rhythm, func.sum(Contribution.gift_minor))
        .where(is_charged)
        .group_by(Contribution.currency, Contribution.rhythm)
    )
    sums: dict[str, int] = {}
    for currency, rhythm, minor in rows:
        months = MONTHS_A_YEAR if rhythm == Rhythm.YEARLY else 1
        sums[currency] = sums.get(currency, 0) + int(minor) // months
    return sums


# What we hold of a member, for the member --------------------------------------------------------------


def _all_of(person_id: int) -> Sequence[Contribution]:
    mine = select(Contribution).where(Contribution.person_id == person_id)
    return db.session.scalars(mine.order_by(Contribution.created_at, Contribution.id)).all()


def export_of(person_id: int) -> list[dict[str, Any]]:
    """Every contribution of a person, also what was begun and not paid, oldest first."""
    rows = _all_of(person_id)
    cards = cards_of([row.id for row in rows])
    return [
        {
            "reference": row.reference,
            "purpose": row.purpose,
            "way": row.way,
            "email": row.email,
            "public_name": row.public_name,
            "rhythm": row.rhythm,
            "gift_minor": row.gift_minor,
            "charge_minor": row.charge_minor,
            "currency": row.currency,
            "state": row.state,
            "state_at": row.state_at,
            "created_at": row.created_at,
            "next_payment_at": row.next_payment_at,
            "ends_at": row.ends_at,
            "paused_until": row.paused_until,
            "cancel_reason": row.cancel_reason,
            "failure_reason": row.failure_reason,
            "card": f"{cards[row.id].brand} {cards[row.id].last4 or ''}".strip() if row.id in cards else None,
            "customer_at_provider": row.customer_id,
            "support_at_provider": row.subscription_id,
            "came_from": ", ".join(f"{key}: {value}" for key, value in sorted(row.attribution.items())),
        }
        for row in rows
    ]


def export_payments(person_id: int) -> list[dict[str, Any]]:
    """Every payment of a person with the number of its receipt, newest first."""
    return [
        {
            "receipt": row.receipt_number,
            "reference": row.reference,
            "charged_minor": row.charged.minor,
            "returned_minor": row.returned.minor,
            "currency": row.charged.currency,
            "paid_at": row.paid_at,
            "period_start": row.period_start,
            "period_end": row.period_end,
            "payment_at_provider": row.payment_id,
        }
        for row in payments_of([row.reference for row in _all_of(person_id)])
    ]


def export_refunds(person_id: int) -> list[dict[str, Any]]:
    """What was to go back to a person."""
    return [
        {
            "reference": row.reference,
            "amount_minor": row.amount_minor,
            "currency": row.currency,
            "reason": row.reason,
            "asked_at": row.asked_at,
            "state": row.state,
        }
        for row in refunds_of([row.reference for row in _all_of(person_id)])
    ]


def find_guarded() -> StanceChange | None:
    """Since when, and after what counts, payment pages are guarded against card testers; None while they are not."""
    last = db.session.scalar(select(StanceChange).order_by(StanceChange.id.desc()).limit(1))
    return last if last is not None and last.stance != Stance.NORMAL else None
