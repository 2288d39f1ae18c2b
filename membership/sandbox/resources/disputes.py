"""Disputes: a payer takes their money back through their bank."""

from stripe.params._dispute_close_params import DisputeCloseParams
from stripe.params._dispute_list_params import DisputeListParams
from stripe.params._dispute_retrieve_params import DisputeRetrieveParams
from stripe.params._dispute_update_params import DisputeUpdateParams

from membership.sandbox import payments
from membership.sandbox.kinds import Kind, Obj, declare, public
from membership.sandbox.money import DISPUTE_FEE
from membership.sandbox.protocol.errors import unexpected_state
from membership.sandbox.protocol.reading import listing, retrieval
from membership.sandbox.protocol.routes import operation
from membership.sandbox.tasks import task
from membership.sandbox.world import World, merge_metadata, snapshot

KIND = declare(
    Kind(
        "dispute",
        "dp_",
        "/v1/disputes",
        "dispute",
        filters={"charge": "$.charge", "payment_intent": "$.payment_intent"},
        indexed=("charge", "payment_intent"),
    )
)
_EVIDENCE = [
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
]
_OPEN = frozenset({"needs_response", "under_review"})


def make(world: World, charge: Obj, reason: str = "fraudulent") -> Obj:
    """The payer of a charge disputes what is left of it: the money and a fee of 20.00 leave the balance."""
    left = charge["amount"] - charge["amount_refunded"]
    if charge["status"] != "succeeded" or charge["disputed"] or left == 0:
        raise unexpected_state(f"Charge {charge['id']} cannot be disputed (any more).")
    before = snapshot(charge)
    dispute = world.add(
        KIND,
        {
            "amount": left,
            "balance_transactions": [],
            "charge": charge["id"],
            "currency": charge["currency"],
            "enhanced_eligibility_types": [],
            "evidence": {**dict.fromkeys(_EVIDENCE), "enhanced_evidence": {}},
            "evidence_details": {
                "due_by": world.now + 9 * payments.DAY,
                "enhanced_eligibility": {},
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
            },
            "is_charge_refundable": False,
            "metadata": {},
            "payment_intent": charge["payment_intent"],
            "payment_method_details": {
                "card": {"brand": "visa", "case_type": "chargeback", "network_reason_code": "10.4"},
                "type": "card",
            },
            "reason": reason,
            "status": "needs_response",
        },
    )
    charge["disputed"] = True
    _move(world, dispute, -left, DISPUTE_FEE)
    world.emit("charge.dispute.created", dispute)
    world.emit("charge.dispute.funds_withdrawn", dispute)
    world.emit("charge.updated", charge, before)
    return dispute


def _move(world: World, dispute: Obj, amount: int, fee: int) -> None:
    txn = payments.book(
        world,
        amount,
        dispute["currency"],
        source=dispute["id"],
        kind="adjustment",
        fee=fee,
        description=f"Chargeback {'withdrawal' if amount < 0 else 'reversal'} for {dispute['charge']}",
    )
    dispute["balance_transactions"] = [*dispute["balance_transactions"], public(txn)]


def decide(world: World, dispute: Obj, *, won: bool) -> None:
    """The bank decides; where we win the money comes back, the fee does not."""
    if dispute["status"] not in _OPEN:
        raise unexpected_state(f"Dispute {dispute['id']} is {dispute['status']} already.")
    dispute["status"] = "won" if won else "lost"
    if won:
        _move(world, dispute, dispute["amount"], 0)
        world.emit("charge.dispute.funds_reinstated", dispute)
    world.emit("charge.dispute.closed", dispute)


@task("dispute")
def dispute_due(world: World, charge: Obj) -> None:
    """The payer of the disputing test card writes to their bank."""
    if charge["status"] == "succeeded" and not charge["disputed"] and not charge["refunded"]:
        make(world, charge)


retrieval(KIND, DisputeRetrieveParams)


@operation("POST /v1/disputes/{id}", DisputeUpdateParams, "evidence metadata submit", subject=KIND)
def update(world: World, params: Obj, dispute: Obj) -> Obj:
    """Answer a dispute: evidence of `winning_evidence` or `losing_evidence` decides it, as in Stripe's test mode."""
    before, evidence = snapshot(dispute), params.get("evidence") or {}
    dispute["metadata"] = merge_metadata(dispute["metadata"], params.get("metadata"))
    dispute["evidence"] = dispute["evidence"] | evidence
    if evidence and params.get("submit", True) and dispute["status"] in _OPEN:
        dispute["status"] = "under_review"
        dispute["evidence_details"] |= {"has_evidence": True, "submission_count": 1}
        world.emit("charge.dispute.updated", dispute, before)
        words = evidence.get("uncategorized_text")
        if words in {"winning_evidence", "losing_evidence"}:
            decide(world, dispute, won=words == "winning_evidence")
    else:
        world.emit("charge.dispute.updated", dispute, before)
    return dispute


@operation("POST /v1/disputes/{id}/close", DisputeCloseParams, subject=KIND)
def close(world: World, _params: Obj, dispute: Obj) -> Obj:
    """Accept a dispute as lost."""
    decide(world, dispute, won=False)
    return dispute


listing(KIND, DisputeListParams, "charge payment_intent")
