"""Payouts: the sandbox makes none, so its balance only grows; the list is there and empty."""

from stripe.params._payout_list_params import PayoutListParams
from stripe.params._payout_retrieve_params import PayoutRetrieveParams

from membership.sandbox.kinds import Kind, Obj, declare
from membership.sandbox.protocol.listing import PAGING, page
from membership.sandbox.protocol.routes import operation
from membership.sandbox.world import World

KIND = declare(Kind("payout", "po_", "/v1/payouts", "payout", filters={"status": "$.status"}))


@operation("GET /v1/payouts/{id}", PayoutRetrieveParams, subject=KIND)
def retrieve(world: World, params: Obj, payout: Obj) -> Obj:
    """A payout."""
    return payout


@operation("GET /v1/payouts", PayoutListParams, f"{PAGING} status")
def list_all(world: World, params: Obj) -> Obj:
    """Payouts, newest first."""
    return page(world, KIND, params)
