"""Opening a Checkout Session: what goes together, its lines, its shape."""

from typing import Any

from membership.sandbox import ways
from membership.sandbox.kinds import Obj, new_id
from membership.sandbox.protocol.errors import ApiError, missing
from membership.sandbox.resources import prices
from membership.sandbox.world import World, merge_metadata

_HALF_HOUR, _DAY = 30 * 60, 24 * 3600
_EXCLUSIVE = {"payment": "payment_intent_data", "subscription": "subscription_data", "setup": "setup_intent_data"}
_SUBMIT_TYPES = {
    "payment": {"auto", "pay", "book", "donate", "subscribe"},
    "subscription": {"auto", "donate", "subscribe"},
}


def check(world: World, params: Obj, mode: str) -> None:
    """Refuse what does not go together, as Stripe does."""
    _check_mode(params, mode)
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise ApiError("The sandbox has hosted pages only.", param="ui_mode")
    if not params.get("success_url"):
        raise missing("success_url")
    if params.get("customer") and params.get("customer_email"):
        raise ApiError(
            "You may only specify one of these parameters: customer, customer_email.",
            code="parameters_exclusive",
            param="customer_email",
        )
    expires = params.get("expires_at")
    if expires is not None and not world.now + _HALF_HOUR - 60 <= expires <= world.now + _DAY + 60:
        raise ApiError(
            "The `expires_at` timestamp must be at least 30 minutes and less than 24 hours from Checkout Session"
            " creation.",
            param="expires_at",
        )
    if (params.get("adaptive_pricing") or {}).get("enabled"):
        raise ApiError("The sandbox knows no adaptive pricing.", param="adaptive_pricing[enabled]")
    for kind in params.get("allowed_payment_method_types") or []:
        if kind not in ways.WAYS:
            raise ApiError(f"The sandbox does not know {kind}.", param="allowed_payment_method_types")


def _check_mode(params: Obj, mode: str) -> None:
    for other, name in _EXCLUSIVE.items():
        if other != mode and params.get(name):
            raise ApiError(f"You can not pass `{name}` in `{mode}` mode.", param=name)
    if params.get("customer_creation") and (mode != "payment" or params.get("customer")):
        raise ApiError(
            "`customer_creation` goes with `payment` mode and without `customer`.", param="customer_creation"
        )
    if params.get("submit_type") and params["submit_type"] not in _SUBMIT_TYPES.get(mode, set()):
        raise ApiError(f"`submit_type` {params['submit_type']} is not for `{mode}` mode.", param="submit_type")


