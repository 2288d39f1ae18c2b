"""Payment intents: one sum that is to be paid, by however many attempts."""

from collections.abc import Sequence

from stripe.params._payment_intent_cancel_params import PaymentIntentCancelParams
from stripe.params._payment_intent_capture_params import PaymentIntentCaptureParams
from stripe.params._payment_intent_confirm_params import PaymentIntentConfirmParams
from stripe.params._payment_intent_create_params import PaymentIntentCreateParams
from stripe.params._payment_intent_list_params import PaymentIntentListParams
from stripe.params._payment_intent_retrieve_params import PaymentIntentRetrieveParams
from stripe.params._payment_intent_update_params import PaymentIntentUpdateParams

from membership.sandbox import collection, money, payments, ways
from membership.sandbox.kinds import Kind, Obj, declare, new_id, public
from membership.sandbox.protocol.errors import ApiError, missing, unsupported
from membership.sandbox.protocol.reading import listing, retrieval
from membership.sandbox.protocol.routes import operation
from membership.sandbox.resources import payment_methods
from membership.sandbox.world import World, merge_metadata

KIND = declare(
    Kind(
        "payment_intent",
        "pi_",
        "/v1/payment_intents",
        "payment_intent",
        filters={"customer": "$.customer"},
        indexed=("customer",),
    )
)
_ACCEPTS = (
    "amount currency customer description metadata payment_method allowed_payment_method_types receipt_email"
    " setup_future_usage automatic_payment_methods shipping statement_descriptor statement_descriptor_suffix"
)
_CREATE = " capture_method confirmation_method confirm"
_CONFIRM = (
    "payment_method payment_method_data payment_method_options mandate_data off_session return_url use_stripe_sdk"
    " error_on_requires_action"
)
_CONFIRMABLE = frozenset({"requires_payment_method", "requires_confirmation", "requires_action"})


def make(world: World, amount: int, currency: str, customer: str | None, types: Sequence[str], **more: object) -> Obj:
    """A new intent that can be paid by the ways of `types`, with its event; `more` are further fields."""
    intent_id = new_id("pi_")
    nothing = dict.fromkeys(
        [
            "application",
            "application_fee_amount",
            "automatic_payment_methods",
            "canceled_at",
            "cancellation_reason",
            "customer_account",
            "description",
            "excluded_payment_method_types",
            "last_payment_error",
            "latest_charge",
            "next_action",
            "on_behalf_of",
            "payment_method",
            "payment_method_configuration_details",
            "processing",
            "receipt_email",
            "review",
            "setup_future_usage",
            "shipping",
            "source",
            "statement_descriptor",
            "statement_descriptor_suffix",
            "transfer_data",
            "transfer_group",
        ]
    )
    intent = world.add(
        KIND,
        {
            "id": intent_id,
            **nothing,
            "amount": amount,
            "amount_capturable": 0,
            "amount_details": {"tip": {}},
            "amount_received": 0,
            "capture_method": "automatic_async",
            "client_secret": f"{intent_id}_secret_{new_id('', 24)}",
            "confirmation_method": "automatic",
            "currency": currency,
            "customer": customer,
            "metadata": {},
            "payment_method_options": ways.options(types, "intent"),
            "payment_method_types": list(types),
            "status": "requires_payment_method",
            "_invoice": None,
            **more,
        },
    )
    world.emit("payment_intent.created", intent)
    return intent


@operation("POST /v1/payment_intents", PaymentIntentCreateParams, f"{_ACCEPTS} {_CONFIRM} {_CREATE}")
def create(world: World, params: Obj) -> Obj:
    """Create an intent and, with `confirm`, charge it at once (402 card_error where it is declined)."""
    currency = params["currency"].lower()
    if params["amount"] < 1:
        raise ApiError(_TOO_LITTLE, code="parameter_invalid_integer", param="amount")
    money.check_smallest(params["amount"], currency)
    customer = params.get("customer")
    if customer:
        world.need("customer", customer, "customer")
    method = _method(world, params, customer)
    intent = make(
        world,
        params["amount"],
        currency,
        customer,
        **_offer(world, params, currency),
        **_plain(params),
        metadata=merge_metadata({}, params.get("metadata")),
        capture_method=params.get("capture_method", "automatic_async"),
        confirmation_method=params.get("confirmation_method", "automatic"),
        shipping=_shipping(params),
        payment_method=method["id"] if method else None,
        status="requires_confirmation" if method else "requires_payment_method",
    )
    intent["payment_method_options"] = _options(intent, params)
    if not params.get("confirm"):
        return intent
    return _confirm(world, intent, {name: value for name, value in params.items() if name != "payment_method_data"})


_TOO_LITTLE = (
    "The amount must be greater than or equal to the minimum charge amount allowed for your account and the currency"
    " set. If you want to save a Payment Method for future use without an immediate payment, use a Setup Intent"
    " instead."
)
_PLAIN = ["description", "receipt_email", "setup_future_usage", "statement_descriptor", "statement_descriptor_suffix"]


def _options(intent: Obj, params: Obj) -> Obj:
    """The options as they are, with those changed that a call gives."""
    given, known = params.get("payment_method_options") or {}, intent["payment_method_options"]
    return {**known, **{kind: known.get(kind, {}) | (options or {}) for kind, options in given.items()}}


def _plain(params: Obj) -> Obj:
    return {name: params.get(name) or None for name in _PLAIN}


