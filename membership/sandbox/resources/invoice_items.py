"""Invoice items: sums that wait for the next invoice."""

from stripe.params._invoice_item_create_params import InvoiceItemCreateParams
from stripe.params._invoice_item_delete_params import InvoiceItemDeleteParams
from stripe.params._invoice_item_list_params import InvoiceItemListParams
from stripe.params._invoice_item_retrieve_params import InvoiceItemRetrieveParams

from membership.sandbox import drafts, lines
from membership.sandbox.kinds import Kind, Obj, declare
from membership.sandbox.protocol.errors import ApiError, missing, unexpected_state
from membership.sandbox.protocol.listing import PAGING, page
from membership.sandbox.protocol.reading import retrieval
from membership.sandbox.protocol.routes import operation
from membership.sandbox.world import World, merge_metadata

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
    """A pending item, with its event."""
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


@operation(
    "POST /v1/invoiceitems",
    InvoiceItemCreateParams,
    "customer amount currency description metadata invoice subscription quantity",
)
def create(world: World, params: Obj) -> Obj:
    """A sum for a customer, pending or on a draft that `invoice` names."""
    for name in ("customer", "amount"):
        if params.get(name) is None:
            raise missing(name)
    if params.get("quantity", 1) != 1:
        raise ApiError("The sandbox takes the amount of an item as a whole.", param="quantity")
    customer = world.need("customer", params["customer"], "customer")
    currency = (params.get("currency") or customer["currency"] or "eur").lower()
    sub = params.get("subscription")
    parent: Obj | None = None
    if sub:
        world.need("subscription", sub, "subscription")
        parent = {"subscription_details": {"subscription": sub}, "type": "subscription_details"}
    item = make(
        world,
        customer,
        params["amount"],
        currency,
        description=params.get("description"),
        metadata=merge_metadata({}, params.get("metadata")),
        parent=parent,
    )
    if params.get("invoice"):
        invoice = world.need("invoice", params["invoice"], "invoice")
        if invoice["status"] != "draft":
            raise unexpected_state("The invoice is final.", "invoice_not_editable")
        item["invoice"] = invoice["id"]
        drafts.put_lines(invoice, [lines.from_invoice_item(invoice["id"], item)])
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
