"""Subscription items: what a subscription is made of. They live inside it; here they can be read one by one."""

from stripe.params._subscription_item_list_params import SubscriptionItemListParams
from stripe.params._subscription_item_retrieve_params import SubscriptionItemRetrieveParams

from membership.sandbox.kinds import Kind, Obj, declare
from membership.sandbox.protocol.errors import no_such
from membership.sandbox.protocol.listing import list_object
from membership.sandbox.protocol.routes import operation
from membership.sandbox.world import World

# What is kept under this kind is only where an item belongs; the item itself stands in the subscription.
KIND = declare(Kind("subscription_item", "si_", "/v1/subscription_items", "subscription_item"))


def remember(world: World, item_id: str, sub_id: str) -> None:
    """Keep to which subscription an item belongs."""
    world.store.add({"id": item_id, "object": KIND.name, "subscription": sub_id})


@operation("GET /v1/subscription_items/{id}", SubscriptionItemRetrieveParams, subject=KIND)
def retrieve(world: World, _params: Obj, pointer: Obj) -> Obj:
    """An item; one that was taken away is gone."""
    sub = world.need("subscription", pointer["subscription"], "subscription")
    for item in sub["items"]["data"]:
        if item["id"] == pointer["id"]:
            return dict(item)
    raise no_such(KIND.label, pointer["id"])


@operation("GET /v1/subscription_items", SubscriptionItemListParams, "subscription limit")
def list_all(world: World, params: Obj) -> Obj:
    """The items of a subscription."""
    sub = world.need("subscription", params["subscription"], "subscription")
    return list_object(KIND.path, list(sub["items"]["data"]))
