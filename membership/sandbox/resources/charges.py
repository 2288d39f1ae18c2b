"""Charges: attempts to take money, successful or not. They are made by payment intents only."""

from stripe.params._charge_list_params import ChargeListParams
from stripe.params._charge_list_refunds_params import ChargeListRefundsParams
from stripe.params._charge_retrieve_params import ChargeRetrieveParams
from stripe.params._charge_update_params import ChargeUpdateParams

from membership.sandbox.kinds import KINDS, Kind, Obj, declare, public
from membership.sandbox.protocol.listing import PAGING, list_object, page
from membership.sandbox.protocol.reading import listing, retrieval
from membership.sandbox.protocol.routes import operation
from membership.sandbox.world import World, merge_metadata, snapshot


def _refunds(world: World, charge: Obj) -> Obj:
    found = world.store.find(KINDS["refund"], {"charge": charge["id"]}, limit=10)
    return list_object(f"/v1/charges/{charge['id']}/refunds", [public(refund) for refund in found])


KIND = declare(
    Kind(
        "charge",
        "ch_",
        "/v1/charges",
        "charge",
        filters={"customer": "$.customer", "payment_intent": "$.payment_intent"},
        indexed=("customer", "payment_intent"),
        lazy={"refunds": _refunds},
    )
)


retrieval(KIND, ChargeRetrieveParams)


@operation(
    "POST /v1/charges/{id}", ChargeUpdateParams, "description metadata receipt_email fraud_details", subject=KIND
)
def update(world: World, params: Obj, charge: Obj) -> Obj:
    """Change what is written about a charge."""
    before = snapshot(charge)
    charge["metadata"] = merge_metadata(charge["metadata"], params.pop("metadata", None))
    charge.update(params)
    world.emit("charge.updated", charge, before)
    return charge


listing(KIND, ChargeListParams, "customer payment_intent")


@operation("GET /v1/charges/{id}/refunds", ChargeListRefundsParams, PAGING, subject=KIND)
def list_refunds(world: World, params: Obj, charge: Obj) -> Obj:
    """The refunds of a charge, newest first."""
    return page(world, KINDS["refund"], params, {"charge": charge["id"]})
