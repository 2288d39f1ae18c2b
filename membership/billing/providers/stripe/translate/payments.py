"""Payment intents: single payments, and what is common to all."""

from collections.abc import Mapping
from typing import Any

import structlog

from membership.billing.port import FailureFact, PaymentFact, PaymentPending, Reading
from membership.billing.providers.stripe.currencies import from_stripe
from membership.billing.providers.stripe.translate.basics import FOREIGN, Json, dig, id_of, moment, must, reference_in
from membership.kernel.money import MINOR_DIGITS, Money
from membership.kernel.rhythm import Rhythm

log = structlog.get_logger(__name__)


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
            fee=fee_of([intent]),
            paid_at=must(moment(dig(charge, "created")) or moment(intent.get("created")), "when it was paid"),
        )
        return Reading(facts=(fact,))
    if is_processing(intent):
        return Reading(facts=(pending_payment(intent, reference),))
    error = intent.get("last_payment_error")
    if intent.get("status") == "requires_payment_method" and isinstance(error, Mapping):
        failure = FailureFact(
            reference=reference,
            provider_ref=id_of(error.get("charge")) or id_of(charge) or intent["id"],
            amount=from_stripe(intent["amount"], intent["currency"]),
            failed_at=must(moment(dig(charge, "created")) or moment(intent.get("created")), "when it failed"),
            reason=reason_of(error),
            next_try_at=None,
            subscription_id=None,
            needs_action=needs_action(intent),
        )
        return Reading(facts=(failure,))
    return Reading()


def is_processing(intent: Json) -> bool:
    """Whether the money of a payment intent is on its way."""
    return intent.get("status") == "processing"


def pending_payment(intent: Json, reference: str) -> PaymentPending:
    """Money that is on its way, since when."""
    at = moment(dig(intent.get("latest_charge"), "created")) or moment(intent.get("created"))
    return PaymentPending(reference, from_stripe(intent["amount"], intent["currency"]), must(at, "since when"))


def needs_action(intent: Json) -> bool:
    """Whether only the payer can go on, with their bank."""
    error = intent.get("last_payment_error")
    words = {intent.get("status"), dig(error, "code"), dig(error, "decline_code")}
    return bool(words & {"requires_action", "authentication_required", "payment_intent_authentication_failure"})


def reason_of(error: Any) -> str:
    """Why a charge failed, as Stripe's machine word; the reader's own text is never kept."""
    return str(dig(error, "decline_code") or dig(error, "code") or "unknown")[:80]


def fee_of(intents: list[Json]) -> Money | None:
    """What Stripe kept of these payments; None where it has not settled one of them yet."""
    fees: list[Money] = []
    for intent in intents:
        settled = dig(intent, "latest_charge", "balance_transaction")
        if not isinstance(settled, Mapping):
            return None
        if str(settled["currency"]).upper() not in MINOR_DIGITS:
            log.error("alert_unknown_currency", currency=settled["currency"], payment_id=intent["id"])
            return None
        fees.append(from_stripe(settled["fee"], settled["currency"]))
    if not fees or len({fee.currency for fee in fees}) > 1:
        return None
    return sum(fees[1:], start=fees[0])
