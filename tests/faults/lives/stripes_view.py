"""What ought to be true of us, read off Stripe's own objects with other code than the product's."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.faults.lives.world import World

STATES = {
    "active": "active", "trialing": "active", "past_due": "past_due", "paused": "paused", "unpaid": "lapsed",
}  # fmt: skip
CHARGED = ("active", "past_due", "cancelling")


@dataclass
class Moved:
    """One payment, whichever way it came, with what of it went back (above zero: away from us) and when."""

    id: str
    reference: str
    minor: int
    currency: str
    paid_at: datetime
    moves: list[tuple[datetime, int]]

    @property
    def gone_at(self) -> datetime | None:
        """When the last of it went back; None while a part of it is here."""
        total, gone_at = 0, None
        for at, minor in sorted(self.moves):
            if total < self.minor <= total + minor:
                gone_at = at
            total += minor
        return gone_at if total >= self.minor else None

    @property
    def returned(self) -> int:
        return sum(minor for _, minor in self.moves)


@dataclass
class Paid(Moved):
    """One payment at Stripe: an invoice, which pays for a period, or a payment without one."""

    period: tuple[datetime, datetime] | None


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def payments(world: World) -> list[Paid]:
    """Everything above zero that was paid for a contribution of ours."""
    intents = {intent["id"]: intent for intent in world.at_stripe("payment_intent")}
    of_invoices = {row["payment"]["payment_intent"]: row["invoice"] for row in world.at_stripe("invoice_payment")}
    moves = _moves(world)
    found = []
    for invoice in world.at_stripe("invoice"):
        stamp = ((invoice["parent"] or {}).get("subscription_details") or {}).get("metadata") or {}
        if invoice["status"] == "paid" and invoice["amount_paid"] and stamp.get("app"):
            intent_ids = [intent_id for intent_id, of in of_invoices.items() if of == invoice["id"]]
            charges = [intents[i]["latest_charge"] for i in intent_ids if i and intents[i]["status"] == "succeeded"]
            found.append(
                Paid(
                    invoice["id"],
                    stamp["reference"],
                    invoice["amount_paid"],
                    invoice["currency"].upper(),
                    moment(invoice["status_transitions"]["paid_at"]),
                    [move for charge in charges for move in moves[charge]],
                    _period(invoice),
                )
            )
    charged_at = {charge["id"]: charge["created"] for charge in world.at_stripe("charge")}
    for intent in intents.values():
        if intent["id"] not in of_invoices and intent["status"] == "succeeded" and intent["metadata"].get("app"):
            charge = intent["latest_charge"]
            reference, paid_at = intent["metadata"]["reference"], moment(charged_at[charge])
            minor, currency = intent["amount_received"], intent["currency"].upper()
            found.append(Paid(intent["id"], reference, minor, currency, paid_at, moves[charge], None))
    return found


def _moves(world: World) -> dict[str, list[tuple[datetime, int]]]:
    """Charge -> what left of it and came back."""
    moves = defaultdict(list)
    for refund in world.at_stripe("refund"):
        if refund["status"] == "succeeded":
            moves[refund["charge"]].append((moment(refund["created"]), refund["amount"]))
    for dispute in world.at_stripe("dispute"):
        for move in dispute["balance_transactions"]:
            if move["amount"]:
                minor = dispute["amount"] if move["amount"] < 0 else -dispute["amount"]
                moves[dispute["charge"]].append((moment(move["created"]), minor))
    return moves


def _period(invoice: dict) -> tuple[datetime, datetime]:
    lines = invoice["lines"]["data"]
    whole = [line for line in lines if not (line["parent"]["subscription_item_details"] or {}).get("proration")]
    periods = [line["period"] for line in whole or lines]
    return moment(min(period["start"] for period in periods)), moment(max(period["end"] for period in periods))


def state_of(subscription: dict) -> set[str]:
    """The states that a paid contribution may have, its subscription being so."""
    if subscription["status"] == "canceled":
        return {"ended", "lapsed"}
    state = STATES[subscription["status"]]
    if state != "lapsed" and (subscription["cancel_at_period_end"] or subscription["cancel_at"]):
        return {"cancelling"}
    if state == "active" and subscription["pause_collection"]:
        return {"paused"}
    return {state}


def yearly_level(subscription: dict) -> tuple[int, str]:
    """What it brings in a year: minor units and currency; zero while nothing is charged."""
    items = subscription["items"]["data"]
    minor = sum(item["price"]["unit_amount"] * item["quantity"] for item in items)
    times = 12 if items[0]["price"]["recurring"]["interval"] == "month" else 1
    runs = STATES.get(subscription["status"]) == "active"
    is_paused = subscription["status"] == "paused" or bool(runs and subscription["pause_collection"])
    is_charged = not is_paused and state_of(subscription) <= set(CHARGED)
    return (minor * times if is_charged else 0), subscription["currency"].upper()
