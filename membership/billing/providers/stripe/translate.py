"""Stripe's objects, as plain dictionaries of JSON, in our words. Pure functions; no network, no SDK objects.

They read the pinned API version, and the older shapes where a field moved (stripe.md 1.3): an object that is
read again comes in the pinned shape, but recorded and foreign ones need not.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from membership.billing.port import (
    APP_STAMP,
    CheckoutFact,
    FailureFact,
    ObjectKind,
    ObjectRef,
    PaymentFact,
    Reading,
    ReversalFact,
    SubscriptionFact,
    SubscriptionStatus,
)
from membership.billing.providers.stripe.currencies import from_stripe
from membership.kernel.money import MINOR_DIGITS, Money
from membership.kernel.rhythm import Rhythm

Json = Mapping[str, Any]

log = structlog.get_logger(__name__)

FOREIGN = Reading(is_ours=False)
# A period longer than this is a year: months have at most 31 days.
LONGEST_MONTH = timedelta(days=45)

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


# Small things ---------------------------------------------------------------------------------------------


def id_of(value: Any) -> str | None:
    """The id of a field that may be expanded: its own, that of the object in its place, or None."""
    if isinstance(value, Mapping):
        value = value.get("id")
    return value if isinstance(value, str) else None


def moment(seconds: Any) -> datetime | None:
    """Stripe's whole seconds since 1970 as an aware moment."""
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) else None


def reference_in(*stamps: Any) -> str | None:
    """Our reference in the first of these metadata that carries our stamp; None where none does (foreign)."""
    for stamp in stamps:
        if isinstance(stamp, Mapping) and stamp.get("app") == APP_STAMP and stamp.get("reference"):
            return str(stamp["reference"])
    return None


def _dig(value: Any, *path: str) -> Any:
    """The value at `path`; None where anything on the way is missing, null or only an id."""
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _rows(value: Any) -> Sequence[Any]:
    """The data of a list object; empty where the list is missing."""
    data = _dig(value, "data")
    return data if isinstance(data, list) else []


def _must(value: datetime | None, what: str) -> datetime:
    if value is None:
        raise ValueError(f"Stripe did not say {what}.")
    return value


# Checkout -------------------------------------------------------------------------------------------------


def checkout(session: Json) -> Reading:
    """A Checkout Session: how it ended, and the invoice or payment that must be read for its money."""
    reference = reference_in(session.get("metadata"))
    if reference is None:
        return FOREIGN
    is_finished = session.get("status") == "complete"
    fact = CheckoutFact(
        reference=reference,
        checkout_id=session["id"],
        is_finished=is_finished,
        is_expired=session.get("status") == "expired",
        is_paid=is_finished and session.get("payment_status") == "paid",
        customer_id=id_of(session.get("customer")),
        subscription_id=id_of(session.get("subscription")),
    )
    related: list[ObjectRef] = []
    if is_finished:
        invoice_id, payment_id = id_of(session.get("invoice")), id_of(session.get("payment_intent"))
        if session.get("mode") == "subscription" and invoice_id:
            related.append(ObjectRef(ObjectKind.INVOICE, invoice_id))
        if session.get("mode") == "payment" and payment_id:
            related.append(ObjectRef(ObjectKind.PAYMENT, payment_id))
    return Reading(facts=(fact,), related=tuple(related))


# Subscriptions --------------------------------------------------------------------------------------------


def subscription(sub: Json) -> Reading:
    """A subscription as it stands. The period ends with the last of its items (basil moved it there)."""
    reference = reference_in(sub.get("metadata"))
    if reference is None:
        return FOREIGN
    items = _rows(sub.get("items"))
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
    periods = [_dig(item, "price", "recurring") or item.get("plan") or {} for item in items]
    found = {(str(period.get("interval")), int(period.get("interval_count") or 1)) for period in periods}
    return {("month", 1): Rhythm.MONTHLY, ("year", 1): Rhythm.YEARLY}.get(found.pop()) if len(found) == 1 else None


def _amount(items: Sequence[Json], currency: Any) -> Money:
    """What one period costs; amounts that are no whole unit (metered prices, never ours) count as nothing."""
    prices = [(item.get("price") or item.get("plan") or {}, item.get("quantity") or 1) for item in items]
    code = currency or next((price.get("currency") for price, _ in prices if price.get("currency")), "")
    total = sum((price.get("unit_amount") or price.get("amount") or 0) * quantity for price, quantity in prices)
    return from_stripe(total, str(code))


# Invoices -------------------------------------------------------------------------------------------------


