"""Payment intents: one sum that is to be paid, by however many attempts."""

from stripe.params._payment_intent_cancel_params import PaymentIntentCancelParams
from stripe.params._payment_intent_confirm_params import PaymentIntentConfirmParams
from stripe.params._payment_intent_create_params import PaymentIntentCreateParams
from stripe.params._payment_intent_list_params import PaymentIntentListParams
from stripe.params._payment_intent_retrieve_params import PaymentIntentRetrieveParams
from stripe.params._payment_intent_update_params import PaymentIntentUpdateParams

from membership.sandbox import collection, money, payments
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
    " setup_future_usage automatic_payment_methods"
)
_CONFIRM = "payment_method off_session return_url use_stripe_sdk error_on_requires_action"
_CONFIRMABLE = frozenset({"requires_payment_method", "requires_confirmation", "requires_action"})


def make(world: World, amount: int, currency: str, customer: str | None, **more: object) -> Obj:
    """A new intent, with its event; `more` are further fields of the object."""
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
            "capture_method": "automatic",
            "client_secret": f"{intent_id}_secret_{new_id('', 24)}",
            "confirmation_method": "automatic",
            "currency": currency,
            "customer": customer,
            "metadata": {},
            "payment_details": {"customer_reference": None, "order_reference": None},
            "payment_method_options": {"card": {"network": None, "request_three_d_secure": "automatic"}},
            "payment_method_types": ["card"],
            "status": "requires_payment_method",
            "_invoice": None,
            **more,
        },
    )
    world.emit("payment_intent.created", intent)
    return intent


@operation("POST /v1/payment_intents", PaymentIntentCreateParams, f"{_ACCEPTS} {_CONFIRM} confirm")
def create(world: World, params: Obj) -> Obj:
    """Create an intent and, with `confirm`, charge it at once (402 card_error where it is declined)."""
    if params["amount"] < 1:
        raise ApiError(
            "This value must be greater than or equal to 1.", code="parameter_invalid_integer", param="amount"
        )
    currency = params["currency"].lower()
    money.check_smallest(params["amount"], currency)
    customer = params.get("customer")
    if customer:
        world.need("customer", customer, "customer")
    method = _method(world, params, customer)
    automatic = params.get("automatic_payment_methods")
    intent = make(
        world,
        params["amount"],
        currency,
        customer,
        description=params.get("description"),
        metadata=merge_metadata({}, params.get("metadata")),
        receipt_email=params.get("receipt_email"),
        setup_future_usage=params.get("setup_future_usage"),
        payment_method=method["id"] if method else None,
        payment_method_types=params.get("allowed_payment_method_types") or ["card"],
        automatic_payment_methods={"allow_redirects": "always", **automatic} if automatic else None,
        status="requires_confirmation" if method else "requires_payment_method",
    )
    return _confirm(world, intent, params) if params.get("confirm") else intent


def _method(world: World, params: Obj, customer: str | None) -> Obj | None:
    name = params.get("payment_method")
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


@operation("POST /v1/payment_intents/{id}/cancel", PaymentIntentCancelParams, "cancellation_reason", subject=KIND)
def cancel(world: World, params: Obj, intent: Obj) -> Obj:
    """Give an intent up that is not paid."""
    if intent["status"] not in _CONFIRMABLE:
        raise _state(intent, "cancel")
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
    _ACCEPTS.replace("currency ", "").replace("automatic_payment_methods", ""),
    subject=KIND,
)
def update(world: World, params: Obj, intent: Obj) -> Obj:
    """Change an intent that is not paid; its metadata at any time."""
    if intent["status"] not in _CONFIRMABLE and set(params) - {"metadata", "description"}:
        raise _state(intent, "update")
    intent["metadata"] = merge_metadata(intent["metadata"], params.pop("metadata", None))
    method = _method(world, params, intent["customer"])
    if method:
        params["payment_method"] = method["id"]
        intent["status"] = "requires_confirmation"
    intent.update({name: None if value == "" else value for name, value in params.items()})
    return intent


listing(KIND, PaymentIntentListParams, "customer")
