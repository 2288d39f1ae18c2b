"""Invoices: the calls of the API. What an invoice goes through is in `sandbox/invoicing.py`."""

from stripe.params._invoice_create_params import InvoiceCreateParams
from stripe.params._invoice_create_preview_params import InvoiceCreatePreviewParams
from stripe.params._invoice_delete_params import InvoiceDeleteParams
from stripe.params._invoice_finalize_invoice_params import InvoiceFinalizeInvoiceParams
from stripe.params._invoice_line_item_list_params import InvoiceLineItemListParams
from stripe.params._invoice_list_params import InvoiceListParams
from stripe.params._invoice_mark_uncollectible_params import InvoiceMarkUncollectibleParams
from stripe.params._invoice_pay_params import InvoicePayParams
from stripe.params._invoice_retrieve_params import InvoiceRetrieveParams
from stripe.params._invoice_update_params import InvoiceUpdateParams
from stripe.params._invoice_void_invoice_params import InvoiceVoidInvoiceParams

from membership.sandbox import cycle, drafts, founding, invoicing, payments
from membership.sandbox.kinds import KINDS, Kind, Obj, declare, public
from membership.sandbox.protocol.errors import ApiError, missing, unexpected_state
from membership.sandbox.protocol.listing import PAGING, limit_of, list_object
from membership.sandbox.protocol.reading import listing, retrieval
from membership.sandbox.protocol.routes import operation
from membership.sandbox.resources import payment_methods, prices
from membership.sandbox.world import World, merge_metadata, snapshot


def _payments(world: World, invoice: Obj) -> Obj:
    found = world.store.find(KINDS["invoice_payment"], {"invoice": invoice["id"]}, limit=10)
    return list_object("/v1/invoice_payments", [public(payment) for payment in found])


def _secret(world: World, invoice: Obj) -> Obj | None:
    intent = world.store.get(invoice.get("_intent"))
    return {"client_secret": intent["client_secret"], "type": "payment_intent"} if intent else None


KIND = declare(
    Kind(
        "invoice",
        "in_",
        "/v1/invoices",
        "invoice",
        filters={
            "customer": "$.customer",
            "subscription": "$.parent.subscription_details.subscription",
            "status": "$.status",
            "collection_method": "$.collection_method",
        },
        indexed=("customer", "subscription"),
        lazy={"payments": _payments, "confirmation_secret": _secret},
    )
)
_ACCEPTS = (
    "metadata description footer default_payment_method auto_advance custom_fields statement_descriptor rendering"
    " payment_settings.payment_method_types"
)
_RENDERING: Obj = {"amount_tax_display": None, "pdf": {"page_size": "auto"}, "template": None, "template_version": None}


@operation(
    "POST /v1/invoices",
    InvoiceCreateParams,
    f"{_ACCEPTS} customer currency pending_invoice_items_behavior collection_method subscription",
)
def create(world: World, params: Obj) -> Obj:
    """A draft; pending items come onto it with `pending_invoice_items_behavior=include`."""
    if not params.get("customer"):
        raise missing("customer")
    if params.get("collection_method", "charge_automatically") != "charge_automatically":
        raise ApiError("The sandbox collects automatically only.", param="collection_method")
    customer = world.need("customer", params["customer"], "customer")
    sub = world.need("subscription", params["subscription"], "subscription") if params.get("subscription") else None
    pending = world.store.find(KINDS["invoiceitem"], {"customer": customer["id"], "invoice": None}, limit=1)
    known = sub["currency"] if sub else pending[0]["currency"] if pending else customer["currency"]
    currency = params.get("currency") or known or world.settings.account_currency
    since = cycle.period(sub)[0] if sub else world.now
    invoice = drafts.draft(world, customer, currency.lower(), "manual", sub=sub, period=(since, world.now))
    invoice |= {"auto_advance": False, "rendering": {**_RENDERING, "pdf": dict(_RENDERING["pdf"])}}
    _write(world, invoice, params)
    if params.get("pending_invoice_items_behavior") == "include":
        drafts.take_pending(world, invoice, sub["id"] if sub else None, only=sub is not None)
    if invoice["auto_advance"]:
        world.schedule(invoice, "advance_invoice", world.now + 3600)
        invoice["automatically_finalizes_at"] = world.now + 3600
    world.emit("invoice.created", invoice)
    return invoice


