"""Prices: amounts, once or at an interval; also the inline `price_data` of other calls."""

from typing import Any

from stripe.params._price_create_params import PriceCreateParams
from stripe.params._price_list_params import PriceListParams
from stripe.params._price_retrieve_params import PriceRetrieveParams
from stripe.params._price_update_params import PriceUpdateParams

from membership.sandbox.kinds import Kind, Obj, declare
from membership.sandbox.protocol.errors import ApiError, missing
from membership.sandbox.protocol.reading import listing, retrieval
from membership.sandbox.protocol.routes import operation
from membership.sandbox.resources import products
from membership.sandbox.world import World, merge_metadata, snapshot

KIND = declare(
    Kind(
        "price",
        "price_",
        "/v1/prices",
        "price",
        filters={
            "active": "$.active",
            "currency": "$.currency",
            "product": "$.product",
            "type": "$.type",
            "lookup_keys": "$.lookup_key",
            "for_amount": "$._for_amount",
        },
        indexed=("product", "lookup_keys", "for_amount"),
    )
)
_ACCEPTS = (
    "currency unit_amount unit_amount_decimal active lookup_key transfer_lookup_key metadata nickname product"
    " product_data recurring.interval recurring.interval_count recurring.usage_type tax_behavior billing_scheme"
)
# What inline price data may say, wherever it may stand.
INLINE = ["currency", "unit_amount", "unit_amount_decimal", "product", "product_data", "recurring", "tax_behavior"]
_MAX_DAYS = {"day": 1095, "week": 156, "month": 36, "year": 3}


def inline_accepts(path: str) -> str:
    """The dotted names of inline price data under `path`, for `@operation`."""
    return " ".join(f"{path}.{name}" for name in INLINE)


def make(world: World, params: Obj, *, at: str = "", active: bool = True) -> Obj:
    """A new price, and its product where `product_data` is given; `at` is where the parameters stand.

    Prices made inline are not active, so that they are not offered again. ApiError 400 for a missing product,
    a missing or negative amount, and an interval longer than three years.
    """
    name = (lambda part: f"{at}[{part}]") if at else str
    product = _product(world, params, name)
    amount = _amount(params, name)
    recurring = _recurring(params.get("recurring"), name)
    price = world.add(
        KIND,
        {
            "active": params.get("active", active),
            "billing_scheme": "per_unit",
            "currency": params["currency"].lower(),
            "custom_unit_amount": None,
            "lookup_key": params.get("lookup_key"),
            "metadata": merge_metadata({}, params.get("metadata")),
            "nickname": params.get("nickname"),
            "product": product["id"],
            "recurring": recurring,
            "tax_behavior": params.get("tax_behavior", "unspecified"),
            "tiers_mode": None,
            "transform_quantity": None,
            "type": "recurring" if recurring else "one_time",
            "unit_amount": amount,
            "unit_amount_decimal": str(amount),
        },
    )
    world.emit("price.created", price)
    return price


def for_amount(world: World, amount: int, currency: str) -> Obj:
    """The price that stands behind a bare amount on an invoice: one for each amount, never active."""
    name = f"{currency}:{amount}"
    known = world.store.find(KIND, {"for_amount": name}, limit=1)
    if known:
        return known[0]
    product = {"name": "Amount on an invoice", "active": False}
    price = make(world, {"currency": currency, "unit_amount": amount, "product_data": product}, active=False)
    price["_for_amount"] = name
    return price


def _product(world: World, params: Obj, name: Any) -> Obj:
    if params.get("product_data"):
        return products.make(world, {"name": params["product_data"]["name"], **params["product_data"]})
    if not params.get("product"):
        raise missing(name("product"))
    product = world.need(products.KIND, params["product"], name("product"))
    if not product["active"]:
        raise ApiError(f"The product {product['id']} is not active.", param=name("product"))
    return product


def _amount(params: Obj, name: Any) -> int:
    amount = params.get("unit_amount")
    if amount is None and params.get("unit_amount_decimal") is not None:
        decimal = params["unit_amount_decimal"]
        if decimal != int(decimal):
            raise ApiError("The sandbox knows whole minor units only.", param=name("unit_amount_decimal"))
        amount = int(decimal)
    if amount is None:
        raise missing(name("unit_amount"))
    if amount < 0:
        raise ApiError(
            "This value must be greater than or equal to 0.",
            code="parameter_invalid_integer",
            param=name("unit_amount"),
        )
    return int(amount)


def _recurring(params: Obj | None, name: Any) -> Obj | None:
    if not params:
        return None
    interval, count = params["interval"], params.get("interval_count", 1)
    if not 1 <= count <= _MAX_DAYS[interval]:
        raise ApiError("An interval is at most three years.", param=name("recurring[interval_count]"))
    if params.get("usage_type", "licensed") != "licensed":
        raise ApiError("The sandbox has no metered prices.", param=name("recurring[usage_type]"))
    return {
        "interval": interval,
        "interval_count": count,
        "meter": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def resolve(world: World, line: Obj, at: str) -> Obj:
    """The price of a line: named by `price` (older: `plan`) or described by `price_data`; ApiError 400 otherwise."""
    if line.get("price_data"):
        return make(world, line["price_data"], at=f"{at}[price_data]", active=False)
    name = "plan" if line.get("plan") and not line.get("price") else "price"
    if not line.get(name):
        raise missing(f"{at}[price]")
    price = world.need(KIND, line[name], f"{at}[{name}]")
    if not price["active"]:
        raise ApiError(f"The price specified is inactive: {price['id']}.", param=f"{at}[price]")
    return price


@operation("POST /v1/prices", PriceCreateParams, _ACCEPTS)
def create(world: World, params: Obj) -> Obj:
    """Create a price; a `lookup_key` may move over from another price."""
    key = params.get("lookup_key")
    holder = world.store.find(KIND, {"lookup_keys": key}, limit=1) if key else []
    if holder:
        if not params.get("transfer_lookup_key"):
            raise ApiError(f"A price ({holder[0]['id']}) already uses that lookup key.", param="lookup_key")
        holder[0]["lookup_key"] = None
    return make(world, params)


retrieval(KIND, PriceRetrieveParams)


@operation("POST /v1/prices/{id}", PriceUpdateParams, "active lookup_key metadata nickname tax_behavior", subject=KIND)
def update(world: World, params: Obj, price: Obj) -> Obj:
    """Change what may change; the amount never does. Subscriptions keep the price as it was when they took it."""
    before = snapshot(price)
    price["metadata"] = merge_metadata(price["metadata"], params.pop("metadata", None))
    price.update({name: None if value == "" else value for name, value in params.items()})
    world.emit("price.updated", price, before)
    return price


listing(KIND, PriceListParams, "active currency product type lookup_keys")
