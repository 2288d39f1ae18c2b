"""Reads of the books: payments and receipts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import current_app
from sqlalchemy import func, select, tuple_

from membership.billing.models import InboxEvent, Payment, PaymentFailure, PaymentReversal, ProviderIntent
from membership.billing.port import PaymentProvider
from membership.db import db
from membership.kernel.errors import NotFound
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm

RECEIPT_NUMBER = re.compile(r"\d{4}-\d{6,12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """A payment as it stands on its receipt; `returned` is what has gone back of it since (zero: nothing)."""

    receipt_number: str
    reference: str
    rhythm: Rhythm
    charged: Money
    returned: Money
    fee: Money | None
    paid_at: datetime
    period_start: datetime | None
    period_end: datetime | None
    payment_id: str
    way: str = "card"

    @property
    def year(self) -> int:
        """The year in which it is counted, by the newsroom's calendar."""
        return int(self.receipt_number.partition("-")[0])


def payments_of(references: Sequence[str]) -> list[PaymentRow]:
    """The payments of these contributions, newest first; empty for none."""
    if not references:
        return []
    query = select(Payment).where(Payment.reference.in_(references)).order_by(Payment.paid_at.desc(), Payment.id.desc())
    return _rows(db.session.scalars(query).all())


def payments_page(references: Sequence[str], limit: int, before: str = "") -> list[PaymentRow]:
    """At most `limit` payments of these contributions, newest first; those behind the receipt of that number, where
    `before` names one of them (nothing for any other).
    """
    if not references:
        return []
    mine = Payment.reference.in_(references)
    query = select(Payment).where(mine)
    if before:
        place = select(Payment.paid_at, Payment.id).where(mine, Payment.receipt_number == before).subquery()
        query = query.join(place, tuple_(Payment.paid_at, Payment.id) < tuple_(place.c.paid_at, place.c.id))
    return _rows(db.session.scalars(query.order_by(Payment.paid_at.desc(), Payment.id.desc()).limit(limit)).all())


def get_receipt(number: str) -> PaymentRow:
    """The payment with the receipt `number`, such as "2026-000042"; NotFound where there is none."""
    is_number = RECEIPT_NUMBER.fullmatch(number) is not None
    payment = db.session.scalar(select(Payment).where(Payment.receipt_number == number)) if is_number else None
    if payment is None:
        raise NotFound("receipt_not_found", "There is no such receipt.")
    return _rows([payment])[0]


def receipts_of(payment_ids: Sequence[str]) -> dict[str, str]:
    """The numbers of the receipts of these payments (by the provider's ids); unknown ones are missing."""
    if not payment_ids:
        return {}
    query = select(Payment.provider_id, Payment.receipt_number).where(Payment.provider_id.in_(payment_ids))
    return {payment_id: number for payment_id, number in db.session.execute(query)}  # noqa: C416 - rows


def is_wholly_returned(payment_id: str) -> bool:
    """Whether all money of a payment (by the provider's id) has gone back, by refunds and disputes together."""
    return find_wholly_returned_at(payment_id) is not None


def find_wholly_returned_at(payment_id: str) -> datetime | None:
    """When the last of a payment's money went back; None while some of it is here. The same in whatever order the
    movements were heard of.
    """
    query = (
        select(Payment.charged_minor, PaymentReversal.amount_minor, PaymentReversal.moved_at)
        .join(PaymentReversal, PaymentReversal.payment_id == Payment.id)
        .where(Payment.provider_id == payment_id)
        .order_by(PaymentReversal.moved_at, PaymentReversal.id)
    )
    gone, gone_at = 0, None
    for charged, minor, moved_at in db.session.execute(query):
        before, gone = gone, gone + minor
        if gone < charged:
            gone_at = None
        elif before < charged:
            gone_at = moved_at
    return gone_at


