"""Subscriptions: where recurring support stands, what it costs, and with what it is paid."""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from membership.billing.port import Card, Reading, SubscriptionFact, SubscriptionStatus
from membership.billing.providers.stripe.currencies import from_stripe
from membership.billing.providers.stripe.translate.basics import FOREIGN, Json, dig, id_of, moment, reference_in, rows
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm

log = structlog.get_logger(__name__)

# "trialing" is what Stripe calls support whose rhythm was changed, until the new one begins (we offer no trials).
# "unpaid" is what Stripe calls a subscription that it stopped trying to charge but keeps.
STATUSES = {
    "active": SubscriptionStatus.ACTIVE,
    "trialing": SubscriptionStatus.ACTIVE,
    "past_due": SubscriptionStatus.PAST_DUE,
    "paused": SubscriptionStatus.PAUSED,
    "unpaid": SubscriptionStatus.UNPAID,
    "incomplete": SubscriptionStatus.INCOMPLETE,
    "incomplete_expired": SubscriptionStatus.ENDED,
    "canceled": SubscriptionStatus.ENDED,
}


def subscription(sub: Json) -> Reading:
    """A subscription as it stands. The period ends with the last of its items (basil moved it there)."""
    reference = reference_in(sub.get("metadata"))
    if reference is None:
        return FOREIGN
    items = rows(sub.get("items"))
    ends = [item.get("current_period_end") for item in items] + [sub.get("current_period_end")]
    period_end = moment(max((end for end in ends if isinstance(end, int)), default=None))
    cancel_at = moment(sub.get("cancel_at")) or (period_end if sub.get("cancel_at_period_end") else None)
    raw_status = str(sub.get("status"))
    fact = SubscriptionFact(
        reference=reference,
        subscription_id=sub["id"],
        customer_id=id_of(sub.get("customer")) or "",
        status=_status(sub, raw_status),
        raw_status=raw_status,
        amount=_amount(items, sub.get("currency")),
        rhythm=_rhythm(items),
        current_period_end=period_end,
        cancel_at=cancel_at,
        ended_at=moment(sub.get("ended_at")),
        card=_card(sub),
        paused_until=moment(dig(sub, "pause_collection", "resumes_at")),
        is_given_up=dig(sub, "cancellation_details", "reason") == "payment_failed",
    )
    return Reading(facts=(fact,))


def _status(sub: Json, raw_status: str) -> SubscriptionStatus:
    status = STATUSES.get(raw_status, SubscriptionStatus.UNKNOWN)
    if status is SubscriptionStatus.UNKNOWN:
        log.error("alert_unknown_subscription_status", status=raw_status, subscription_id=sub["id"])
    if status is SubscriptionStatus.ACTIVE and sub.get("pause_collection"):
        return SubscriptionStatus.PAUSED  # charges stop although Stripe keeps calling it active
    return status


def _rhythm(items: Sequence[Json]) -> Rhythm | None:
    """How often all items are charged; None for a period that we never offer."""
    periods = [dig(item, "price", "recurring") or item.get("plan") or {} for item in items]
    found = {(str(period.get("interval")), int(period.get("interval_count") or 1)) for period in periods}
    return {("month", 1): Rhythm.MONTHLY, ("year", 1): Rhythm.YEARLY}.get(found.pop()) if len(found) == 1 else None


def _amount(items: Sequence[Json], currency: Any) -> Money:
    """What one period costs; amounts that are no whole unit (metered prices, never ours) count as nothing."""
    prices = [(item.get("price") or item.get("plan") or {}, item.get("quantity") or 1) for item in items]
    code = currency or next((price.get("currency") for price, _ in prices if price.get("currency")), "")
    total = sum((price.get("unit_amount") or price.get("amount") or 0) * quantity for price, quantity in prices)
    return from_stripe(total, str(code))


def _card(sub: Json) -> Card | None:
    """What will be charged; None where there is nothing, or it was not expanded."""
    method = sub.get("default_payment_method")
    if not isinstance(method, Mapping):
        return None
    way = str(method.get("type"))
    shown = method.get(way) or {}
    return Card(
        card_id=method["id"],
        brand=str(shown.get("display_brand") or shown.get("brand") or way),
        last4=shown.get("last4"),
        exp_year=shown.get("exp_year"),
        exp_month=shown.get("exp_month"),
        fingerprint=shown.get("fingerprint"),
    )
