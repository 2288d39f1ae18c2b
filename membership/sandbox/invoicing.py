"""The life of an invoice: draft, open, and then paid, void or uncollectible.

A simplification against Stripe: the invoice of a renewal is finalised and charged at once, where Stripe leaves
it a draft for about an hour.
"""

from membership.sandbox import collection, ways
from membership.sandbox.kinds import KINDS, Obj
from membership.sandbox.protocol.errors import unexpected_state
from membership.sandbox.tasks import task
from membership.sandbox.world import World


def finalize(world: World, invoice: Obj, intent: Obj | None = None) -> None:
    """Make a draft binding: number it, and make the payment intent (or take `intent`) unless nothing is due."""
    if invoice["status"] != "draft":
        raise unexpected_state(f"This invoice is already finalized: {invoice['id']}.", "invoice_not_editable")
    customer = world.need("customer", invoice["customer"], "customer")
    _apply_balance(invoice, customer)
    sequence = customer["next_invoice_sequence"]
    customer["next_invoice_sequence"] = sequence + 1
    invoice |= {
        "status": "open",
        "number": f"{customer['invoice_prefix']}-{sequence:04d}",
        "effective_at": world.now,
        "hosted_invoice_url": f"{world.public_url}/i/{invoice['id']}",
        "invoice_pdf": f"{world.public_url}/i/{invoice['id']}/pdf",
    }
    invoice["status_transitions"]["finalized_at"] = world.now
    if invoice["rendering"] and invoice["rendering"]["pdf"]["page_size"] == "auto":
        invoice["rendering"] = invoice["rendering"] | {"pdf": {"page_size": "a4"}}
    if invoice["amount_due"] > 0:
        _attach_intent(world, invoice, intent)
    world.emit("invoice.finalized", invoice)
    if invoice["amount_due"] == 0:
        mark_paid(world, invoice)


def _apply_balance(invoice: Obj, customer: Obj) -> None:
    """What the customer has to their credit lowers what is due; a negative total becomes credit."""
    credit, total = -customer["balance"], invoice["total"]
    used = min(credit, total) if total < 0 or credit > 0 else 0
    due = max(total - used, 0)
    invoice["starting_balance"] = customer["balance"]
    customer["balance"] += used
    invoice |= {"ending_balance": customer["balance"], "amount_due": due, "amount_remaining": due}


_REASONS = {
    "subscription_create": "Subscription creation",
    "subscription_cycle": "Subscription update",
    "subscription_update": "Subscription update",
}


def _attach_intent(world: World, invoice: Obj, intent: Obj | None) -> None:
    from membership.sandbox.resources import payment_intents

    if intent is None:
        types = ways.for_invoice(world.settings.payment_methods, invoice["currency"])
        description = _REASONS.get(invoice["billing_reason"], "Payment for Invoice")
        intent = payment_intents.make(
            world,
            invoice["amount_due"],
            invoice["currency"],
            invoice["customer"],
            types,
            capture_method="automatic",
            description=description,
            payment_method_options=ways.options(types, "invoice"),
            setup_future_usage="off_session" if invoice["parent"] else None,
        )
    intent["_invoice"] = invoice["id"]
    if invoice["billing_reason"] != "manual":
        intent["payment_details"] = {"customer_reference": None, "order_reference": invoice["id"][:25]}
    invoice["_intent"] = intent["id"]
    world.add(
        "invoice_payment",
        {
            "amount_paid": None,
            "amount_requested": invoice["amount_due"],
            "currency": invoice["currency"],
            "invoice": invoice["id"],
            "is_default": True,
            "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
            "status": "open",
            "status_transitions": {"canceled_at": None, "paid_at": None},
        },
    )


def attempt(world: World, invoice: Obj, method: Obj | None, *, on_session: bool) -> str:
    """Try to collect an open invoice, and say what came of it; without a method it is declined."""
    intent = world.store.get(invoice["_intent"])
    if intent is None:
        raise unexpected_state(f"Invoice {invoice['id']} has nothing to pay.")
    if method is None:
        after_attempt(world, invoice, intent, "declined")
        return "declined"
    return collection.collect(world, intent, method, on_session=on_session)


