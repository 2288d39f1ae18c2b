"""The life of a dispute: an inquiry or a chargeback, evidence, the bank's decision, an appeal, and the money.

    warning_needs_response → warning_under_review → warning_closed      an inquiry: no money moves
            ↓ escalates            ↓ escalates
    needs_response → under_review → won                                 the money left, and comes back
            ↓                ↓
            └────────────→ lost → appeal_needs_response → appeal_under_review → won or lost
    prevented                                                           given back before it came to a dispute

The money and a fee leave the balance where a chargeback begins. The money (not the fee) comes back where we win.
"""

from membership.sandbox import payments
from membership.sandbox.kinds import KINDS, Obj, public
from membership.sandbox.money import DISPUTE_FEE
from membership.sandbox.protocol.errors import unexpected_state
from membership.sandbox.resources import early_fraud_warnings
from membership.sandbox.tasks import task
from membership.sandbox.world import World, snapshot

INQUIRY = frozenset({"warning_needs_response", "warning_under_review"})
OPEN = frozenset({"needs_response", "under_review", "appeal_needs_response", "appeal_under_review"})
AWAITS_EVIDENCE = {
    "warning_needs_response": "warning_under_review",
    "needs_response": "under_review",
    "appeal_needs_response": "appeal_under_review",
}
_ANSWER_WITHIN = 9 * payments.DAY
_INQUIRY_LASTS = 120 * payments.DAY

# What the bank or the payer may do next, by the status that the dispute is in.
STEPS = {
    "warning_needs_response": ("escalate", "withdraw"),
    "warning_under_review": ("escalate", "withdraw"),
    "needs_response": ("review", "win", "lose"),
    "under_review": ("win", "lose"),
    "lost": ("appeal",),
    "appeal_needs_response": ("review", "win", "lose"),
    "appeal_under_review": ("win", "lose"),
}


def make(world: World, charge: Obj, reason: str = "fraudulent", kind: str = "chargeback") -> Obj:
    """The payer of a charge disputes what is left of it.

    `kind` is chargeback (the money and a fee of 20.00 leave at once), inquiry (their bank only asks; no money
    moves), or prevented (the charge was given back by itself before the bank opened a dispute).
    """
    left = charge["amount"] - charge["amount_refunded"]
    if charge["status"] != "succeeded" or charge["disputed"] or left == 0:
        raise unexpected_state(f"Charge {charge['id']} cannot be disputed (any more).")
    before = snapshot(charge)
    dispute = world.add("dispute", _shape(world, charge, left, reason, kind))
    charge["disputed"] = True
    if kind == "chargeback":
        _move(world, dispute, -left, DISPUTE_FEE)
    elif kind == "inquiry":
        world.schedule(dispute, "close_inquiry", world.now + _INQUIRY_LASTS)
    world.emit("charge.dispute.created", dispute)
    if kind == "chargeback":
        world.emit("charge.dispute.funds_withdrawn", dispute)
        world.schedule(dispute, "miss_deadline", world.now + _ANSWER_WITHIN)
    world.emit("charge.updated", charge, before)
    early_fraud_warnings.settle(world, charge)
    if kind == "prevented":
        _give_back(world, charge, left)
    return dispute


_EVIDENCE = [
    "access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure",
    "cancellation_rebuttal", "customer_communication", "customer_email_address", "customer_name",
    "customer_purchase_ip", "customer_signature", "duplicate_charge_documentation",
    "duplicate_charge_explanation", "duplicate_charge_id", "product_description", "receipt", "refund_policy",
    "refund_policy_disclosure", "refund_refusal_explanation", "service_date", "service_documentation",
    "shipping_address", "shipping_carrier", "shipping_date", "shipping_documentation",
    "shipping_tracking_number", "uncategorized_file", "uncategorized_text",
]  # fmt: skip
_BEGINS_AS = {"chargeback": "needs_response", "inquiry": "warning_needs_response", "prevented": "prevented"}
_CASE_TYPES = {"chargeback": "chargeback", "inquiry": "inquiry", "prevented": "resolution"}


def _shape(world: World, charge: Obj, amount: int, reason: str, kind: str) -> Obj:
    card = charge["payment_method_details"].get("card") or {}
    return {
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(_EVIDENCE), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": None if kind == "prevented" else world.now + _ANSWER_WITHIN,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": kind == "inquiry",
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {
                "brand": card.get("brand", "visa"),
                "case_type": _CASE_TYPES[kind],
                "network": card.get("brand", "visa"),
                "network_reason_code": "10.4",
            },
            "type": "card",
        },
        "reason": reason,
        "status": _BEGINS_AS[kind],
    }


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


def _give_back(world: World, charge: Obj, amount: int) -> None:
    from membership.sandbox.resources import refunds

    refunds.make(world, charge, amount, "fraudulent", {})