def line(world: World, given: Obj, at: str, mode: str) -> Obj:
    """One line of what is bought, its price made or found; `at` is where it stands in the parameters."""
    price = prices.resolve(world, given, at)
    if mode == "payment" and price["recurring"]:
        raise ApiError(
            "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use"
            " only one-time prices.",
            param=at,
        )
    quantity = given.get("quantity", 1)
    if quantity < 1:
        raise ApiError("This value must be greater than or equal to 1.", param=f"{at}[quantity]")
    product, total = world.store.get(price["product"]), price["unit_amount"] * quantity
    return {
        "id": new_id("li_"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": total,
        "amount_tax": 0,
        "amount_total": total,
        "currency": price["currency"],
        "description": product["name"] if product else None,
        "price": dict(price),
        "quantity": quantity,
    }


def check_lines(params: Obj, lines: list[Obj], mode: str) -> None:
    """Refuse lines that do not fit the mode or each other."""
    if mode == "setup":
        if lines:
            raise ApiError("`line_items` is not for `setup` mode.", param="line_items")
        if not params.get("currency") and not params.get("allowed_payment_method_types"):
            raise missing("currency")
        return
    if not lines:
        raise missing("line_items")
    if len({line["currency"] for line in lines}) > 1:
        raise ApiError("All prices on a Checkout Session must have the same currency.", param="line_items")
    if mode == "subscription" and not any(line["price"]["recurring"] for line in lines):
        raise ApiError(
            "You must provide at least one recurring price in `subscription` mode when using prices.",
            param="line_items",
        )


_NOTHING = [
    "after_expiration",
    "billing_address_collection",
    "cancel_url",
    "client_reference_id",
    "client_secret",
    "consent",
    "consent_collection",
    "currency_conversion",
    "customer_account",
    "customer_creation",
    "customer_email",
    "integration_identifier",
    "invoice",
    "locale",
    "origin_context",
    "payment_intent",
    "payment_link",
    "permissions",
    "recovered_from",
    "setup_intent",
    "shipping_address_collection",
    "shipping_cost",
    "submit_type",
    "subscription",
    "wallet_options",
    "allow_promotion_codes",
]
_TAKEN_OVER = [
    "cancel_url",
    "client_reference_id",
    "customer_email",
    "locale",
    "submit_type",
    "success_url",
    "allow_promotion_codes",
    "billing_address_collection",
]


def shape(world: World, params: Obj, mode: str, customer: Obj | None, currency: str | None) -> Obj:
    """The fields of a session that is open, but for its id, address and amounts."""
    custom_text = dict.fromkeys(["after_submit", "shipping_address", "submit", "terms_of_service_acceptance"])
    creation: Any = params.get("customer_creation", "if_required") if mode == "payment" and not customer else None
    if mode == "subscription" and not customer:
        creation = "always"
    email = customer["email"] if customer else params.get("customer_email")
    tax_exempt = None if mode == "setup" else "none"
    details = dict.fromkeys(["address", "business_name", "individual_name", "name", "phone", "tax_ids"])
    return {
        **dict.fromkeys(_NOTHING),
        **{name: params.get(name) for name in _TAKEN_OVER},
        "adaptive_pricing": {"enabled": False},
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "branding_settings": {
            "background_color": "#ffffff",
            "border_style": "rounded",
            "button_color": "#0b5c4a",
            "display_name": world.settings.account_name,
            "font_family": "default",
            "icon": None,
            "logo": None,
        },
        "collected_information": {"business_name": None, "individual_name": None, "shipping_details": None},
        "custom_fields": [],
        "custom_text": custom_text | (params.get("custom_text") or {}),
        "customer": customer["id"] if customer else None,
        "customer_creation": creation,
        "customer_details": {**details, "email": email, "tax_exempt": tax_exempt} if email else None,
        "discounts": None if mode == "setup" else [],
        "expires_at": params.get("expires_at", world.now + _DAY),
        "invoice_creation": _invoice_creation() if mode == "payment" else None,
        "metadata": merge_metadata({}, params.get("metadata")),
        "mode": mode,
        "payment_method_collection": params.get(
            "payment_method_collection", "if_required" if mode == "payment" else "always"
        ),
        **_offer(world, params, mode, currency),
        "payment_status": "no_payment_required" if mode == "setup" else "unpaid",
        "phone_number_collection": {"enabled": False},
        "saved_payment_method_options": _saved(params) if customer and mode != "setup" else None,
        "shipping_options": [],
        "status": "open",
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0} if mode != "setup" else None,
        "ui_mode": "hosted_page",
    }


def _offer(world: World, params: Obj, mode: str, currency: str | None) -> Obj:
    """The ways to pay: those asked for, or those that the account has turned on."""
    asked = params.get("allowed_payment_method_types")
    types = asked or ways.for_session(world.settings.payment_methods, currency, mode)
    return {
        "payment_method_configuration_details": None if asked else ways.configuration("sandbox"),
        "payment_method_options": ways.options(types, "session"),
        "payment_method_types": types,
    }


def _saved(params: Obj) -> Obj:
    """How the page treats the methods that a known customer has saved."""
    defaults = {"allow_redisplay_filters": ["always"], "payment_method_remove": "disabled", "payment_method_save": None}
    return defaults | (params.get("saved_payment_method_options") or {})


def _invoice_creation() -> Obj:
    names = ["account_tax_ids", "custom_fields", "description", "footer", "issuer", "rendering_options"]
    return {"enabled": False, "invoice_data": {**dict.fromkeys(names), "metadata": {}}}
