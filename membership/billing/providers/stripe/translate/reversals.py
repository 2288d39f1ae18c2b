"""Money that leaves again, or may: refunds, disputes, warnings."""

from collections.abc import Iterable
from datetime import datetime

from membership.billing.port import APP_STAMP, DisputeLost, FraudWarned, RefundFailed, ReversalFact
from membership.billing.providers.stripe.currencies import from_stripe
from membership.billing.providers.stripe.translate.basics import Json, moment, must


def reversals(payment_id: str, refunds: Iterable[Json], disputes: Iterable[Json]) -> tuple[ReversalFact, ...]:
    """What left of one payment and what came back, in the order in which it moved."""
    facts = [fact for refund in refunds for fact in _refund(payment_id, refund)]
    facts += [fact for dispute in disputes for fact in _dispute(payment_id, dispute)]
    return tuple(sorted(facts, key=lambda fact: (fact.at, fact.is_returned)))


def outcomes(
    payment_id: str, refunds: Iterable[Json], disputes: Iterable[Json]
) -> tuple[RefundFailed | DisputeLost, ...]:
    """How refunds of ours and disputes ended, where that is no movement of money."""
    failed = [(refund, _mark(refund)) for refund in refunds if refund.get("status") in {"failed", "canceled"}]
    facts: list[RefundFailed | DisputeLost] = [
        RefundFailed(
            payment_id, mark, _came_back_at(refund) or must(moment(refund.get("created")), "when a refund was made")
        )
        for refund, mark in failed
        if mark is not None
    ]
    facts += [
        DisputeLost(payment_id, dispute["id"], must(moment(dispute.get("created")), "when a dispute began"))
        for dispute in disputes
        if dispute.get("status") == "lost"
    ]
    return tuple(facts)


def _refund(payment_id: str, refund: Json) -> list[ReversalFact]:
    """A refund counts once it succeeded; one that failed afterwards came back (stripe.md 1.6), at the moment of the
    movement that brought it: until there is one, the money is not here.
    """
    status = refund.get("status")
    has_failed = status == "failed"
    at = _came_back_at(refund) if has_failed else moment(refund.get("created"))
    if status not in {"succeeded", "failed"} or (has_failed and at is None):
        return []
    return [
        ReversalFact(
            reversal_id=refund["id"],
            payment_id=payment_id,
            amount=from_stripe(refund["amount"], refund["currency"]),
            fee=None,
            at=must(at, "when a refund was made"),
            reason="refund_failed" if has_failed else "refund",
            is_returned=has_failed,
            mark=_mark(refund),
        )
    ]


def _came_back_at(refund: Json) -> datetime | None:
    """When the money of a failed refund was ours again; None where it is not. A list only names the movement that
    brought it: there the refund's own day stands for it, which is enough to see whether it is booked.
    """
    settled = refund.get("failure_balance_transaction")
    if not settled:
        return None
    return moment((settled if isinstance(settled, dict) else refund).get("created"))


def _mark(refund: Json) -> str | None:
    """What a refund carries of our ask; None of one that we did not ask for."""
    stamp = refund.get("metadata") or {}
    return str(stamp["intent"]) if stamp.get("app") == APP_STAMP and stamp.get("intent") else None


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
                at=must(moment(settled.get("created")), "when a dispute moved money"),
                reason="dispute_won" if is_returned else "dispute",
                is_returned=is_returned,
            )
        )
    return facts


def warning(warned: Json, payment_id: str, reference: str) -> FraudWarned:
    """An early fraud warning about a payment of ours."""
    return FraudWarned(
        payment_id=payment_id,
        reference=reference,
        at=must(moment(warned.get("created")), "when it warned"),
        is_actionable=bool(warned.get("actionable")),
    )