def invoice_reference(invoice: Json) -> str | None:
    """Our reference on an invoice: Stripe copies the subscription's metadata to it and to its lines."""
    return reference_in(
        _dig(invoice, "parent", "subscription_details", "metadata"),
        _dig(invoice, "subscription_details", "metadata"),
        _dig(invoice, "parent", "subscription_details", "subscription", "metadata"),
        _dig(invoice, "subscription", "metadata"),
        invoice.get("metadata"),
        *(line.get("metadata") for line in _rows(invoice.get("lines"))),
    )


def invoice_payment_ids(invoice: Json) -> list[str]:
    """The payment intents that paid, or tried to pay, an invoice; those that paid first."""
    rows = sorted(_rows(invoice.get("payments")), key=lambda row: row.get("status") != "paid")
    found = [id_of(_dig(row, "payment", "payment_intent")) for row in rows]
    found.append(id_of(invoice.get("payment_intent")))
    return list(dict.fromkeys(payment_id for payment_id in found if payment_id))


def invoice(invoice_object: Json, payments: Iterable[Json] = ()) -> Reading:
    """An invoice with the payment intents of `invoice_payment_ids`, each with its latest charge expanded.

    Paid and above zero: a payment. Tried in vain and still open: a failure. Anything else says nothing yet.
    """
    reference = invoice_reference(invoice_object)
    if reference is None:
        return FOREIGN
    payments = list(payments)
    is_paid = invoice_object.get("status") == "paid" or invoice_object.get("paid") is True
    # An invoice moves its subscription: on with a payment, into trouble with a failure.
    subscription_id = subscription_id_of(invoice_object)
    after = (ObjectRef(ObjectKind.SUBSCRIPTION, subscription_id),) if subscription_id else ()
    if is_paid and invoice_object.get("amount_paid"):
        return Reading(facts=(_paid_invoice(invoice_object, reference, payments),), after=after)
    is_unpaid = invoice_object.get("status") in {"open", "uncollectible"}
    if is_unpaid and invoice_object.get("attempt_count"):
        return Reading(facts=(_failed_invoice(invoice_object, reference, payments),), after=after)
    return Reading(after=after)


def _paid_invoice(invoice_object: Json, reference: str, payments: list[Json]) -> PaymentFact:
    start, end = _service_period(invoice_object)
    charged = from_stripe(invoice_object["amount_paid"], invoice_object["currency"])
    paid = [payment for payment in payments if payment.get("status") == "succeeded"]
    is_by_stripe = bool(paid)  # else staff marked it as paid by other means
    return PaymentFact(
        payment_id=invoice_object["id"],
        reference=reference,
        rhythm=Rhythm.YEARLY if end - start > LONGEST_MONTH else Rhythm.MONTHLY,
        charged=charged,
        fee=_fee(paid) if is_by_stripe else Money(0, charged.currency),
        paid_at=_must(moment(_dig(invoice_object, "status_transitions", "paid_at")), "when an invoice was paid"),
        period_start=start,
        period_end=end,
        subscription_id=subscription_id_of(invoice_object),
        is_elsewhere=not is_by_stripe,
    )


def subscription_id_of(invoice_object: Json) -> str | None:
    """The subscription that an invoice belongs to, in either shape."""
    new = id_of(_dig(invoice_object, "parent", "subscription_details", "subscription"))
    return new or id_of(invoice_object.get("subscription"))


def _service_period(invoice_object: Json) -> tuple[datetime, datetime]:
    """The time that an invoice pays for: that of its lines. The invoice's own period is the one before it."""
    lines = _rows(invoice_object.get("lines"))
    whole = [line for line in lines if not _is_proration(line)] or lines
    starts = [line["period"]["start"] for line in whole if line.get("period")]
    ends = [line["period"]["end"] for line in whole if line.get("period")]
    if not starts:
        raise ValueError(f"The invoice {invoice_object['id']} has no line with a period.")
    return _must(moment(min(starts)), "a period"), _must(moment(max(ends)), "a period")


def _is_proration(line: Json) -> bool:
    details = _dig(line, "parent", "subscription_item_details") or _dig(line, "parent", "invoice_item_details")
    return bool(_dig(details, "proration") or line.get("proration"))


def _failed_invoice(invoice_object: Json, reference: str, payments: list[Json]) -> FailureFact:
    error = next((payment["last_payment_error"] for payment in payments if payment.get("last_payment_error")), None)
    charge = next((payment.get("latest_charge") for payment in payments if payment.get("latest_charge")), None)
    failed_at = moment(_dig(charge, "created")) or moment(invoice_object.get("created"))
    return FailureFact(
        reference=reference,
        provider_ref=f"{invoice_object['id']}:{invoice_object['attempt_count']}",
        amount=from_stripe(invoice_object["amount_due"], invoice_object["currency"]),
        failed_at=_must(failed_at, "when a charge failed"),
        reason=_reason(error),
        next_try_at=moment(invoice_object.get("next_payment_attempt")),
        subscription_id=subscription_id_of(invoice_object),
    )


