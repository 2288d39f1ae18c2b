"""What somebody may do in Stripe's Dashboard, so that nobody but an event tells us of it."""

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from membership.sandbox import chargebacks
from membership.sandbox.control.actions import checked
from membership.sandbox.kinds import Obj, public
from membership.sandbox.protocol.errors import ApiError, missing
from membership.sandbox.resources import customers, early_fraud_warnings, refunds, subscriptions

if TYPE_CHECKING:
    from membership.sandbox.app import Sandbox


def fail_next(sandbox: "Sandbox", wanted: Obj) -> Obj:
    """Have the next payment of a customer refused, whatever the card."""
    with sandbox.store.transaction():
        customer = sandbox.world().need("customer", _named(wanted, "customer"), "customer")
        customer["_fail_next"] = True
        return {"customer": customer["id"], "fails_next": True}


def refund(sandbox: "Sandbox", wanted: Obj) -> Obj:
    """Refund a charge: the rest of it, or `amount`."""
    with sandbox.store.transaction():
        world = sandbox.world()
        world.need("charge", _named(wanted, "charge"), "charge")
        asked = {"charge": wanted["charge"]} | ({"amount": int(wanted["amount"])} if wanted.get("amount") else {})
        return public(refunds.create(world, asked))


def cancel_subscription(sandbox: "Sandbox", wanted: Obj) -> Obj:
    """End a subscription: now, or with `at_period_end` at the end of its period."""
    with sandbox.store.transaction():
        world = sandbox.world()
        sub = world.need("subscription", _named(wanted, "subscription"), "subscription")
        if wanted.get("at_period_end"):
            return public(subscriptions.update(world, {"cancel_at_period_end": True}, sub))
        return public(subscriptions.cancel(world, {}, sub))


class Edit(BaseModel):
    """What to change about a subscription; what is left out stays.

    `amount` is in minor units for each of its `quantity`, `proration_behavior` settles the difference (none by
    default), `cancel_at_period_end` sets or takes back the end, `pause_collection` is void, keep_as_draft,
    mark_uncollectible or "" (goes on), and `paused` pauses on demand or resumes.
    """

    model_config = ConfigDict(extra="forbid")
    subscription: str
    amount: int | None = Field(None, ge=0)
    quantity: int | None = Field(None, ge=1)
    proration_behavior: Literal["none", "create_prorations", "always_invoice"] = "none"
    cancel_at_period_end: bool | None = None
    pause_collection: Literal["void", "keep_as_draft", "mark_uncollectible", ""] | None = None
    paused: bool | None = None


def edit_subscription(sandbox: "Sandbox", wanted: Obj) -> Obj:
    """Change a subscription: its amount, its end, or whether it is paused."""
    asked = checked(Edit, wanted)
    with sandbox.store.transaction():
        world = sandbox.world()
        sub = world.need("subscription", asked.subscription, "subscription")
        params = _changes(sub, asked)
        if params:
            subscriptions.update(world, params, sub)
        if asked.paused is not None and asked.paused != (sub["status"] == "paused"):
            change = subscriptions.pause if asked.paused else subscriptions.resume
            change(world, {}, sub)
        return public(sub)


def _changes(sub: Obj, asked: Edit) -> Obj:
    params: Obj = {}
    item = sub["items"]["data"][0]
    change: Obj = {}
    if asked.amount is not None:
        recurring = {name: item["price"]["recurring"][name] for name in ("interval", "interval_count")}
        price = {"currency": sub["currency"], "product": item["price"]["product"], "recurring": recurring}
        change["price_data"] = price | {"unit_amount": asked.amount}
    if asked.quantity is not None:
        change["quantity"] = asked.quantity
    if change:
        params |= {"items": [{"id": item["id"], **change}], "proration_behavior": asked.proration_behavior}
    if asked.cancel_at_period_end is not None:
        params["cancel_at_period_end"] = asked.cancel_at_period_end
    if asked.pause_collection is not None:
        params["pause_collection"] = {"behavior": asked.pause_collection} if asked.pause_collection else ""
    return params


def delete_customer(sandbox: "Sandbox", wanted: Obj) -> Obj:
    """Delete a customer for good; what they pay ends."""
    with sandbox.store.transaction():
        world = sandbox.world()
        return customers.delete(world, {}, world.need("customer", _named(wanted, "customer"), "customer"))


def warn(sandbox: "Sandbox", wanted: Obj) -> Obj:
    """Have the card's network warn early that a charge is fraudulent."""
    with sandbox.store.transaction():
        world = sandbox.world()
        charge = world.need("charge", _named(wanted, "charge"), "charge")
        return public(early_fraud_warnings.make(world, charge))


def dispute(sandbox: "Sandbox", wanted: Obj) -> Obj:
    """Have the payer of a charge dispute it: `kind` is chargeback, inquiry or prevented; `reason` is Stripe's."""
    kind = wanted.get("kind") or "chargeback"
    if kind not in {"chargeback", "inquiry", "prevented"}:
        raise ApiError("kind is chargeback, inquiry or prevented.", param="kind")
    with sandbox.store.transaction():
        world = sandbox.world()
        charge = world.need("charge", _named(wanted, "charge"), "charge")
        return public(chargebacks.make(world, charge, wanted.get("reason") or "fraudulent", kind))


def decide(sandbox: "Sandbox", wanted: Obj) -> Obj:
    """Decide a dispute: `outcome` is won or lost."""
    steps = {"won": "win", "lost": "lose"}
    if wanted.get("outcome") not in steps:
        raise ApiError("outcome is won or lost.", param="outcome")
    return dispute_step(sandbox, wanted | {"step": steps[wanted["outcome"]]})


def dispute_step(sandbox: "Sandbox", wanted: Obj) -> Obj:
    """Take a dispute on: `step` is review, win, lose, escalate, withdraw or appeal (see `chargebacks.step`)."""
    with sandbox.store.transaction():
        world = sandbox.world()
        found = world.need("dispute", _named(wanted, "dispute"), "dispute")
        chargebacks.step(world, found, _named(wanted, "step"))
        return public(found)


def _named(wanted: Obj, name: str) -> str:
    if not wanted.get(name):
        raise missing(name)
    return str(wanted[name])


ACTIONS = {
    action.__name__: action
    for action in (
        fail_next, refund, warn, dispute, dispute_step, decide, cancel_subscription, edit_subscription,
        delete_customer,
    )
}  # fmt: skip
