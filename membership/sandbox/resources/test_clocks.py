"""Test clocks: a time of their own for single customers."""

from stripe.params.test_helpers._test_clock_advance_params import TestClockAdvanceParams
from stripe.params.test_helpers._test_clock_create_params import TestClockCreateParams
from stripe.params.test_helpers._test_clock_delete_params import TestClockDeleteParams
from stripe.params.test_helpers._test_clock_list_params import TestClockListParams
from stripe.params.test_helpers._test_clock_retrieve_params import TestClockRetrieveParams

from membership.sandbox.cycle import ENDED
from membership.sandbox.kinds import KINDS, Kind, Obj, declare
from membership.sandbox.protocol.errors import ApiError, unexpected_state
from membership.sandbox.protocol.reading import listing, retrieval
from membership.sandbox.protocol.routes import operation
from membership.sandbox.resources import customers
from membership.sandbox.world import World

KIND = declare(
    Kind(
        "test_helpers.test_clock",
        "clock_",
        "/v1/test_helpers/test_clocks",
        "test clock",
        filters={"status": "$.status"},
        indexed=("status",),
    )
)
_LIFE = 30 * 86400


@operation("POST /v1/test_helpers/test_clocks", TestClockCreateParams, "frozen_time name")
def create(world: World, params: Obj) -> Obj:
    """A clock that stands still at `frozen_time`."""
    clock = world.add(
        KIND,
        {
            "deletes_after": world.now + _LIFE,
            "frozen_time": params["frozen_time"],
            "name": params.get("name"),
            "status": "ready",
            "status_details": {},
        },
    )
    world.emit("test_helpers.test_clock.created", clock)
    return clock


@operation("POST /v1/test_helpers/test_clocks/{id}/advance", TestClockAdvanceParams, "frozen_time", subject=KIND)
def advance(world: World, params: Obj, clock: Obj) -> Obj:
    """Let the clock run to `frozen_time`; the status is `advancing` until all that falls due was done."""
    if clock["status"] != "ready":
        raise unexpected_state("The test clock is advancing already.")
    if params["frozen_time"] <= clock["frozen_time"]:
        raise ApiError("A test clock only moves forward.", param="frozen_time")
    clock |= {"status": "advancing", "_target": params["frozen_time"]}
    clock["status_details"] = {"advancing": {"target_frozen_time": params["frozen_time"]}}
    world.emit("test_helpers.test_clock.advancing", clock)
    world.store.after_commit.append(world.wake)
    return clock


def arrive(world: World, clock: Obj) -> None:
    """All was done: the clock stands at its new time."""
    clock |= {"status": "ready", "frozen_time": clock.pop("_target"), "status_details": {}}
    world.now = clock["frozen_time"]
    world.emit("test_helpers.test_clock.ready", clock)


retrieval(KIND, TestClockRetrieveParams)


@operation("DELETE /v1/test_helpers/test_clocks/{id}", TestClockDeleteParams, subject=KIND)
def delete(world: World, _params: Obj, clock: Obj) -> Obj:
    """Delete a clock with its customers; their subscriptions end."""
    for customer in world.store.find(customers.KIND, {"test_clock": clock["id"]}):
        live = [
            s for s in world.store.find(KINDS["subscription"], {"customer": customer["id"]}) if s["status"] not in ENDED
        ]
        if live or not customer.get("deleted"):
            customers.delete(world, {}, customer)
    world.emit("test_helpers.test_clock.deleted", clock)
    world.store.remove(clock)
    return {"id": clock["id"], "object": KIND.name, "deleted": True}


listing(KIND, TestClockListParams)
