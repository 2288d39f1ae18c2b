"""Events: what happened, as it was then."""

from stripe.params._event_list_params import EventListParams
from stripe.params._event_retrieve_params import EventRetrieveParams

from membership.sandbox.kinds import Kind, Obj, declare
from membership.sandbox.protocol.listing import PAGING, page
from membership.sandbox.protocol.routes import operation
from membership.sandbox.world import World

KIND = declare(Kind("event", "evt_", "/v1/events", "event", filters={"types": "$.type"}))
_OPEN = "SELECT 1 FROM delivery d WHERE d.event = o_event.id AND d.state <> ?"


def pending(world: World, event: Obj) -> Obj:
    """The event with the number of endpoints that have not taken it yet."""
    sql = "SELECT count(*) FROM delivery WHERE event = ? AND state <> 'delivered'"
    return event | {"pending_webhooks": world.store.db.execute(sql, (event["id"],)).fetchone()[0]}


@operation("GET /v1/events/{id}", EventRetrieveParams, subject=KIND)
def retrieve(world: World, _params: Obj, event: Obj) -> Obj:
    """An event."""
    return pending(world, event)


@operation("GET /v1/events", EventListParams, f"{PAGING} type types delivery_success")
def list_all(world: World, params: Obj) -> Obj:
    """Events, newest first, by type (`charge.*` is a group), and by whether every endpoint took them.

    None is ever forgotten, where Stripe keeps 30 days.
    """
    conditions: list[tuple[str, object]] = []
    wanted, delivered = params.pop("type", None), params.pop("delivery_success", None)
    if wanted is not None:
        conditions.append(("json_extract(body, '$.type') GLOB ?", wanted))
    if delivered is not None:
        conditions.append((f"{'NOT ' if delivered else ''}EXISTS ({_OPEN})", "delivered"))
    answer = page(world, KIND, params, conditions=conditions)
    answer["data"] = [pending(world, event) for event in answer["data"]]
    return answer
