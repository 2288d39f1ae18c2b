"""The sandbox's own books, for other books to be held against."""

import json
from typing import TYPE_CHECKING, Any

from membership.sandbox.kinds import KINDS, Obj

if TYPE_CHECKING:
    from membership.sandbox.world import World

_COLUMNS = {
    "charge": "charges",
    "payment": "charges",
    "refund": "refunds",
    "payment_refund": "refunds",
    "refund_failure": "refunds",
    "adjustment": "disputes",
}


def totals(world: "World") -> dict[str, dict[str, int]]:
    """By currency, in minor units: what came in (charges), what was kept of it (fees), what went back (refunds and
    disputes, as positive sums after what came back again) and what is left (net).
    """
    world.store.flush()
    rows = world.store.db.execute(
        "SELECT json_extract(body, '$.currency'), json_extract(body, '$.type'), sum(json_extract(body, '$.amount')),"  # noqa: S608 - the names in it are our own
        f" sum(json_extract(body, '$.fee')), sum(json_extract(body, '$.net')) FROM {KINDS['balance_transaction'].table}"
        " GROUP BY 1, 2 ORDER BY 1"
    )
    found: dict[str, dict[str, int]] = {}
    for currency, kind, amount, fee, net in rows:
        sums = found.setdefault(currency, dict.fromkeys(("charges", "fees", "refunds", "disputes", "net"), 0))
        column = _COLUMNS[kind]
        sums[column] += amount if column == "charges" else -amount
        sums["fees"] += fee
        sums["net"] += net
    return found


def statement(world: "World") -> Obj:
    """Everything that our ledger should agree with: totals, paid invoices, one-time payments, refunds, disputes,
    and the subscriptions that run.
    """
    intents = _intents_of_invoices(world)
    payments = [
        _invoice(world, invoice) for invoice in _all(world, "invoice", "json_extract(body, '$.status') = 'paid'")
    ]
    payments += [
        _payment(world, intent)
        for intent in _all(world, "payment_intent", "json_extract(body, '$.status') = 'succeeded'")
        if intent["id"] not in intents
    ]
    alive = "json_extract(body, '$.status') IN ('active', 'trialing', 'past_due', 'unpaid', 'paused')"
    return {
        "now": world.now,
        "totals": totals(world),
        "payments": payments,
        "refunds": [_refund(refund) for refund in _all(world, "refund", "1")],
        "disputes": [_refund(dispute) for dispute in _all(world, "dispute", "1")],
        "subscriptions": [_subscription(sub) for sub in _all(world, "subscription", alive)],
    }


def _all(world: "World", kind: str, condition: str) -> list[Obj]:
    sql = f"SELECT body FROM {KINDS[kind].table} WHERE {condition} ORDER BY seq"  # noqa: S608 - the names in it are our own
    return [json.loads(row[0]) for row in world.store.db.execute(sql)]


def _intents_of_invoices(world: "World") -> set[str]:
    sql = f"SELECT json_extract(body, '$.payment.payment_intent') FROM {KINDS['invoice_payment'].table}"  # noqa: S608 - the names in it are our own
    return {row[0] for row in world.store.db.execute(sql)}


def _charge_facts(world: "World", intent_id: str | None) -> Obj:
    intent = world.store.get(intent_id)
    charge = world.store.get(intent["latest_charge"]) if intent else None
    txn = world.store.get(charge["balance_transaction"]) if charge else None
    return {
        "payment_intent": intent_id,
        "charge": charge["id"] if charge else None,
        "fee": txn["fee"] if txn else 0,
        "amount_refunded": charge["amount_refunded"] if charge else 0,
        "disputed": bool(charge and charge["disputed"]),
    }


def _invoice(world: "World", invoice: Obj) -> Obj:
    parent = (invoice["parent"] or {}).get("subscription_details") or {}
    service: Any = [line["period"] for line in invoice["lines"]["data"]]
    intent = world.store.get(invoice["_intent"])
    paid = intent is not None and intent["status"] == "succeeded"
    return {
        "id": invoice["id"],
        "kind": "invoice",
        "amount": invoice["amount_paid"],
        "currency": invoice["currency"],
        "created": invoice["created"],
        "paid_at": invoice["status_transitions"]["paid_at"],
        "customer": invoice["customer"],
        "subscription": parent.get("subscription"),
        "billing_reason": invoice["billing_reason"],
        "period": {"start": min(p["start"] for p in service), "end": max(p["end"] for p in service)}
        if service
        else None,
        "metadata": {**(parent.get("metadata") or {}), **invoice["metadata"]},
        **_charge_facts(world, invoice["_intent"] if paid else None),
    }


def _payment(world: "World", intent: Obj) -> Obj:
    charge = world.store.get(intent["latest_charge"])
    return {
        "id": intent["id"],
        "kind": "payment_intent",
        "amount": intent["amount_received"],
        "currency": intent["currency"],
        "created": intent["created"],
        "paid_at": charge["created"] if charge else intent["created"],
        "customer": intent["customer"],
        "subscription": None,
        "metadata": intent["metadata"],
        **_charge_facts(world, intent["id"]),
    }


def _refund(movement: Obj) -> Obj:
    names = ["id", "charge", "payment_intent", "amount", "currency", "status", "created"]
    return {name: movement[name] for name in names}


def _subscription(sub: Obj) -> Obj:
    item = sub["items"]["data"][0]
    return {
        **{name: sub[name] for name in ("id", "customer", "status", "currency", "metadata", "cancel_at", "created")},
        "amount": sum(i["price"]["unit_amount"] * i["quantity"] for i in sub["items"]["data"]),
        "interval": item["price"]["recurring"]["interval"],
        "interval_count": item["price"]["recurring"]["interval_count"],
        "current_period_start": item["current_period_start"],
        "current_period_end": item["current_period_end"],
    }
