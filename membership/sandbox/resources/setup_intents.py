"""Setup intents: saving a payment method for later without charging it."""

from collections.abc import Sequence

from stripe.params._setup_intent_cancel_params import SetupIntentCancelParams
from stripe.params._setup_intent_confirm_params import SetupIntentConfirmParams
from stripe.params._setup_intent_create_params import SetupIntentCreateParams
from stripe.params._setup_intent_list_params import SetupIntentListParams
from stripe.params._setup_intent_retrieve_params import SetupIntentRetrieveParams

from membership.sandbox import cards, ways
from membership.sandbox.kinds import Kind, Obj, declare, new_id, public
from membership.sandbox.protocol.errors import ApiError, missing
from membership.sandbox.protocol.reading import listing, retrieval
from membership.sandbox.protocol.routes import operation
from membership.sandbox.resources import payment_methods
from membership.sandbox.world import World, merge_metadata

KIND = declare(
    Kind(
        "setup_intent",
        "seti_",
        "/v1/setup_intents",
        "setup_intent",
        filters={"customer": "$.customer", "payment_method": "$.payment_method"},
        indexed=("customer",),
    )
)
_OPEN = frozenset({"requires_payment_method", "requires_confirmation", "requires_action"})


def make(world: World, customer: str | None, types: Sequence[str], **more: object) -> Obj:
    """A new setup intent for the ways to pay of `types`, with its event."""
    intent_id = new_id("seti_")
    nothing = dict.fromkeys(
        [
            "application",
            "automatic_payment_methods",
            "cancellation_reason",
            "customer_account",
            "description",
            "excluded_payment_method_types",
            "flow_directions",
            "last_setup_error",
            "latest_attempt",
            "mandate",
            "next_action",
            "on_behalf_of",
            "payment_method",
            "payment_method_configuration_details",
            "single_use_mandate",
        ]
    )
    intent = world.add(
        KIND,
        {
            "id": intent_id,
            **nothing,
            "client_secret": f"{intent_id}_secret_{new_id('', 24)}",
            "customer": customer,
            "metadata": {},
            "payment_method_options": ways.options(types, "setup"),
            "payment_method_types": list(types),
            "status": "requires_payment_method",
            "usage": "off_session",
            **more,
        },
    )
    world.emit("setup_intent.created", intent)
    return intent


def finish(world: World, intent: Obj, method: Obj, *, confirmed: bool = False) -> None:
    """Save `method`: attach it to the customer, or ask for a confirmation; ApiError 402 where it is refused."""
    card = cards.Card(**method["_card"])
    intent["payment_method"] = method["id"]
    if card.asks != "never" and not confirmed:
        url = f"{world.public_url}/c/confirm/{intent['id']}"
        intent["status"] = "requires_action"
        intent["next_action"] = {"type": "redirect_to_url", "redirect_to_url": {"return_url": None, "url": url}}
        world.emit("setup_intent.requires_action", intent)
        return
    if card.decline and not card.first_works and card.number != cards.SAVED_BUT_REFUSED:
        raise _refused(world, intent, method, card.decline)
    if intent["customer"]:
        payment_methods.attach_to(world, method, world.need("customer", intent["customer"], "customer"))
    method["_confirmed"] = confirmed
    intent |= {"status": "succeeded", "next_action": None}
    world.emit("setup_intent.succeeded", intent)


def _refused(world: World, intent: Obj, method: Obj, reason: str) -> ApiError:
    said = cards.refusal(reason)
    intent |= {"status": "requires_payment_method", "payment_method": None}
    intent["last_setup_error"] = {**said, "payment_method": public(method)}
    world.emit("setup_intent.setup_failed", intent)
    message, code, kind = said.pop("message"), said.pop("code"), said.pop("type")
    return ApiError(message, status=402, kind=kind, code=code, keeps_work=True, setup_intent=public(intent), **said)


@operation(
    "POST /v1/setup_intents",
    SetupIntentCreateParams,
    "customer payment_method allowed_payment_method_types confirm description metadata usage automatic_payment_methods"
    " return_url use_stripe_sdk",
)
def create(world: World, params: Obj) -> Obj:
    """Create a setup intent and, with `confirm`, save the payment method at once."""
    customer = params.get("customer")
    if customer:
        world.need("customer", customer, "customer")
    name = params.get("payment_method")
    method = payment_methods.resolve(world, name, "payment_method") if name else None
    intent = make(
        world,
        customer,
        **_offer(world, params),
        payment_method=method["id"] if method else None,
        metadata=merge_metadata({}, params.get("metadata")),
        description=params.get("description"),
        usage=params.get("usage", "off_session"),
        status="requires_confirmation" if method else "requires_payment_method",
    )
    if params.get("confirm"):
        if method is None:
            raise missing("payment_method")
        finish(world, intent, method)
    return intent


def _offer(world: World, params: Obj) -> Obj:
    """The ways to pay: those asked for, or those that the account has turned on."""
    asked, automatic = params.get("allowed_payment_method_types"), params.get("automatic_payment_methods")
    if asked or (automatic and not automatic["enabled"]):
        return {"types": asked or ["card"]}
    return {
        "types": ways.for_setup(world.settings.payment_methods),
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": True, **(automatic or {})},
        "payment_method_configuration_details": ways.configuration("sandbox"),
    }


@operation(
    "POST /v1/setup_intents/{id}/confirm",
    SetupIntentConfirmParams,
    "payment_method return_url use_stripe_sdk",
    subject=KIND,
)
def confirm(world: World, params: Obj, intent: Obj) -> Obj:
    """Save the payment method."""
    if intent["status"] not in _OPEN:
        raise _state(intent, "confirm")
    name = params.get("payment_method") or intent["payment_method"]
    if not name:
        raise missing("payment_method")
    finish(world, intent, payment_methods.resolve(world, name, "payment_method"))
    return intent


@operation("POST /v1/setup_intents/{id}/cancel", SetupIntentCancelParams, "cancellation_reason", subject=KIND)
def cancel(world: World, params: Obj, intent: Obj) -> Obj:
    """Give a setup intent up."""
    if intent["status"] not in _OPEN:
        raise _state(intent, "cancel")
    give_up(world, intent, params.get("cancellation_reason"))
    return intent


def give_up(world: World, intent: Obj, reason: str | None) -> None:
    """Cancel a setup intent, with its event."""
    intent |= {"status": "canceled", "cancellation_reason": reason, "next_action": None}
    world.emit("setup_intent.canceled", intent)


def _state(intent: Obj, verb: str) -> ApiError:
    return ApiError(
        f"You cannot {verb} this SetupIntent because it has a status of {intent['status']}.",
        code="setup_intent_unexpected_state",
        setup_intent=public(intent),
    )


retrieval(KIND, SetupIntentRetrieveParams, "client_secret")


listing(KIND, SetupIntentListParams, "customer payment_method")
