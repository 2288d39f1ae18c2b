"""Subscription items: what a subscription is made of. They live inside it; here they are seen one by one."""

from stripe.params._subscription_item_create_params import SubscriptionItemCreateParams
from stripe.params._subscription_item_delete_params import SubscriptionItemDeleteParams
from stripe.params._subscription_item_list_params import SubscriptionItemListParams
from stripe.params._subscription_item_retrieve_params import SubscriptionItemRetrieveParams
from stripe.params._subscription_item_update_params import SubscriptionItemUpdateParams

from membership.sandbox.kinds import Kind, Obj, declare
from membership.sandbox.protocol.errors import missing, no_such
from membership.sandbox.protocol.listing import list_object
from membership.sandbox.protocol.routes import operation
from membership.sandbox.resources import prices
from membership.sandbox.world import World

# What is kept under this kind is only where an item belongs; the item itself stands in the subscription.
KIND = declare(Kind("subscription_item", "si_", "/v1/subscription_items", "subscription_item"))
_OF_ITEM = ["price", "plan", "price_data", "quantity", "metadata"]
_ACCEPTS = (
    "price plan quantity metadata proration_behavior proration_date payment_behavior off_session"
    f" {prices.inline_accepts('price_data')}"
)


def remember(world: World, item_id: str, sub_id: str) -> None:
    """Keep to which subscription an item belongs."""
    world.store.add({"id": item_id, "object": KIND.name, "subscription": sub_id})


def _found(world: World, pointer: Obj) -> tuple[Obj, Obj]:
    """The subscription and the item; ApiError 404 for one that was taken away."""
    sub = world.need("subscription", pointer["subscription"], "subscription")
    for item in sub["items"]["data"]:
        if item["id"] == pointer["id"]:
            return sub, item
    raise no_such(KIND.label, pointer["id"])


def _change(world: World, sub: Obj, item: Obj, params: Obj) -> None:
    """Change a subscription as a call on the subscription itself would."""
    from membership.sandbox.resources import subscriptions

    rest = {name: value for name, value in params.items() if name not in {*_OF_ITEM, "subscription"}}
    subscriptions.update(world, {**rest, "items": [item]}, sub)


@operation("GET /v1/subscription_items/{id}", SubscriptionItemRetrieveParams, subject=KIND)
def retrieve(world: World, _params: Obj, pointer: Obj) -> Obj:
    """An item; one that was taken away is gone."""
    return dict(_found(world, pointer)[1])


@operation("POST /v1/subscription_items", SubscriptionItemCreateParams, f"{_ACCEPTS} subscription")
def create(world: World, params: Obj) -> Obj:
    """Add an item to a subscription."""
    if not params.get("subscription"):
        raise missing("subscription")
    sub = world.need("subscription", params["subscription"], "subscription")
    _change(world, sub, {name: params[name] for name in _OF_ITEM if name in params}, params)
    return dict(sub["items"]["data"][-1])


@operation("POST /v1/subscription_items/{id}", SubscriptionItemUpdateParams, _ACCEPTS, subject=KIND)
def update(world: World, params: Obj, pointer: Obj) -> Obj:
    """Change an item."""
    sub, item = _found(world, pointer)
    _change(world, sub, {"id": item["id"]} | {name: params[name] for name in _OF_ITEM if name in params}, params)
    return dict(_found(world, pointer)[1])


@operation(
    "DELETE /v1/subscription_items/{id}",
    SubscriptionItemDeleteParams,
    "proration_behavior proration_date payment_behavior",
    subject=KIND,
)
def delete(world: World, params: Obj, pointer: Obj) -> Obj:
    """Take an item away; ApiError 400 for the last one."""
    sub, item = _found(world, pointer)
    _change(world, sub, {"id": item["id"], "deleted": True}, params)
    return {"id": item["id"], "object": KIND.name, "deleted": True}


@operation("GET /v1/subscription_items", SubscriptionItemListParams, "subscription limit")
def list_all(world: World, params: Obj) -> Obj:
    """The items of a subscription."""
    sub = world.need("subscription", params["subscription"], "subscription")
    return list_object(KIND.path, list(sub["items"]["data"]))