def _offer(world: World, params: Obj, currency: str) -> Obj:
    """The ways to pay: those asked for, or (as Stripe does since 2023) those that the account has turned on."""
    asked, automatic = params.get("allowed_payment_method_types"), params.get("automatic_payment_methods")
    if asked or (automatic and not automatic["enabled"]):
        return {"types": asked or ["card"]}
    automatic = {"allow_redirects": "always", "enabled": True, **(automatic or {})}
    types = ways.for_intent(
        world.settings.payment_methods,
        currency,
        capture=params.get("capture_method", ""),
        redirects=automatic["allow_redirects"] == "always",
    )
    return {
        "types": types,
        "automatic_payment_methods": automatic,
        "payment_method_configuration_details": ways.configuration("sandbox"),
    }


def _shipping(params: Obj) -> Obj | None:
    """Where something is sent to, with all parts of the address."""
    shipping = params.get("shipping")
    if not shipping:
        return None
    nothing: Obj = dict.fromkeys(["carrier", "phone", "tracking_number"])
    return {**nothing, **shipping, "address": payment_methods.ADDRESS | shipping["address"]}


def _method(world: World, params: Obj, customer: str | None) -> Obj | None:
    name = params.get("payment_method")
    if params.get("payment_method_data"):
        return payment_methods.create(world, params["payment_method_data"])
    if not name:
        return None
    method = payment_methods.resolve(world, name, "payment_method")
    if method["customer"] is not None and method["customer"] != customer:
        raise ApiError(
            "The provided PaymentMethod belongs to another Customer.",
            code="payment_intent_unexpected_state",
            param="payment_method",
        )
    return method


@operation("POST /v1/payment_intents/{id}/confirm", PaymentIntentConfirmParams, _CONFIRM, subject=KIND)
def confirm(world: World, params: Obj, intent: Obj) -> Obj:
    """Charge an intent (402 card_error where it is declined)."""
    return _confirm(world, intent, params)


def _confirm(world: World, intent: Obj, params: Obj) -> Obj:
    if intent["status"] not in _CONFIRMABLE:
        raise _state(intent, "confirm")
    method = _method(world, params, intent["customer"]) or world.store.get(intent["payment_method"])
    if method is None:
        raise missing("payment_method")
    off_session = params.get("off_session") in {True, "one_off", "recurring"}
    intent["_return_url"] = params.get("return_url")
    intent["payment_method_options"] = _options(intent, params)
    result = collection.collect(world, intent, method, on_session=not off_session)
    if result == "declined":
        raise payments.card_error(world, intent)
    if result == "requires_action" and params.get("error_on_requires_action"):
        raise unsupported("error_on_requires_action")
    if intent["setup_future_usage"] and intent["customer"] and method["customer"] is None:
        customer = world.need("customer", intent["customer"], "customer")
        payment_methods.attach_to(world, method, customer)
    return intent


def _state(intent: Obj, verb: str) -> ApiError:
    return ApiError(
        f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}.",
        code="payment_intent_unexpected_state",
        payment_intent=public(intent),
    )


@operation(
    "POST /v1/payment_intents/{id}/capture",
    PaymentIntentCaptureParams,
    "amount_to_capture final_capture metadata statement_descriptor statement_descriptor_suffix",
    subject=KIND,
)
def capture(world: World, params: Obj, intent: Obj) -> Obj:
    """Take money that was reserved: all of it, or `amount_to_capture`, and the rest is let go."""
    if intent["status"] != "requires_capture":
        raise _state(intent, "capture")
    amount = int(params.get("amount_to_capture") or intent["amount_capturable"])
    if not 0 < amount <= intent["amount_capturable"]:
        raise ApiError(
            f"The amount to capture ({amount}) is not within the {intent['amount_capturable']} that is reserved.",
            code="amount_too_large",
            param="amount_to_capture",
        )
    intent["metadata"] = merge_metadata(intent["metadata"], params.get("metadata"))
    payments.capture(world, intent, amount)
    return intent


@operation("POST /v1/payment_intents/{id}/cancel", PaymentIntentCancelParams, "cancellation_reason", subject=KIND)
def cancel(world: World, params: Obj, intent: Obj) -> Obj:
    """Give an intent up that is not paid; what was reserved is let go."""
    if intent["status"] not in _CONFIRMABLE | {"requires_capture"}:
        raise _state(intent, "cancel")
    payments.let_go(world, intent)
    give_up(world, intent, params.get("cancellation_reason"))
    return intent


def give_up(world: World, intent: Obj, reason: str | None) -> None:
    """Cancel an intent, with its event."""
    intent |= {"status": "canceled", "canceled_at": world.now, "cancellation_reason": reason, "next_action": None}
    world.emit("payment_intent.canceled", intent)


retrieval(KIND, PaymentIntentRetrieveParams, "client_secret")


@operation(
    "POST /v1/payment_intents/{id}",
    PaymentIntentUpdateParams,
    _ACCEPTS.replace("currency ", "").replace(" automatic_payment_methods", ""),
    subject=KIND,
)
def update(world: World, params: Obj, intent: Obj) -> Obj:
    """Change an intent that is not paid; its metadata at any time."""
    if intent["status"] not in _CONFIRMABLE and set(params) - {"metadata", "description"}:
        raise _state(intent, "update")
    intent["metadata"] = merge_metadata(intent["metadata"], params.pop("metadata", None))
    method = _method(world, params, params.get("customer") or intent["customer"])
    if method:
        params["payment_method"] = method["id"]
        intent["status"] = "requires_confirmation"
    if "shipping" in params:
        params["shipping"] = _shipping(params)
    types = params.pop("allowed_payment_method_types", None)
    if types:
        intent |= {"payment_method_types": types, "payment_method_options": ways.options(types, "intent")}
    intent.update({name: None if value == "" else value for name, value in params.items()})
    return intent


listing(KIND, PaymentIntentListParams, "customer")
