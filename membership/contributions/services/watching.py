"""What nobody would notice by itself: charges and cards to come, money that takes too long, charges that never came."""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, or_, select

from membership.billing import services as billing
from membership.contributions.models import Card, Contribution
from membership.contributions.rules import State
from membership.contributions.rules.failing import (
    CARD_NOTICE,
    PENDING_LASTS,
    RENEWAL_NOTICE,
    SILENCE_LASTS,
    card_ends_at,
)
from membership.contributions.services.hearing.rows import get_row, move
from membership.contributions.services.hearing.trouble import send_mail
from membership.db import db, transaction
from membership.kernel.errors import ProviderFailed
from membership.kernel.rhythm import Rhythm

log = structlog.get_logger(__name__)

AT_A_TIME = 200
FIRST_LOOK = timedelta(days=1)


def notice_renewals(now: datetime) -> int:
    """Tell who gives yearly that the next charge is near, once per charge; how many were told."""
    yearly = or_(Contribution.rhythm == Rhythm.YEARLY, Contribution.next_rhythm == Rhythm.YEARLY)
    not_told = or_(
        Contribution.renewal_noticed_for.is_(None), Contribution.renewal_noticed_for != Contribution.next_payment_at
    )
    with transaction("contributions.notice_renewals"):
        rows = db.session.scalars(
            select(Contribution)
            .where(_is_charged_within(now, RENEWAL_NOTICE), yearly, not_told)
            .order_by(Contribution.next_payment_at)
            .limit(AT_A_TIME)
            .with_for_update(skip_locked=True)
        ).all()
        for row in rows:
            row.renewal_noticed_for = row.next_payment_at
            send_mail(row, "renewal", f"renewal:{row.reference}:{row.next_payment_at:%Y-%m-%d}")
    return len(rows)


def notice_cards(now: datetime) -> int:
    """Tell whose card will have expired when it is charged next, once per card and expiry; how many were told."""
    last = now + CARD_NOTICE
    soon = Card.exp_year * 12 + Card.exp_month < last.year * 12 + last.month
    n_told = 0
    with transaction("contributions.notice_cards"):
        rows = db.session.execute(
            select(Contribution, Card)
            .join(Card, Card.contribution_id == Contribution.id)
            .where(_is_charged_within(now, CARD_NOTICE), soon, Card.expiry_mailed_at.is_(None))
            .order_by(Contribution.next_payment_at)
            .limit(AT_A_TIME)
            .with_for_update(skip_locked=True)
        ).all()
        for contribution, card in rows:
            at = contribution.next_payment_at
            if at is None or card.exp_year is None or card.exp_month is None:
                continue
            if card_ends_at(card.exp_year, card.exp_month) > at:
                continue
            card.expiry_mailed_at = now
            send_mail(contribution, "card_expires", f"card:{card.card_id}:{card.exp_year}-{card.exp_month:02d}")
            n_told += 1
    return n_told


def _is_charged_within(now: datetime, span: timedelta) -> ColumnElement[bool]:
    return (
        (Contribution.state == State.ACTIVE)
        & (Contribution.way == "card")
        & (Contribution.next_payment_at > now)
        & (Contribution.next_payment_at <= now + span)
    )


def look_after_pending(now: datetime) -> int:
    """Read again what is on its way for more than a day; what takes longer than banks may is over. How many."""
    page_is_done = Contribution.checkout_expires_at.is_(None) & Contribution.checkout_id.is_not(None)
    unpaid = (Contribution.state == State.STARTED) & page_is_done & (Contribution.state_at < now - FIRST_LOOK)
    rows = db.session.execute(
        select(Contribution.reference, Contribution.checkout_id, Contribution.subscription_id, Contribution.state)
        .where(or_(unpaid, Contribution.pending_at < now - FIRST_LOOK))
        .order_by(Contribution.state_at)
        .limit(AT_A_TIME)
    ).all()
    for reference, checkout_id, subscription_id, state in rows:
        is_first = state == State.STARTED
        kind, provider_id = ("checkout_session", checkout_id) if is_first else ("subscription", subscription_id)
        if _read_again(kind, provider_id):
            _end_what_takes_too_long(reference, now)
    return len(rows)


def _read_again(kind: str, provider_id: str | None) -> bool:
    """Whether the provider could be asked; what it said is booked by then."""
    try:
        return provider_id is None or billing.sync(kind, provider_id)
    except ProviderFailed as failed:
        log.warning("not_read_again", kind=kind, code=failed.code)
        return False


def _end_what_takes_too_long(reference: str, now: datetime) -> None:
    with transaction("contributions.end_pending"):
        row = get_row(reference)
        is_first = row.state == State.STARTED
        since = row.pending_at or (row.state_at if is_first else now)
        if now - since < PENDING_LASTS:
            return
        log.error("alert_payment_pending_too_long", reference=reference)
        row.pending_at = None
        if is_first:  # money that comes after all still counts
            move(row, State.ABANDONED, now)
            send_mail(row, "debit_failed", f"debit_failed:{reference}")


def find_silent(now: datetime) -> int:
    """Read again whatever should have been charged two days ago and was not heard of since; how many stay silent.

    Those alert staff: a renewal that nobody tried to collect raises no error anywhere (peers.md B11).
    """
    late = (
        Contribution.state.in_((State.ACTIVE, State.PAST_DUE))
        & (Contribution.way == "card")
        & (Contribution.next_payment_at < now - SILENCE_LASTS)
    )
    rows = db.session.execute(
        select(Contribution.reference, Contribution.subscription_id)
        .where(late)
        .order_by(Contribution.next_payment_at)
        .limit(AT_A_TIME)
    ).all()
    for _, subscription_id in rows:
        _read_again("subscription", subscription_id)
    references = [reference for reference, _ in rows]
    silent = db.session.scalars(
        select(Contribution.reference).where(late, Contribution.reference.in_(references))
    ).all()
    for reference in silent:
        log.error("alert_charge_did_not_come", reference=reference)
    return len(silent)
