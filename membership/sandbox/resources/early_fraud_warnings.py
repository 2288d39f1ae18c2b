"""Early fraud warnings: a card network holds a payment for fraudulent before anybody disputes it.

No money moves. A gift that is given back at once is rarely disputed later.
"""

from stripe.params.radar._early_fraud_warning_list_params import EarlyFraudWarningListParams
from stripe.params.radar._early_fraud_warning_retrieve_params import EarlyFraudWarningRetrieveParams

from membership.sandbox.kinds import Kind, Obj, declare
from membership.sandbox.protocol.errors import unexpected_state
from membership.sandbox.protocol.reading import listing, retrieval
from membership.sandbox.tasks import task
from membership.sandbox.world import World, snapshot

KIND = declare(
    Kind(
        "radar.early_fraud_warning",
        "issfr_",
        "/v1/radar/early_fraud_warnings",
        "early fraud warning",
        filters={"charge": "$.charge", "payment_intent": "$.payment_intent"},
        indexed=("charge",),
    )
)


def make(world: World, charge: Obj, fraud_type: str = "made_with_stolen_card") -> Obj:
    """Warn of a charge that succeeded, with the event; there is one warning for a charge at most."""
    if charge["status"] != "succeeded" or world.store.find(KIND, {"charge": charge["id"]}, limit=1):
        raise unexpected_state(f"Charge {charge['id']} cannot be warned of (any more).")
    warning = world.add(
        KIND,
        {
            "actionable": not charge["refunded"] and not charge["disputed"],
            "charge": charge["id"],
            "fraud_type": fraud_type,
            "payment_intent": charge["payment_intent"],
        },
    )
    world.emit("radar.early_fraud_warning.created", warning)
    return warning


def settle(world: World, charge: Obj) -> None:
    """A charge was refunded whole or disputed: nothing can be done about its warning any more."""
    for warning in world.store.find(KIND, {"charge": charge["id"]}, limit=1):
        before = snapshot(warning)
        warning["actionable"] = not charge["refunded"] and not charge["disputed"]
        world.emit("radar.early_fraud_warning.updated", warning, before)


@task("warn")
def warn_due(world: World, charge: Obj) -> None:
    """The bank of the test card that is warned of has looked at the payment."""
    if charge["status"] == "succeeded":
        make(world, charge)


retrieval(KIND, EarlyFraudWarningRetrieveParams)


listing(KIND, EarlyFraudWarningListParams, "charge payment_intent")
