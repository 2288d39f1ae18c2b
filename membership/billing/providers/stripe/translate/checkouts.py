"""Hosted pages: how they ended."""

from membership.billing.port import CardCollected, CheckoutFact, ObjectKind, ObjectRef, Reading
from membership.billing.providers.stripe.translate.basics import FOREIGN, Json, id_of, reference_in


def checkout(session: Json, *, is_processing: bool = False) -> Reading:
    """A Checkout Session: how it ended, and the invoice or payment that must be read for its money.

    `is_processing` says of a finished and unpaid one whether its payment is on its way.
    """
    reference = reference_in(session.get("metadata"))
    if reference is None:
        return FOREIGN
    if session.get("mode") == "setup":
        return _collected(session, reference)
    is_finished = session.get("status") == "complete"
    fact = CheckoutFact(
        reference=reference,
        checkout_id=session["id"],
        is_finished=is_finished,
        is_expired=session.get("status") == "expired",
        is_paid=is_finished and session.get("payment_status") == "paid",
        customer_id=id_of(session.get("customer")),
        subscription_id=id_of(session.get("subscription")),
        is_pending=is_finished and is_processing,
    )
    related: list[ObjectRef] = []
    if is_finished:
        invoice_id, payment_id = id_of(session.get("invoice")), id_of(session.get("payment_intent"))
        if session.get("mode") == "subscription" and invoice_id:
            related.append(ObjectRef(ObjectKind.INVOICE, invoice_id))
        if session.get("mode") == "payment" and payment_id:
            related.append(ObjectRef(ObjectKind.PAYMENT, payment_id))
    return Reading(facts=(fact,), related=tuple(related))


def _collected(session: Json, reference: str) -> Reading:
    """A page for a new card says something once it is finished; one that was left changes nothing."""
    if session.get("status") != "complete":
        return Reading()
    subscription_id = (session.get("metadata") or {}).get("subscription")
    return Reading(facts=(CardCollected(reference, subscription_id, session["id"]),))