def holds(world: World, charge: Obj) -> bool:
    """Whether a dispute keeps a charge from being refunded; an inquiry does not."""
    found = world.store.find(KINDS["dispute"], {"charge": charge["id"]}) if charge["disputed"] else []
    return any(dispute["status"] in OPEN | {"won", "lost"} for dispute in found)


def answer(world: World, dispute: Obj) -> None:
    """Evidence was handed in: the bank has it to read now."""
    dispute["status"] = AWAITS_EVIDENCE[dispute["status"]]
    details = dispute["evidence_details"]
    submitted = {"submission_count": details["submission_count"] + 1, "submission_method": "manual"}
    dispute["evidence_details"] = {**details, "has_evidence": True, **submitted}
    world.schedule(dispute, "miss_deadline", None)


def step(world: World, dispute: Obj, wanted: str) -> None:
    """What the bank or the payer does next: review, win, lose, escalate, withdraw or appeal.

    `withdraw` ends an inquiry without money moved, `escalate` makes a chargeback of it, `appeal` opens a dispute
    again that was lost. ApiError 400 where the dispute is past that.
    """
    if wanted not in STEPS.get(dispute["status"], ()):
        raise unexpected_state(f"Dispute {dispute['id']} is {dispute['status']}: it cannot {wanted} now.")
    if wanted in {"win", "lose"}:
        decide(world, dispute, won=wanted == "win")
        return
    before = snapshot(dispute)
    if wanted == "review":
        answer(world, dispute)
        world.emit("charge.dispute.updated", dispute, before)
    elif wanted == "withdraw":
        _close(world, dispute, "warning_closed")
    elif wanted == "escalate":
        _escalate(world, dispute, before)
    else:
        dispute["status"] = "appeal_needs_response"
        dispute["evidence_details"] = {**dispute["evidence_details"], "due_by": world.now + _ANSWER_WITHIN}
        world.schedule(dispute, "miss_deadline", world.now + _ANSWER_WITHIN)
        world.emit("charge.dispute.updated", dispute, before)


def _escalate(world: World, dispute: Obj, before: Obj) -> None:
    charge = world.store.get(dispute["charge"])
    refunded = charge["amount_refunded"] if charge else 0
    left = (charge["amount"] if charge else dispute["amount"]) - refunded
    if left == 0:
        raise unexpected_state(f"Charge {dispute['charge']} was given back: the inquiry cannot become a chargeback.")
    dispute |= {"status": "needs_response", "amount": left, "is_charge_refundable": False}
    card = {**dispute["payment_method_details"]["card"], "case_type": "chargeback"}
    dispute["payment_method_details"] = {**dispute["payment_method_details"], "card": card}
    dispute["evidence_details"] = {**dispute["evidence_details"], "due_by": world.now + _ANSWER_WITHIN}
    _move(world, dispute, -left, DISPUTE_FEE)
    world.schedule(dispute, "close_inquiry", None)
    world.schedule(dispute, "miss_deadline", world.now + _ANSWER_WITHIN)
    world.emit("charge.dispute.updated", dispute, before)
    world.emit("charge.dispute.funds_withdrawn", dispute)


def decide(world: World, dispute: Obj, *, won: bool) -> None:
    """The bank decides; where we win the money comes back, the fee does not. An inquiry is closed either way."""
    if dispute["status"] in INQUIRY:
        _close(world, dispute, "warning_closed")
        return
    if dispute["status"] not in OPEN:
        raise unexpected_state(f"Dispute {dispute['id']} is {dispute['status']} already.")
    if won:
        _move(world, dispute, dispute["amount"], 0)
        world.emit("charge.dispute.funds_reinstated", dispute)
    _close(world, dispute, "won" if won else "lost")


def _close(world: World, dispute: Obj, status: str) -> None:
    dispute |= {"status": status, "is_charge_refundable": False}
    for name in ("miss_deadline", "close_inquiry"):
        world.schedule(dispute, name, None)
    world.emit("charge.dispute.closed", dispute)


@task("dispute")
def dispute_due(world: World, charge: Obj) -> None:
    """The payer of the disputing test card writes to their bank."""
    if charge["status"] == "succeeded" and not charge["disputed"] and not charge["refunded"]:
        make(world, charge, kind="inquiry" if charge["_disputed"] == "inquiry" else "chargeback")


@task("miss_deadline")
def miss_deadline(world: World, dispute: Obj) -> None:
    """Nobody answered in time: the dispute is lost."""
    if dispute["status"] in {"needs_response", "appeal_needs_response"}:
        dispute["evidence_details"] = {**dispute["evidence_details"], "past_due": True}
        decide(world, dispute, won=False)


@task("close_inquiry")
def close_inquiry(world: World, dispute: Obj) -> None:
    """An inquiry that nobody took further is over after 120 days."""
    if dispute["status"] in INQUIRY:
        _close(world, dispute, "warning_closed")
