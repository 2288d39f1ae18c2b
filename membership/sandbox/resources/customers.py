"""Customers."""

from stripe.params._customer_create_params import CustomerCreateParams
from stripe.params._customer_delete_params import CustomerDeleteParams
from stripe.params._customer_list_params import CustomerListParams
from stripe.params._customer_list_payment_methods_params import CustomerListPaymentMethodsParams
from stripe.params._customer_retrieve_params import CustomerRetrieveParams
from stripe.params._customer_retrieve_payment_method_params import CustomerRetrievePaymentMethodParams
from stripe.params._customer_update_params import CustomerUpdateParams

from membership.sandbox.kinds import KINDS, Kind, Obj, declare, new_id
from membership.sandbox.protocol.errors import no_such
from membership.sandbox.protocol.listing import PAGING, list_object, page
from membership.sandbox.protocol.reading import retrieval
from membership.sandbox.protocol.routes import operation
from membership.sandbox.world import World, merge_metadata, snapshot


def _subscriptions(world: World, customer: Obj) -> Obj:
    kind = KINDS["subscription"]
    found = world.store.find(kind, {"customer": customer["id"]}, limit=100)
    live = [sub for sub in found if sub["status"] not in {"canceled", "incomplete_expired"}]
    return list_object(f"/v1/customers/{customer['id']}/subscriptions", live[:10], has_more=len(live) > 10)  # noqa: PLR2004 - digits, months or places


KIND = declare(
    Kind(
        "customer",
        "cus_",
        "/v1/customers",
        "customer",
        filters={"email": "$.email", "test_clock": "$.test_clock", "deleted": "$.deleted"},
        indexed=("email", "test_clock"),
        lazy={
            "subscriptions": _subscriptions,
            "sources": lambda _, c: list_object(f"/v1/customers/{c['id']}/sources", []),
            "tax_ids": lambda _, c: list_object(f"/v1/customers/{c['id']}/tax_ids", []),
            "invoice_credit_balance": lambda _world, _customer: {},
            "tax": lambda _world, _customer: {
                "automatic_tax": "unrecognized_location",
                "ip_address": None,
                "location": None,
                "provider": "stripe",
            },
        },
    )
)
_PLAIN = (
    "email name phone description address shipping preferred_locales invoice_prefix next_invoice_sequence tax_exempt"
    " balance business_name individual_name"
)
_ACCEPTS = (
    _PLAIN + " metadata invoice_settings.default_payment_method invoice_settings.custom_fields invoice_settings.footer"
)


def make(world: World, fields: Obj) -> Obj:
    """A new customer with the given fields and Stripe's defaults, with its event."""
    nothing = dict.fromkeys(
        [
            "address",
            "currency",
            "customer_account",
            "default_source",
            "description",
            "discount",
            "email",
            "name",
            "phone",
            "shipping",
            "test_clock",
        ]
    )
    customer = world.add(
        KIND,
        {
            **nothing,
            "balance": 0,
            "delinquent": False,
            "invoice_prefix": new_id("", 8).upper(),
            "invoice_settings": {
                "custom_fields": None,
                "default_payment_method": None,
                "footer": None,
                "rendering_options": None,
            },
            "metadata": {},
            "next_invoice_sequence": 1,
            "preferred_locales": [],
            "tax_exempt": "none",
            **fields,
        },
        id_length=14,
    )
    world.emit("customer.created", customer)
    return customer


@operation("POST /v1/customers", CustomerCreateParams, f"{_ACCEPTS} payment_method test_clock")
def create(world: World, params: Obj) -> Obj:
    """Create a customer, on a test clock if one is named, with a payment method attached if one is named."""
    from membership.sandbox.resources import payment_methods

    clock = params.get("test_clock")
    if clock:
        world.follow({"test_clock": world.need("test_helpers.test_clock", clock, "test_clock")["id"]})
    method = params.pop("payment_method", None)
    settings = params.pop("invoice_settings", None) or {}
    fields = {name: value or None for name, value in params.items() if name != "metadata"}
    fields |= {"preferred_locales": params.get("preferred_locales") or [], "balance": params.get("balance", 0)}
    customer = make(world, fields | {"metadata": merge_metadata({}, params.get("metadata"))})
    if method:
        payment_methods.attach_to(world, payment_methods.resolve(world, method, "payment_method"), customer)
    _set_invoice_settings(world, customer, settings)
    return customer


retrieval(KIND, CustomerRetrieveParams)


@operation("POST /v1/customers/{id}", CustomerUpdateParams, _ACCEPTS, subject=KIND)
def update(world: World, params: Obj, customer: Obj) -> Obj:
    """Change a customer; an empty string clears a field."""
    world.need(KIND, customer["id"], "id")
    before = snapshot(customer)
    _set_invoice_settings(world, customer, params.pop("invoice_settings", None) or {})
    customer["metadata"] = merge_metadata(customer["metadata"], params.pop("metadata", None))
    customer.update({name: None if value in {"", None} else value for name, value in params.items()})
    world.emit("customer.updated", customer, before)
    return customer


def _set_invoice_settings(world: World, customer: Obj, settings: Obj) -> None:
    method = settings.get("default_payment_method")
    if method:
        param = "invoice_settings[default_payment_method]"
        found = world.need("payment_method", method, param)
        if found["customer"] != customer["id"]:
            from membership.sandbox.protocol.errors import ApiError

            raise ApiError(
                f"The customer does not have a payment method with the ID {method}. The payment method must be"
                " attached to the customer.",
                code="resource_missing",
                param=param,
            )
    customer["invoice_settings"] = customer["invoice_settings"] | {k: v or None for k, v in settings.items()}


@operation("DELETE /v1/customers/{id}", CustomerDeleteParams, subject=KIND)
def delete(world: World, _params: Obj, customer: Obj) -> Obj:
    """Delete a customer for good; live subscriptions are cancelled at once, as at Stripe."""
    from membership.sandbox import cycle

    world.need(KIND, customer["id"], "id")
    for sub in world.store.find(KINDS["subscription"], {"customer": customer["id"]}):
        if sub["status"] not in {"canceled", "incomplete_expired"}:
            cycle.end(world, sub, "canceled", reason="cancellation_requested")
    world.emit("customer.deleted", customer)
    kept = {"id": customer["id"], "object": "customer", "deleted": True}
    customer.clear()
    customer.update(kept)
    return customer


@operation("GET /v1/customers", CustomerListParams, f"{PAGING} email test_clock")
def list_all(world: World, params: Obj) -> Obj:
    """Customers, newest first; deleted ones are left out, and those on a test clock unless it is named."""
    return page(world, KIND, params, {"deleted": None, "test_clock": params.get("test_clock")})


@operation("GET /v1/customers/{id}/payment_methods/{method}", CustomerRetrievePaymentMethodParams, subject=KIND)
def retrieve_payment_method(world: World, _params: Obj, customer: Obj, method: str) -> Obj:
    """One payment method of a customer; 404 for another's."""
    found = world.need("payment_method", method, "payment_method", in_path=True)
    if found["customer"] != customer["id"]:
        raise no_such(KINDS["payment_method"].label, method, param="payment_method")
    return found


@operation("GET /v1/customers/{id}/payment_methods", CustomerListPaymentMethodsParams, f"{PAGING} type", subject=KIND)
def list_payment_methods(world: World, params: Obj, customer: Obj) -> Obj:
    """The payment methods attached to a customer."""
    return page(world, KINDS["payment_method"], params, {"customer": customer["id"]})