def _write(world: World, invoice: Obj, params: Obj) -> None:
    invoice["metadata"] = merge_metadata(invoice["metadata"], params.get("metadata"))
    if params.get("default_payment_method"):
        world.need("payment_method", params["default_payment_method"], "default_payment_method")
    for name in ("description", "footer", "default_payment_method", "auto_advance", "custom_fields"):
        if name in params:
            invoice[name] = None if params[name] == "" else params[name]
    if params.get("statement_descriptor"):
        invoice["statement_descriptor"] = params["statement_descriptor"]
    if params.get("rendering"):
        invoice["rendering"] = (invoice["rendering"] or _RENDERING) | params["rendering"]
    invoice["payment_settings"] = invoice["payment_settings"] | (params.get("payment_settings") or {})


retrieval(KIND, InvoiceRetrieveParams)


@operation("POST /v1/invoices/{id}", InvoiceUpdateParams, _ACCEPTS, subject=KIND)
def update(world: World, params: Obj, invoice: Obj) -> Obj:
    """Change an invoice; once it is final, only its metadata, method and auto_advance."""
    if invoice["status"] != "draft" and {"description", "footer"} & set(params):
        raise unexpected_state("Finalized invoices can't be updated in this way.", "invoice_not_editable")
    before = snapshot(invoice)
    _write(world, invoice, params)
    world.emit("invoice.updated", invoice, before)
    return invoice


@operation("POST /v1/invoices/{id}/finalize", InvoiceFinalizeInvoiceParams, "auto_advance", subject=KIND)
def finalize(world: World, _params: Obj, invoice: Obj) -> Obj:
    """Make a draft binding."""
    world.schedule(invoice, "advance_invoice", None)
    invoicing.finalize(world, invoice)
    return invoice


@operation("POST /v1/invoices/{id}/pay", InvoicePayParams, "payment_method paid_out_of_band off_session", subject=KIND)
def pay(world: World, params: Obj, invoice: Obj) -> Obj:
    """Collect an invoice now; 402 card_error where it is declined, 400 where there is no payment method."""
    if invoice["status"] == "paid":
        raise unexpected_state("Invoice is already paid", "invoice_already_paid")
    if invoice["status"] == "draft":
        invoicing.finalize(world, invoice)
        if invoice["status"] == "paid":
            return invoice
    if invoice["status"] not in {"open", "uncollectible"}:
        raise unexpected_state(f"This invoice is {invoice['status']} and cannot be paid.")
    _refuse_while_processing(world, invoice)
    if params.get("paid_out_of_band"):
        invoicing.mark_paid(world, invoice)
        return invoice
    if invoice["status"] == "open" and invoice["amount_remaining"] > 0:
        _collect(world, invoice, params)
    return invoice


def _refuse_while_processing(world: World, invoice: Obj) -> None:
    """While a debit of it is on its way, an invoice is neither withdrawn nor paid once more (frappe/press #2421)."""
    intent = world.store.get(invoice["_intent"])
    if intent is not None and intent["status"] == "processing":
        raise unexpected_state("A payment of this invoice is processing; wait for what becomes of it.")


def _collect(world: World, invoice: Obj, params: Obj) -> None:
    customer, sub = world.need("customer", invoice["customer"], "customer"), invoicing.subscription_of(world, invoice)
    chosen = params.get("payment_method") or invoice["default_payment_method"]
    if params.get("payment_method"):
        chosen = payment_methods.resolve(world, params["payment_method"], "payment_method")["id"]
        method = world.store.get(chosen)
    else:
        chosen = chosen or (sub["default_payment_method"] if sub else None)
        method = payment_methods.of_customer(world, customer, chosen)
    if method is None:
        raise no_method(customer)
    intent = world.store.get(invoice["_intent"])
    result = invoicing.attempt(world, invoice, method, on_session=params.get("off_session") is False)
    if result in {"declined", "requires_action"} and intent:
        if result == "requires_action":
            raise ApiError(
                "Payment for this invoice requires additional user action.",
                status=402,
                kind="card_error",
                code="invoice_payment_intent_requires_action",
                keeps_work=True,
            )
        raise payments.card_error(world, intent)


