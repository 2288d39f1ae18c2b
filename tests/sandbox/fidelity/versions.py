"""Where recordings and sandbox differ on purpose, each with its reason, once.

Most recordings are older than the version that the SDK speaks (and the sandbox with it).
"""

# Fields that came with a version: recordings of earlier ones lack them. Of some only the first version in which they
# were seen is known (Stripe's own fixtures are of 2026-07-29).
ADDED = {
    "customer.customer_account": "2026-03-25",
    "customer.tax.provider": "2025-03-31",
    "invoice.automatic_tax.provider": "2025-03-31",
    "invoice.customer_account": "2026-03-25",
    "invoiceitem.customer_account": "2026-03-25",
    "invoiceitem.net_amount": "2026-07-29",
    "invoiceitem.quantity_decimal": "2026-03-25",
    "line_item.quantity_decimal": "2026-03-25",
    "line_item.subtotal": "2026-03-25",
    "payment_intent.customer_account": "2026-03-25",
    "payment_intent.payment_method_options.us_bank_account.transaction_purpose": "2026-03-25",
    "payment_method.customer_account": "2026-03-25",
    "refund.customer_account": "2026-03-25",
    "setup_intent.customer_account": "2026-03-25",
    "subscription.billing_schedules": "2026-07-29",
    "subscription.customer_account": "2026-03-25",
    "subscription.status_details": "2026-09-30",
}

# Fields that went with a version: recordings of earlier ones have them.
REMOVED = {
    "invoice.application_fee_amount": "2025-03-31",
    "invoice.charge": "2025-03-31",
    "invoice.discount": "2025-03-31",
    "invoice.paid": "2025-03-31",
    "invoice.paid_out_of_band": "2025-03-31",
    "invoice.payment_intent": "2025-03-31",
    "invoice.quote": "2025-03-31",
    "invoice.subscription": "2025-03-31",
    "invoice.subscription_details": "2025-03-31",
    "invoice.tax": "2025-03-31",
    "invoice.total_tax_amounts": "2025-03-31",
    "invoice.transfer_data": "2025-03-31",
    "line_item.amount_excluding_tax": "2025-03-31",
    "line_item.invoice_item": "2025-03-31",
    "line_item.plan": "2025-03-31",
    "line_item.price": "2025-03-31",
    "line_item.proration": "2025-03-31",
    "line_item.proration_details": "2025-03-31",
    "line_item.subscription": "2025-03-31",
    "line_item.tax_amounts": "2025-03-31",
    "line_item.tax_rates": "2025-03-31",
    "line_item.type": "2025-03-31",
    "line_item.unit_amount_excluding_tax": "2025-03-31",
}

# Fields that Stripe answers and the SDK's annotations of the pinned version do not have: the sandbox keeps to the SDK.
NOT_IN_THE_SDK = {
    "charge.destination",
    "charge.dispute",
    "charge.order",
    "list.total_count",
    "subscription.plan",
    "subscription.quantity",
}

# Parameters that have another name in the pinned version: (address, old name) to new name.
RENAMED_PARAMETERS = {
    ("/v1/checkout/sessions", "payment_method_types"): "allowed_payment_method_types",
    ("/v1/payment_intents", "payment_method_types"): "allowed_payment_method_types",
    ("/v1/setup_intents", "payment_method_types"): "allowed_payment_method_types",
}

# Parameters without which a request is replayed, so that what follows it has something to stand on.
LEFT_OUT = ("discounts",)


def explained(place, what, version):
    """Whether one of the tables says why an answer of that version differs there."""
    if place in NOT_IN_THE_SDK:
        return what.startswith("is missing")
    if place in ADDED:
        return what.startswith("is not Stripe's") and version < ADDED[place]
    return place in REMOVED and what.startswith("is missing") and version < REMOVED[place]
