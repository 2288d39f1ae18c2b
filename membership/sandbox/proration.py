"""What changing a subscription in the middle of a period costs or gives back."""

from fractions import Fraction

from membership.sandbox import lines
from membership.sandbox.kinds import KINDS, Obj
from membership.sandbox.money import round_half_up
from membership.sandbox.world import World


def book(world: World, sub: Obj, old: list[Obj], new: list[Obj], at: int, *, debit: bool) -> None:
    """Pending items for what changed between `old` and `new`: credit for unused time, debit for the rest.

    Shares are by the second, each rounded half up to the minor unit. Without `debit` only the credit is
    booked, for a change that begins a new period and charges it whole.
    """
    changed = [item for item in old if _key(item) not in {_key(other) for other in new}]
    added = [item for item in new if _key(item) not in {_key(other) for other in old}]
    for item in changed:
        _item(world, sub, item, -_share(item, at), at, "Unused time on")
    for item in added if debit else []:
        _item(world, sub, item, _share(item, at), at, "Remaining time on")


def _key(item: Obj) -> tuple[str, str, int]:
    return item["id"], item["price"]["id"], item["quantity"]


def _share(item: Obj, at: int) -> int:
    start, end = item["current_period_start"], item["current_period_end"]
    left = max(min(end - at, end - start), 0)
    return round_half_up(Fraction(lines.amount_of(item) * left, end - start))


def _item(world: World, sub: Obj, item: Obj, amount: int, at: int, what: str) -> None:  # noqa: PLR0917 - the parts of one thing
    from membership.sandbox.resources import invoice_items

    if amount == 0:
        return
    customer = world.need("customer", sub["customer"], "customer")
    product = world.store.get(item["price"]["product"])
    invoice_items.make(
        world,
        customer,
        amount,
        sub["currency"],
        description=f"{what} {product['name'] if product else 'Subscription'}",
        parent={
            "subscription_details": {"subscription": sub["id"], "subscription_item": item["id"]},
            "type": "subscription_details",
        },
        period={"end": item["current_period_end"], "start": at},
        pricing={**lines.pricing(item["price"]), "unit_amount_decimal": None},
        proration=True,
        discountable=False,
        quantity=item["quantity"],
        quantity_decimal=str(item["quantity"]),
        _credited=_credited(world, sub, item) if amount < 0 else None,
    )


def _credited(world: World, sub: Obj, item: Obj) -> Obj | None:
    """The newest line that charged the item, whose unused part is given back."""
    for invoice in world.store.find(KINDS["invoice"], {"subscription": sub["id"]}, limit=20):
        charged = [line["id"] for line in invoice["lines"]["data"] if line["amount"] > 0 and _of(line, item)]
        if charged:
            return {"invoice": invoice["id"], "invoice_line_items": charged}
    return None


def _of(line: Obj, item: Obj) -> bool:
    details = line["parent"]["subscription_item_details"]
    return bool(details) and details["subscription_item"] == item["id"]