# Payments -------------------------------------------------------------------------------------------------


def payment(intent: Json) -> Reading:
    """A payment intent of our own (one-time), with its latest charge expanded.

    Those of invoices carry no stamp of ours and are read through their invoice (`invoice`).
    """
    reference = reference_in(intent.get("metadata"))
    if reference is None:
        return FOREIGN
    charge = intent.get("latest_charge")
    if intent.get("status") == "succeeded" and intent.get("amount_received"):
        fact = PaymentFact(
            payment_id=intent["id"],
            reference=reference,
            rhythm=Rhythm.ONCE,
            charged=from_stripe(intent["amount_received"], intent["currency"]),
            fee=_fee([intent]),
            paid_at=_must(moment(_dig(charge, "created")) or moment(intent.get("created")), "when it was paid"),
        )
        return Reading(facts=(fact,))
    error = intent.get("last_payment_error")
    if intent.get("status") == "requires_payment_method" and isinstance(error, Mapping):
        failure = FailureFact(
            reference=reference,
            provider_ref=id_of(error.get("charge")) or id_of(charge) or intent["id"],
            amount=from_stripe(intent["amount"], intent["currency"]),
            failed_at=_must(moment(_dig(charge, "created")) or moment(intent.get("created")), "when it failed"),
            reason=_reason(error),
            next_try_at=None,
            subscription_id=None,
        )
        return Reading(facts=(failure,))
    return Reading()


def _reason(error: Any) -> str:
    """Why a charge failed, as Stripe's machine word; the reader's own text is never kept."""
    return str(_dig(error, "decline_code") or _dig(error, "code") or "unknown")[:80]


def _fee(intents: list[Json]) -> Money | None:
    """What Stripe kept of these payments; None where it has not settled one of them yet."""
    fees: list[Money] = []
    for intent in intents:
        settled = _dig(intent, "latest_charge", "balance_transaction")
        if not isinstance(settled, Mapping):
            return None
        if str(settled["currency"]).upper() not in MINOR_DIGITS:
            log.error("alert_unknown_currency", currency=settled["currency"], payment_id=intent["id"])
            return None
        fees.append(from_stripe(settled["fee"], settled["currency"]))
    if not fees or len({fee.currency for fee in fees}) > 1:
        return None
    return sum(fees[1:], start=fees[0])


# Money that leaves again ----------------------------------------------------------------------------------


def reversals(payment_id: str, refunds: Iterable[Json], disputes: Iterable[Json]) -> tuple[ReversalFact, ...]:
    """What left of one payment and what came back, in the order in which it moved."""
    facts = [fact for refund in refunds for fact in _refund(payment_id, refund)]
    facts += [fact for dispute in disputes for fact in _dispute(payment_id, dispute)]
    return tuple(sorted(facts, key=lambda fact: (fact.at, fact.is_returned)))


def _refund(payment_id: str, refund: Json) -> list[ReversalFact]:
    """A refund counts once it succeeded; one that failed afterwards came back (stripe.md 1.6)."""
    status = refund.get("status")
    if status not in {"succeeded", "failed"}:
        return []
    has_failed = status == "failed"
    return [
        ReversalFact(
            reversal_id=refund["id"],
            payment_id=payment_id,
            amount=from_stripe(refund["amount"], refund["currency"]),
            fee=None,
            at=_must(moment(refund.get("created")), "when a refund was made"),
            reason="refund_failed" if has_failed else "refund",
            is_returned=has_failed,
        )
    ]


def _dispute(payment_id: str, dispute: Json) -> list[ReversalFact]:
    """Money moves with the dispute's balance transactions, not with its status: inquiries move none."""
    amount = from_stripe(dispute["amount"], dispute["currency"])
    facts = []
    for settled in dispute.get("balance_transactions") or []:
        if not settled.get("amount"):
            continue
        is_returned = settled["amount"] > 0
        fee = from_stripe(settled["fee"], settled["currency"]) if settled.get("fee") else None
        facts.append(
            ReversalFact(
                reversal_id=dispute["id"],
                payment_id=payment_id,
                amount=amount,
                fee=fee,
                at=_must(moment(settled.get("created")), "when a dispute moved money"),
                reason="dispute_won" if is_returned else "dispute",
                is_returned=is_returned,
            )
        )
    return facts