def no_method(customer: Obj) -> ApiError:
    """The refusal where nothing can be charged."""
    return ApiError(
        f"This customer ({customer['id']}) has no attached payment source or default payment method. Please consider"
        " adding a default payment method.",
        code="resource_missing",
    )


@operation("POST /v1/invoices/{id}/void", InvoiceVoidInvoiceParams, subject=KIND)
def void(world: World, _params: Obj, invoice: Obj) -> Obj:
    """Withdraw an open invoice."""
    if invoice["status"] not in {"open", "uncollectible"}:
        raise unexpected_state(f"You can only void open invoices; this one is {invoice['status']}.")
    _refuse_while_processing(world, invoice)
    invoicing.close(world, invoice, "void")
    return invoice


@operation("POST /v1/invoices/{id}/mark_uncollectible", InvoiceMarkUncollectibleParams, subject=KIND)
def mark_uncollectible(world: World, _params: Obj, invoice: Obj) -> Obj:
    """Give up hope for an open invoice."""
    if invoice["status"] != "open":
        raise unexpected_state(f"Only open invoices can be marked uncollectible; this one is {invoice['status']}.")
    invoicing.close(world, invoice, "uncollectible")
    return invoice


@operation("DELETE /v1/invoices/{id}", InvoiceDeleteParams, subject=KIND)
def delete(world: World, _params: Obj, invoice: Obj) -> Obj:
    """Delete a draft."""
    if invoice["status"] != "draft":
        raise unexpected_state("You can only delete draft invoices.", "invoice_not_editable")
    world.emit("invoice.deleted", invoice)
    world.store.remove(invoice)
    return {"id": invoice["id"], "object": "invoice", "deleted": True}


listing(KIND, InvoiceListParams, "customer subscription status collection_method")


@operation("GET /v1/invoices/{id}/lines", InvoiceLineItemListParams, PAGING, subject=KIND)
def list_lines(_world: World, params: Obj, invoice: Obj) -> Obj:
    """The lines of an invoice, in their order."""
    data, limit = invoice["lines"]["data"], limit_of(params)
    after = params.get("starting_after")
    start = next((i + 1 for i, line in enumerate(data) if line["id"] == after), 0)
    return list_object(invoice["lines"]["url"], data[start : start + limit], has_more=len(data) > start + limit)


@operation(
    "POST /v1/invoices/create_preview",
    InvoiceCreatePreviewParams,
    "customer subscription subscription_details.items subscription_details.proration_behavior"
    " subscription_details.proration_date subscription_details.cancel_at_period_end subscription_details.trial_end",
)
def create_preview(world: World, params: Obj) -> Obj:
    """What the next invoice of a subscription would be, after the changes that `subscription_details` describes.

    Without `subscription` it is the first invoice of one that `subscription_details` describes. Nothing is kept: the
    changes are made and taken back.
    """
    from membership.sandbox.resources import subscriptions

    changes = params.get("subscription_details") or {}
    if not params.get("subscription"):
        return _first(world, params, changes)
    sub = world.need("subscription", params["subscription"], "subscription")
    with world.store.trial():
        if changes:
            subscriptions.update(world, {**changes, "payment_behavior": "allow_incomplete"}, sub)
        return _upcoming(world, sub)


def _first(world: World, params: Obj, wanted: Obj) -> Obj:
    if not params.get("customer") or not wanted.get("items"):
        raise missing("subscription" if not wanted.get("items") else "customer")
    customer = world.need("customer", params["customer"], "customer")
    with world.store.trial():
        items = wanted["items"]
        found = [(prices.resolve(world, one, f"items[{i}]"), one.get("quantity", 1)) for i, one in enumerate(items)]
        sub = founding.found(world, customer, found, wanted, default_method=None)
        return founding.draft_first(world, sub, customer) | {"billing_reason": "upcoming"}


def _upcoming(world: World, sub: Obj) -> Obj:
    customer = world.need("customer", sub["customer"], "customer")
    ended = cycle.period(sub)
    invoice = drafts.draft(world, customer, sub["currency"], "upcoming", sub=sub, period=ended)
    cycle.set_period(world, sub, sub["_n"] + 1)
    drafts.put_lines(invoice, cycle.period_lines(world, invoice["id"], sub))
    drafts.take_pending(world, invoice, sub["id"])
    invoice |= {"created": ended[1], "next_payment_attempt": ended[1]}
    return dict(invoice)