def after_attempt(world: World, invoice: Obj, intent: Obj, result: str) -> None:
    """What an attempt means for the invoice and its subscription."""
    from membership.sandbox import cycle

    sub = subscription_of(world, invoice)
    invoice |= {"attempted": True, "attempt_count": invoice["attempt_count"] + 1}
    if result == "succeeded":
        mark_paid(world, invoice, intent)
    elif result == "processing":
        invoice["next_payment_attempt"] = None
        if sub:
            cycle.on_paid(world, sub, invoice, intent)
    else:
        retries_left = cycle.plan_retry(world, invoice, sub)
        if result == "requires_action":
            world.emit("invoice.payment_action_required", invoice)
        world.emit("invoice.payment_failed", invoice)
        if sub:
            cycle.on_failed(world, sub, invoice, retries_left=retries_left)


def subscription_of(world: World, invoice: Obj) -> Obj | None:
    """The subscription that an invoice belongs to, if any."""
    parent = invoice["parent"]
    return world.store.get(parent["subscription_details"]["subscription"]) if parent else None


def mark_paid(world: World, invoice: Obj, intent: Obj | None = None) -> None:
    """The invoice is paid: by `intent`, by credit, or (without either) out of band."""
    from membership.sandbox import cycle

    due = invoice["amount_due"]
    invoice |= {"status": "paid", "amount_paid": due, "amount_remaining": 0, "attempted": True}
    invoice |= {"next_payment_attempt": None, "auto_advance": False}
    invoice["status_transitions"]["paid_at"] = world.now
    world.schedule(invoice, "retry", None)
    world.emit("invoice.paid", invoice)
    world.emit("invoice.payment_succeeded", invoice)
    for payment in world.store.find(KINDS["invoice_payment"], {"invoice": invoice["id"]}):
        if intent and payment["payment"]["payment_intent"] == intent["id"]:
            payment |= {"status": "paid", "amount_paid": due}
            payment["status_transitions"]["paid_at"] = world.now
            world.emit("invoice_payment.paid", payment)
    sub = subscription_of(world, invoice)
    if sub:
        cycle.on_paid(world, sub, invoice, intent)


def close(world: World, invoice: Obj, status: str) -> None:
    """Stop asking for an open invoice: `void` or `uncollectible`."""
    moment = "voided_at" if status == "void" else "marked_uncollectible_at"
    invoice |= {"status": status, "next_payment_attempt": None, "auto_advance": False}
    invoice["status_transitions"][moment] = world.now
    world.schedule(invoice, "retry", None)
    if status == "void":
        invoice["amount_remaining"] = 0
        _cancel_payments(world, invoice)
        _give_credit_back(world, invoice)
    world.emit("invoice.voided" if status == "void" else "invoice.marked_uncollectible", invoice)


def _give_credit_back(world: World, invoice: Obj) -> None:
    """Credit that had lowered what was due is the customer's again (Stripe: unapplied_from_invoice)."""
    customer = world.store.get(invoice["customer"])
    if customer is not None and not customer.get("deleted") and invoice["ending_balance"] is not None:
        customer["balance"] -= invoice["ending_balance"] - invoice["starting_balance"]


def _cancel_payments(world: World, invoice: Obj) -> None:
    from membership.sandbox.resources import payment_intents

    for payment in world.store.find(KINDS["invoice_payment"], {"invoice": invoice["id"], "status": "open"}):
        payment["status"] = "canceled"
        payment["status_transitions"]["canceled_at"] = world.now
    intent = world.store.get(invoice["_intent"])
    if intent and intent["status"] not in {"succeeded", "canceled", "processing"}:
        payment_intents.give_up(world, intent, "void_invoice")


@task("advance_invoice")
def advance(world: World, invoice: Obj) -> None:
    """An hour after a draft with auto_advance was made: finalise it and try to collect it."""
    from membership.sandbox.resources import payment_methods

    if invoice["status"] == "draft":
        finalize(world, invoice)
    if invoice["status"] == "open":
        customer = world.need("customer", invoice["customer"], "customer")
        attempt(world, invoice, payment_methods.of_customer(world, customer), on_session=False)
