"""Payment methods: test cards and test accounts, and the customers to whom they are attached."""

from dataclasses import asdict

from stripe import PaymentMethod
from stripe.params._payment_method_attach_params import PaymentMethodAttachParams
from stripe.params._payment_method_create_params import PaymentMethodCreateParams
from stripe.params._payment_method_detach_params import PaymentMethodDetachParams
from stripe.params._payment_method_list_params import PaymentMethodListParams
from stripe.params._payment_method_retrieve_params import PaymentMethodRetrieveParams
from stripe.params._payment_method_update_params import PaymentMethodUpdateParams

from membership.sandbox import cards, instruments
from membership.sandbox.kinds import Kind, Obj, declare
from membership.sandbox.protocol.errors import ApiError, missing, no_such
from membership.sandbox.protocol.listing import PAGING, page
from membership.sandbox.protocol.reading import retrieval
from membership.sandbox.protocol.routes import operation
from membership.sandbox.world import World, merge_metadata, snapshot

KIND = declare(
    Kind(
        "payment_method",
        "pm_",
        "/v1/payment_methods",
        "PaymentMethod",
        filters={"customer": "$.customer", "type": "$.type"},
        indexed=("customer",),
    )
)
ADDRESS = dict.fromkeys(["city", "country", "line1", "line2", "postal_code", "state"])


def make(
    world: World,
    card: cards.Card,
    *,
    email: str | None = None,
    name: str | None = None,
    expires: tuple[int, int] | None = None,
    given: Obj | None = None,
) -> Obj:
    """A payment method of a test card or account; `expires` is (month, year), by default next year's end.

    `given` are further parameters of its type, for types other than cards.
    """
    return world.add(
        KIND,
        {
            "allow_redisplay": "unspecified",
            "billing_details": {"address": dict(ADDRESS), "email": email, "name": name, "phone": None, "tax_id": None},
            "customer": None,
            "customer_account": None,
            "metadata": {},
            "type": card.kind,
            card.kind: instruments.shown(card, world.now, expires, given or {}),
            "_card": asdict(card),
        },
    )


def resolve(world: World, name: str, param: str) -> Obj:
    """The payment method of that id; a test token such as `pm_card_visa` makes a new one."""
    if name in cards.TOKENS:
        return make(world, cards.TOKENS[name])
    found = world.store.get(name)
    if found is None or found["object"] != KIND.name:
        raise no_such(KIND.label, name, param=param, in_path=False)
    return found


def attach_to(world: World, method: Obj, customer: Obj) -> Obj:
    """Attach a payment method, which asks its bank: ApiError 402 for a card that is refused always."""
    if method["customer"] not in {None, customer["id"]}:
        raise ApiError("The payment method you provided has already been attached to a customer.")
    card = cards.Card(**method["_card"])
    if card.decline and card.number != cards.SAVED_BUT_REFUSED:
        said: Obj = cards.refusal(card.decline)
        raise ApiError(said.pop("message"), status=402, kind=said.pop("type"), code=said.pop("code"), param="", **said)
    if method["customer"] is None:
        method["customer"] = customer["id"]
        world.emit("payment_method.attached", method)
    return method


def of_customer(world: World, customer: Obj, chosen: str | None = None) -> Obj | None:
    """The method to charge: the chosen one, else the customer's default; None where there is neither."""
    name = chosen or customer["invoice_settings"]["default_payment_method"]
    method = world.store.get(name)
    return method if method and method["customer"] == customer["id"] else None


_COMMON = {"allow_redisplay", "billing_details", "customer", "metadata", "radar_options", "type"}
_TYPES = [
    name
    for name in PaymentMethodCreateParams.__annotations__
    if name in PaymentMethod.__annotations__ and name not in _COMMON
]


@operation(
    "POST /v1/payment_methods",
    PaymentMethodCreateParams,
    "type billing_details metadata allow_redisplay " + " ".join(_TYPES),
)
def create(world: World, params: Obj) -> Obj:
    """A method that belongs to nobody yet: a card by token or test number, or any other way to pay."""
    kind = params.get("type")
    if not kind:
        raise missing("type")
    given = params.get(kind) or {}
    card, year = instruments.card_of(kind, given), given.get("exp_year")
    method = make(world, card, given=given, expires=(given["exp_month"], year) if year else None)
    _write(method, params)
    return method


@operation("POST /v1/payment_methods/{id}/attach", PaymentMethodAttachParams, "customer")
def attach(world: World, params: Obj, name: str) -> Obj:
    """Attach a payment method or a test token to a customer."""
    if not params.get("customer"):
        raise missing("customer")
    customer = world.need("customer", params["customer"], "customer")
    return attach_to(world, resolve(world, name, "payment_method"), customer)


@operation("POST /v1/payment_methods/{id}/detach", PaymentMethodDetachParams, subject=KIND)
def detach(world: World, _params: Obj, method: Obj) -> Obj:
    """Take a payment method away from its customer, and from their defaults."""
    if method["customer"] is None:
        raise ApiError("The payment method you provided is not attached to a customer so detachment is impossible.")
    before, customer = snapshot(method), world.store.get(method["customer"])
    if customer and customer.get("invoice_settings", {}).get("default_payment_method") == method["id"]:
        customer["invoice_settings"]["default_payment_method"] = None
    method["customer"] = None
    world.emit("payment_method.detached", method, before)
    return method


retrieval(KIND, PaymentMethodRetrieveParams)


@operation(
    "POST /v1/payment_methods/{id}",
    PaymentMethodUpdateParams,
    "metadata billing_details card.exp_month card.exp_year allow_redisplay",
    subject=KIND,
)
def update(world: World, params: Obj, method: Obj) -> Obj:
    """Change billing details, metadata, or when the card expires."""
    before = snapshot(method)
    _write(method, params)
    if params.get("card"):
        method["card"] |= params["card"]
    world.emit("payment_method.updated", method, before)
    return method


def _write(method: Obj, params: Obj) -> None:
    method["metadata"] = merge_metadata(method["metadata"], params.get("metadata"))
    details = params.get("billing_details") or {}
    address = ADDRESS | (method["billing_details"]["address"] or {}) | (details.pop("address", None) or {})
    method["billing_details"] = {**method["billing_details"], **details, "address": address}
    if params.get("allow_redisplay"):
        method["allow_redisplay"] = params["allow_redisplay"]


@operation("GET /v1/payment_methods", PaymentMethodListParams, f"{PAGING} customer type")
def list_all(world: World, params: Obj) -> Obj:
    """Payment methods of a customer."""
    if params.get("customer"):
        world.need("customer", params["customer"], "customer")
    return page(world, KIND, params)