def failures_of(references: Sequence[str], limit: int | None = None) -> Sequence[PaymentFailure]:
    """Every attempt to charge these contributions that did not go through, newest first (the newest `limit`); for staff
    only.

    The reason is the bank's own word, which helps who tries stolen cards: a giver is told its class
    (`contributions.rules.failing`).
    """
    failed = select(PaymentFailure).where(PaymentFailure.reference.in_(references))
    newest_first = failed.order_by(PaymentFailure.failed_at.desc(), PaymentFailure.id.desc())
    return db.session.scalars(newest_first.limit(limit)).all()


def count_inbox() -> dict[str, int]:
    """How many notices stand in each state; states without any are missing."""
    rows = db.session.execute(select(InboxEvent.state, func.count()).group_by(InboxEvent.state))
    return {state: n for state, n in rows}  # noqa: C416 - rows are no tuples to the type checker


def find_oldest_open() -> datetime | None:
    """When the oldest notice that is still open came in (real time); None where all are worked off."""
    return db.session.scalar(select(func.min(InboxEvent.received_at)).where(InboxEvent.next_try_at.is_not(None)))


def find_oldest_due() -> datetime | None:
    """Since when the open notice that is due longest could be worked on (real time); None where none is open.

    May lie ahead: a notice that waits for its turn is not due yet.
    """
    return db.session.scalar(select(func.min(InboxEvent.next_try_at)))


def find_last_received() -> datetime | None:
    """When the newest notice that was accepted came in (real time); None while there is none."""
    return db.session.scalar(select(func.max(InboxEvent.received_at)))


def count_tries(since: datetime) -> dict[str, int]:
    """What became of payment pages since a moment (real time): how many were "opened" and "paid", and how many cards
    were "declined" on them.

    By the kinds of the provider's signed notices alone: a signal, never a state. A renewal that fails is a refused card
    and a failed invoice, so it counts as neither.
    """
    provider: PaymentProvider = current_app.extensions["membership.provider"]
    words = {notice_type: word for word, notice_type in provider.tries.items()}
    by_type = db.session.execute(
        select(InboxEvent.type, func.count())
        .where(InboxEvent.received_at >= since, InboxEvent.type.in_(words))
        .group_by(InboxEvent.type)
    )
    n = {words[notice_type]: count for notice_type, count in by_type}
    is_page = ProviderIntent.kind.in_(("open_checkout", "open_card_page")) & (ProviderIntent.sent_at >= since)
    opened = db.session.scalar(select(func.count()).where(is_page, ProviderIntent.state != "refused")) or 0
    declined = max(0, n.get("declined", 0) - n.get("renewal_failed", 0)) + n.get("card_refused", 0)
    return {"opened": opened, "paid": n.get("paid", 0), "declined": declined}


def has_opened_card_page(reference: str, checkout_id: str) -> bool:
    """Whether a hosted page that takes a new card is one that we opened for this reference."""
    page = (ProviderIntent.kind == "open_card_page") & (ProviderIntent.provider_id == checkout_id)
    return db.session.scalar(select(ProviderIntent.id).where(page, ProviderIntent.reference == reference)) is not None


def _rows(payments: Sequence[Payment]) -> list[PaymentRow]:
    query = select(PaymentReversal.payment_id, func.sum(PaymentReversal.amount_minor)).group_by(
        PaymentReversal.payment_id
    )
    ids = [payment.id for payment in payments]
    rows = db.session.execute(query.where(PaymentReversal.payment_id.in_(ids)))
    returned = {payment_id: int(minor) for payment_id, minor in rows}
    return [
        PaymentRow(
            receipt_number=payment.receipt_number,
            reference=payment.reference,
            rhythm=Rhythm(payment.rhythm),
            charged=payment.charged,
            returned=Money(returned.get(payment.id, 0), payment.currency),
            fee=payment.fee,
            paid_at=payment.paid_at,
            period_start=payment.period_start_at,
            period_end=payment.period_end_at,
            payment_id=payment.provider_id,
            way=payment.way,
        )
        for payment in payments
    ]
