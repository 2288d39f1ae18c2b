"""Disputes: the calls of the API. What a dispute goes through is in `sandbox/chargebacks.py`."""

from stripe.params._dispute_close_params import DisputeCloseParams
from stripe.params._dispute_list_params import DisputeListParams
from stripe.params._dispute_retrieve_params import DisputeRetrieveParams
from stripe.params._dispute_update_params import DisputeUpdateParams

from membership.sandbox import chargebacks
from membership.sandbox.kinds import Kind, Obj, declare
from membership.sandbox.protocol.reading import listing, retrieval
from membership.sandbox.protocol.routes import operation
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

retrieval(KIND, DisputeRetrieveParams)


@operation("POST /v1/disputes/{id}", DisputeUpdateParams, "evidence metadata submit", subject=KIND)
def update(world: World, params: Obj, dispute: Obj) -> Obj:
    """Answer a dispute: evidence of `winning_evidence` or `losing_evidence` decides it, as in Stripe's test mode."""
    before, evidence = snapshot(dispute), params.get("evidence") or {}
    dispute["metadata"] = merge_metadata(dispute["metadata"], params.get("metadata"))
    dispute["evidence"] = dispute["evidence"] | evidence
    if evidence:
        dispute["evidence_details"] = dispute["evidence_details"] | {"has_evidence": True}
    hands_in = evidence and params.get("submit", True) and dispute["status"] in chargebacks.AWAITS_EVIDENCE
    if hands_in:
        chargebacks.answer(world, dispute)
    world.emit("charge.dispute.updated", dispute, before)
    words = evidence.get("uncategorized_text")
    if hands_in and words in {"winning_evidence", "losing_evidence"}:
        chargebacks.decide(world, dispute, won=words == "winning_evidence")
    return dispute


@operation("POST /v1/disputes/{id}/close", DisputeCloseParams, subject=KIND)
def close(world: World, _params: Obj, dispute: Obj) -> Obj:
    """Accept a dispute as lost."""
    chargebacks.decide(world, dispute, won=False)
    return dispute


listing(KIND, DisputeListParams, "charge payment_intent")
