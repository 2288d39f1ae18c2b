"""Drafts of invoices: their shape, their lines and totals."""

from membership.sandbox import lines
from membership.sandbox.kinds import KINDS, Obj, new_id
from membership.sandbox.world import World

_NOTHING = [
    "account_tax_ids",
    "application",
    "automatically_finalizes_at",
    "custom_fields",
    "customer_account",
    "default_payment_method",
    "default_source",
    "description",
    "due_date",
    "effective_at",
    "ending_balance",
    "footer",
    "from_invoice",
    "hosted_invoice_url",
    "invoice_pdf",
    "last_finalization_error",
    "latest_revision",
    "next_payment_attempt",
    "number",
    "on_behalf_of",
    "parent",
    "receipt_number",
    "rendering",
    "shipping_cost",
    "shipping_details",
    "statement_descriptor",
]


def draft(
    world: World,
    customer: Obj,
    currency: str,
    reason: str,
    *,
    sub: Obj | None = None,
    period: tuple[int, int] | None = None,
) -> Obj:
    """A new invoice without lines, without its event; `reason` is its billing_reason.

    `period` is what Stripe puts on the invoice itself: of a renewal, the period that has just ended. The
    period that is paid for stands on the lines.
    """
    invoice_id = new_id("in_")
    start, end = period or (world.now, world.now)
    taken_over = {
        "customer": customer["id"],
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_shipping": customer["shipping"],
        "customer_tax_exempt": customer["tax_exempt"],
        "customer_tax_ids": [],
    }
    fields: Obj = {
        "id": invoice_id,
        **dict.fromkeys(_NOTHING),
        **taken_over,
        "account_country": "IE",
        "account_name": world.settings.account_name,
        "amount_due": 0,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_remaining": 0,
        "amount_shipping": 0,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": sub is not None,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        "billing_reason": reason,
        "collection_method": "charge_automatically",
        "currency": currency,
        "default_tax_rates": [],
        "discounts": [],
        "issuer": {"type": "self"},
        "lines": {"object": "list", "data": [], "has_more": False, "url": f"/v1/invoices/{invoice_id}/lines"},
        "metadata": {},
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "period_end": end,
        "period_start": start,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "starting_balance": 0,
        "status": "draft",
        "status_transitions": {
            "finalized_at": None,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
        "subtotal": 0,
        "subtotal_excluding_tax": 0,
        "test_clock": customer["test_clock"],
        "total": 0,
        "total_discount_amounts": [],
        "total_excluding_tax": 0,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "webhooks_delivered_at": world.now,
        "_intent": None,
        "_retries": 0,
    }
    if sub is not None:
        fields["parent"] = {
            "quote_details": None,
            "subscription_details": {"metadata": dict(sub["metadata"]), "subscription": sub["id"]},
            "type": "subscription_details",
        }
    return world.add("invoice", fields)


def put_lines(invoice: Obj, new: list[Obj]) -> None:
    """Add lines and bring the totals up to date."""
    data = invoice["lines"]["data"]
    data.extend(new)
    total = sum(line["amount"] for line in data)
    invoice |= dict.fromkeys(("subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax"), total)
    invoice |= dict.fromkeys(("amount_due", "amount_remaining"), max(total, 0))


def replace_line(invoice: Obj, new: Obj) -> None:
    """Put a line in the place of that of the same invoice item, and bring the totals up to date."""
    item = new["parent"]["invoice_item_details"]["invoice_item"]
    old = invoice["lines"]["data"]
    same = [(line["parent"]["invoice_item_details"] or {}).get("invoice_item") == item for line in old]
    invoice["lines"]["data"] = []
    changed = [new | {"id": line["id"]} if is_it else line for line, is_it in zip(old, same, strict=True)]
    put_lines(invoice, changed)


def take_pending(world: World, invoice: Obj, sub_id: str | None = None, *, only: bool = False) -> None:
    """Move the customer's pending items onto the invoice: those of the subscription and those of none.

    With `only`, those of none stay where they are.
    """
    wanted = {sub_id} if only else {None, sub_id}
    found = world.store.find(
        KINDS["invoiceitem"], {"customer": invoice["customer"], "invoice": None}, oldest_first=True
    )
    for item in found:
        owner = item["parent"]["subscription_details"]["subscription"] if item["parent"] else None
        if item["currency"] == invoice["currency"] and owner in wanted:
            item["invoice"] = invoice["id"]
            put_lines(invoice, [lines.from_invoice_item(invoice["id"], item)])
