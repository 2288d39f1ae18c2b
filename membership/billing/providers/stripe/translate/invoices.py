"""Invoices: the money of every period, or its failure."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from membership.billing.port import FailureFact, ObjectKind, ObjectRef, PaymentFact, Reading
from membership.billing.providers.stripe.currencies import from_stripe
from membership.billing.providers.stripe.translate.basics import (
    FOREIGN,
    Json,
    dig,
    id_of,
    moment,
    must,
    reference_in,
    rows,
)
from membership.billing.providers.stripe.translate.payments import (
    fee_of,
    is_processing,
    needs_action,
    pending_payment,
    reason_of,
)
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm

# A period longer than this is a year: months have at most 31 days.
LONGEST_MONTH = timedelta(days=45)


def invoice_reference(invoice: Json) -> str | None:
    """Our reference on an invoice: Stripe copies the subscription's metadata to it and to its lines."""
    return reference_in(
        dig(invoice, "parent", "subscription_details", "metadata"),
        dig(invoice, "subscription_details", "metadata"),
        dig(invoice, "parent", "subscription_details", "subscription", "metadata"),
        dig(invoice, "subscription", "metadata"),
        invoice.get("metadata"),
        *(line.get("metadata") for line in rows(invoice.get("lines"))),
    )


def invoice_payment_ids(invoice: Json) -> list[str]:
    """The payment intents that paid, or tried to pay, an invoice; those that paid first."""
    paid_first = sorted(rows(invoice.get("payments")), key=lambda row: row.get("status") != "paid")
    found = [id_of(dig(row, "payment", "payment_intent")) for row in paid_first]
    found.append(id_of(invoice.get("payment_intent")))
    return list(dict.fromkeys(payment_id for payment_id in found if payment_id))


def invoice(invoice_object: Json, payments: Iterable[Json] = ()) -> Reading:
    """An invoice with the payment intents of `invoice_payment_ids`, each with its latest charge expanded.

    Paid and above zero: a payment. On its way: pending. Tried in vain and still open: a failure. Anything else says
    nothing yet.
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
    pending = next((payment for payment in payments if is_processing(payment)), None)
    if not is_paid and pending is not None:
        return Reading(facts=(pending_payment(pending, reference),), after=after)
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
        fee=fee_of(paid) if is_by_stripe else Money(0, charged.currency),
        paid_at=must(moment(dig(invoice_object, "status_transitions", "paid_at")), "when an invoice was paid"),
        period_start=start,
        period_end=end,
        subscription_id=subscription_id_of(invoice_object),
        is_elsewhere=not is_by_stripe,
    )


def subscription_id_of(invoice_object: Json) -> str | None:
    """The subscription that an invoice belongs to, in either shape."""
    new = id_of(dig(invoice_object, "parent", "subscription_details", "subscription"))
    return new or id_of(invoice_object.get("subscription"))


def _service_period(invoice_object: Json) -> tuple[datetime, datetime]:
    """The time that an invoice pays for: that of its lines. The invoice's own period is the one before it."""
    lines = rows(invoice_object.get("lines"))
    whole = [line for line in lines if not _is_proration(line)] or lines
    starts = [line["period"]["start"] for line in whole if line.get("period")]
    ends = [line["period"]["end"] for line in whole if line.get("period")]
    if not starts:
        raise ValueError(f"The invoice {invoice_object['id']} has no line with a period.")
    return must(moment(min(starts)), "a period"), must(moment(max(ends)), "a period")


def _is_proration(line: Json) -> bool:
    details = dig(line, "parent", "subscription_item_details") or dig(line, "parent", "invoice_item_details")
    return bool(dig(details, "proration") or line.get("proration"))


def _failed_invoice(invoice_object: Json, reference: str, payments: list[Json]) -> FailureFact:
    error = next((payment["last_payment_error"] for payment in payments if payment.get("last_payment_error")), None)
    charge = next((payment.get("latest_charge") for payment in payments if payment.get("latest_charge")), None)
    failed_at = moment(dig(charge, "created")) or moment(invoice_object.get("created"))
    return FailureFact(
        reference=reference,
        provider_ref=f"{invoice_object['id']}:{invoice_object['attempt_count']}",
        amount=from_stripe(invoice_object["amount_due"], invoice_object["currency"]),
        failed_at=must(failed_at, "when a charge failed"),
        reason=reason_of(error),
        next_try_at=moment(invoice_object.get("next_payment_attempt")),
        subscription_id=subscription_id_of(invoice_object),
        needs_action=any(needs_action(payment) for payment in payments),
        invoice_id=invoice_object["id"],
    )
