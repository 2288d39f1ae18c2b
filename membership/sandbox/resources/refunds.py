"""Refunds: whole or in part, some of them slow, some of them failing."""

from stripe.params._refund_cancel_params import RefundCancelParams
from stripe.params._refund_create_params import RefundCreateParams
from stripe.params._refund_list_params import RefundListParams
from stripe.params._refund_retrieve_params import RefundRetrieveParams
from stripe.params._refund_update_params import RefundUpdateParams

from membership.sandbox import chargebacks, payments
from membership.sandbox.kinds import Kind, Obj, declare
from membership.sandbox.protocol.errors import ApiError, unexpected_state
from membership.sandbox.protocol.reading import listing, retrieval
from membership.sandbox.protocol.routes import operation
from membership.sandbox.resources import early_fraud_warnings
from membership.sandbox.tasks import task
from membership.sandbox.world import World, merge_metadata, snapshot

KIND = declare(
    Kind(
        "refund",
        "re_",
        "/v1/refunds",
        "refund",
        filters={"charge": "$.charge", "payment_intent": "$.payment_intent"},
        indexed=("charge", "payment_intent"),
    )
)


@operation("POST /v1/refunds", RefundCreateParams, "amount charge payment_intent reason metadata")
def create(world: World, params: Obj) -> Obj:
    """Give back all that is left of a charge, or `amount` of it."""
    charge = _charge(world, params)
    left = charge["amount"] - charge["amount_refunded"]
    amount = params.get("amount", left)
    if charge["status"] != "succeeded":
        raise unexpected_state(f"Charge {charge['id']} cannot be refunded: it is {charge['status']}.")
    if chargebacks.holds(world, charge):
        raise unexpected_state(f"Charge {charge['id']} has been charged back.", "charge_disputed")
    if left == 0:
        raise unexpected_state(f"Charge {charge['id']} has already been refunded.", "charge_already_refunded")
    if not 0 < amount <= left:
        raise ApiError(f"Refund amount ({amount}) is not within the {left} left on charge.", param="amount")
    return make(world, charge, amount, params.get("reason"), merge_metadata({}, params.get("metadata")))


def _charge(world: World, params: Obj) -> Obj:
    if params.get("charge"):
        return world.need("charge", params["charge"], "charge")
    if not params.get("payment_intent"):
        raise ApiError(
            "One of charge and payment_intent is required.", code="parameter_missing", param="payment_intent"
        )
    intent = world.need("payment_intent", params["payment_intent"], "payment_intent")
    if not intent["latest_charge"]:
        raise unexpected_state(f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.")
    return world.need("charge", intent["latest_charge"], "payment_intent")


def make(world: World, charge: Obj, amount: int, reason: str | None, metadata: dict[str, str]) -> Obj:
    """Refund `amount` of a charge, with the movement of the balance and the events.

    The outcome is that of the card: at once, after a day, or failed after a day.
    """
    how = charge["_refunds"]
    before = snapshot(charge)
    refund = world.add(
        KIND,
        {
            "amount": amount,
            "balance_transaction": None,
            "charge": charge["id"],
            "currency": charge["currency"],
            "customer": charge["customer"],
            "customer_account": None,
            "destination_details": _destination(charge["payment_method_details"]["type"]),
            "metadata": metadata,
            "payment_intent": charge["payment_intent"],
            "payment_method": charge["payment_method"],
            "reason": reason,
            "receipt_number": None,
            "source_transfer_reversal": None,
            "status": "pending" if how == "pending" else "succeeded",
            "transfer_reversal": None,
        },
    )
    del refund["livemode"]
    kind = "refund" if charge["payment_method_details"]["type"] == "card" else "payment_refund"
    txn = payments.book(world, -amount, charge["currency"], source=refund["id"], kind=kind, description="Refund")
    refund["balance_transaction"] = txn["id"]
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    world.emit("refund.created", refund)
    world.emit("charge.refunded", charge, before)
    early_fraud_warnings.settle(world, charge)
    if how != "succeeded":
        world.schedule(refund, "finish_refund", world.now + payments.DAY)
    return refund


def _destination(kind: str) -> Obj:
    if kind != "card":
        return {"type": kind}
    reference = {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"}
    return {"card": reference, "type": "card"}


@task("finish_refund")
def finish(world: World, refund: Obj) -> None:
    """A day later: a slow refund arrives, a failing one comes back."""
    charge = world.store.get(refund["charge"])
    if charge and charge["_refunds"] == "failed":
        come_back(world, refund)
    elif refund["status"] == "pending":
        before = snapshot(refund)
        refund["status"] = "succeeded"
        world.emit("refund.updated", refund, before)


def come_back(world: World, refund: Obj, status: str = "failed") -> None:
    """A refund fails (or is cancelled): the money is ours again."""
    if refund["status"] not in {"pending", "succeeded"}:
        raise unexpected_state(f"Refund {refund['id']} is {refund['status']}.")
    before, charge = snapshot(refund), world.store.get(refund["charge"])
    txn = payments.book(
        world,
        refund["amount"],
        refund["currency"],
        source=refund["id"],
        kind="refund_failure",
        description="Refund failed",
    )
    refund |= {"status": status, "failure_balance_transaction": txn["id"]}
    if status == "failed":
        refund["failure_reason"] = "expired_or_canceled_card"
    if charge:
        charge["amount_refunded"] -= refund["amount"]
        charge["refunded"] = False
    world.emit("refund.updated", refund, before)
    if status == "failed":
        world.emit("refund.failed", refund)


@operation("POST /v1/refunds/{id}/cancel", RefundCancelParams, subject=KIND)
def cancel(world: World, _params: Obj, refund: Obj) -> Obj:
    """Stop a refund that is still pending."""
    if refund["status"] != "pending":
        raise unexpected_state(f"Refund {refund['id']} is {refund['status']} and cannot be canceled.")
    world.schedule(refund, "finish_refund", None)
    come_back(world, refund, "canceled")
    return refund


retrieval(KIND, RefundRetrieveParams)


@operation("POST /v1/refunds/{id}", RefundUpdateParams, "metadata", subject=KIND)
def update(world: World, params: Obj, refund: Obj) -> Obj:
    """Change a refund's metadata."""
    before = snapshot(refund)
    refund["metadata"] = merge_metadata(refund["metadata"], params.get("metadata"))
    world.emit("refund.updated", refund, before)
    return refund


listing(KIND, RefundListParams, "charge payment_intent")
