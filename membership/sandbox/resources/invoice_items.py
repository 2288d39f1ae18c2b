"""Invoice items: sums that wait for the next invoice."""

from stripe.params._invoice_item_create_params import InvoiceItemCreateParams
from stripe.params._invoice_item_delete_params import InvoiceItemDeleteParams
from stripe.params._invoice_item_list_params import InvoiceItemListParams
from stripe.params._invoice_item_retrieve_params import InvoiceItemRetrieveParams
from stripe.params._invoice_item_update_params import InvoiceItemUpdateParams

from membership.sandbox import drafts, lines
from membership.sandbox.kinds import Kind, Obj, declare
from membership.sandbox.protocol.errors import ApiError, missing, unexpected_state
from membership.sandbox.protocol.listing import PAGING, page
from membership.sandbox.protocol.reading import retrieval
from membership.sandbox.protocol.routes import operation
from membership.sandbox.resources import prices
from membership.sandbox.world import World, merge_metadata, snapshot

KIND = declare(
    Kind(
        "invoiceitem",
        "ii_",
        "/v1/invoiceitems",
        "invoice item",
        filters={"customer": "$.customer", "invoice": "$.invoice"},
        indexed=("customer", "invoice"),
    )
)


def make(world: World, customer: Obj, amount: int, currency: str, **more: object) -> Obj:
    """A pending item, with its event; `more` are further fields, such as the price that it comes from."""
    if "pricing" not in more and amount >= 0:
        more["pricing"] = lines.pricing(prices.for_amount(world, amount, currency))
    item = world.add(
        KIND,
        {
            "amount": amount,
            "currency": currency,
            "customer": customer["id"],
            "customer_account": None,
            "date": world.now,
            "description": None,
            "discountable": amount >= 0,
            "discounts": [],
            "invoice": None,
            "metadata": {},
            "net_amount": amount,
            "parent": None,
            "period": {"end": world.now, "start": world.now},
            "pricing": None,
            "proration": False,
            "quantity": 1,
            "quantity_decimal": "1",
            "tax_rates": [],
            "test_clock": customer["test_clock"],
            **more,
        },
    )
    del item["created"]
    world.emit("invoiceitem.created", item)
    return item


_ACCEPTS = "amount description metadata quantity period discountable pricing.price tax_behavior unit_amount_decimal"


@operation(
    "POST /v1/invoiceitems",
    InvoiceItemCreateParams,
    f"{_ACCEPTS} customer currency invoice subscription " + prices.inline_accepts("price_data"),
)
def create(world: World, params: Obj) -> Obj:
    """A sum or a price for a customer, pending or on a draft that `invoice` names."""
    if not params.get("customer"):
        raise missing("customer")
    customer = world.need("customer", params["customer"], "customer")
    amount, currency, priced = _worth(world, params, customer)
    sub = params.get("subscription")
    if sub:
        world.need("subscription", sub, "subscription")
    parent: Obj = {"subscription_details": {"subscription": sub}, "type": "subscription_details"}
    period = params.get("period") or {"end": world.now, "start": world.now}
    item = make(
        world,
        customer,
        amount,
        currency,
        **priced,
        description=params.get("description"),
        discountable=params.get("discountable", amount >= 0),
        metadata=merge_metadata({}, params.get("metadata")),
        parent=parent if sub else None,
        period={"end": period["end"], "start": period["start"]},
    )
    if params.get("invoice"):
        put_on(item, world.need("invoice", params["invoice"], "invoice"))
    return item


def put_on(item: Obj, invoice: Obj) -> None:
    """Move a pending item onto a draft; ApiError 400 where the invoice is final."""
    if invoice["status"] != "draft":
        raise unexpected_state("The invoice is final.", "invoice_not_editable")
    item["invoice"] = invoice["id"]
    drafts.put_lines(invoice, [lines.from_invoice_item(invoice["id"], item)])


def _worth(world: World, params: Obj, customer: Obj) -> tuple[int, str, Obj]:
    """What an item costs, in which currency, and the fields that say where that comes from."""
    quantity = params.get("quantity", 1)
    named = {"price": (params.get("pricing") or {}).get("price"), "price_data": params.get("price_data")}
    counted = {"quantity": quantity, "quantity_decimal": str(quantity)}
    if named["price"] or named["price_data"]:
        price = prices.resolve(world, named, "pricing")
        return price["unit_amount"] * quantity, price["currency"], {"pricing": lines.pricing(price), **counted}
    if params.get("amount") is None and params.get("unit_amount_decimal") is None:
        raise missing("amount")
    draft = world.store.get(params.get("invoice"))
    known = draft["currency"] if draft else customer["currency"] or world.settings.account_currency
    currency = (params.get("currency") or known).lower()
    if params.get("amount") is not None:
        if quantity != 1:
            raise ApiError("You may only specify one of these parameters: amount, quantity.", param="quantity")
        return params["amount"], currency, counted
    each = int(params["unit_amount_decimal"])
    return each * quantity, currency, {"pricing": lines.pricing(prices.for_amount(world, each, currency)), **counted}


@operation("POST /v1/invoiceitems/{id}", InvoiceItemUpdateParams, "amount description metadata period", subject=KIND)
def update(world: World, params: Obj, item: Obj) -> Obj:
    """Change an item; one on a final invoice keeps everything but its metadata."""
    invoice = world.store.get(item["invoice"])
    if invoice and invoice["status"] != "draft" and set(params) - {"metadata"}:
        raise unexpected_state("The item is on an invoice that is final.", "invoice_not_editable")
    before = snapshot(item)
    item["metadata"] = merge_metadata(item["metadata"], params.pop("metadata", None))
    if params.get("amount") is not None:
        item |= {"net_amount": params["amount"], "pricing": None}
        if params["amount"] >= 0:
            item["pricing"] = lines.pricing(prices.for_amount(world, params["amount"], item["currency"]))
    item.update({name: None if value == "" else value for name, value in params.items()})
    if invoice and snapshot(item) != before:
        drafts.replace_line(invoice, lines.from_invoice_item(invoice["id"], item))
    return item


retrieval(KIND, InvoiceItemRetrieveParams)


@operation("DELETE /v1/invoiceitems/{id}", InvoiceItemDeleteParams, subject=KIND)
def delete(world: World, _params: Obj, item: Obj) -> Obj:
    """Delete an item that is on no invoice."""
    if item["invoice"]:
        raise unexpected_state("The item is on an invoice already.", "invoice_not_editable")
    world.emit("invoiceitem.deleted", item)
    world.store.remove(item)
    return {"id": item["id"], "object": "invoiceitem", "deleted": True}


@operation("GET /v1/invoiceitems", InvoiceItemListParams, f"{PAGING} customer invoice pending")
def list_all(world: World, params: Obj) -> Obj:
    """Items, newest first."""
    pending = params.pop("pending", None)
    return page(world, KIND, params, {"invoice": None} if pending else None)
