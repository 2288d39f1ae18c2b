"""Lines of invoices."""

from membership.sandbox.kinds import Obj, new_id
from membership.sandbox.money import written


def amount_of(item: Obj) -> int:
    """What a subscription item costs for one whole period, in minor units."""
    return int(item["price"]["unit_amount"]) * int(item["quantity"])


def line(invoice_id: str, amount: int, currency: str, description: str | None, period: tuple[int, int]) -> Obj:
    """A line with no parent yet; `period` is [start, end) of the service, in seconds since 1970."""
    return {
        "id": new_id("il_"),
        "object": "line_item",
        "amount": amount,
        "currency": currency,
        "description": description,
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": invoice_id,
        "livemode": False,
        "metadata": {},
        "parent": None,
        "period": {"end": period[1], "start": period[0]},
        "pretax_credit_amounts": [],
        "pricing": None,
        "quantity": 1,
        "quantity_decimal": "1",
        "subtotal": amount,
        "taxes": [],
    }


def for_item(invoice_id: str, sub: Obj, item: Obj, period: tuple[int, int], product_name: str) -> Obj:
    """The line for one period of a subscription item."""
    price = item["price"]
    each = written(price["unit_amount"], price["currency"])
    text = f"{item['quantity']} × {product_name} (at {each} / {price['recurring']['interval']})"
    found = line(invoice_id, amount_of(item), sub["currency"], text, period)
    found |= {"quantity": item["quantity"], "quantity_decimal": str(item["quantity"]), "pricing": pricing(price)}
    found["metadata"] = dict(sub["metadata"])
    found["parent"] = {
        "invoice_item_details": None,
        "subscription_item_details": {
            "invoice_item": None,
            "proration": False,
            "proration_details": {"credited_items": None},
            "subscription": sub["id"],
            "subscription_item": item["id"],
        },
        "type": "subscription_item_details",
    }
    return found


def from_invoice_item(invoice_id: str, item: Obj) -> Obj:
    """The line for a pending invoice item; what comes of a change of a subscription is told as such."""
    found = line(invoice_id, item["amount"], item["currency"], item["description"], (0, 0))
    found |= {"period": item["period"], "metadata": dict(item["metadata"]), "discountable": item["discountable"]}
    found |= {"pricing": item["pricing"], "quantity": item["quantity"], "quantity_decimal": item["quantity_decimal"]}
    owner = (item["parent"] or {}).get("subscription_details") or {}
    details = {
        "invoice_item": item["id"],
        "proration": item["proration"],
        "proration_details": {"credited_items": item.get("_credited")},
        "subscription": owner.get("subscription"),
    }
    if owner.get("subscription_item"):
        details["subscription_item"] = owner["subscription_item"]
        kind = "subscription_item_details"
    else:
        kind = "invoice_item_details"
    found["parent"] = {"invoice_item_details": None, "subscription_item_details": None, kind: details, "type": kind}
    return found


def pricing(price: Obj) -> Obj:
    """How a line says which price it came from."""
    return {
        "price_details": {"price": price["id"], "product": price["product"]},
        "type": "price_details",
        "unit_amount_decimal": price["unit_amount_decimal"],
    }
