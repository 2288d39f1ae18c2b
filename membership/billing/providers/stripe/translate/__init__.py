"""Stripe's objects, as plain dictionaries of JSON, in our words. Pure functions; no network, no SDK objects.

They read the pinned API version, and the older shapes where a field moved (stripe.md 1.3): an object that is
read again comes in the pinned shape, but recorded and foreign ones need not.
"""

from membership.billing.providers.stripe.translate.basics import FOREIGN, Json, id_of, moment, reference_in
from membership.billing.providers.stripe.translate.checkouts import checkout
from membership.billing.providers.stripe.translate.invoices import (
    invoice,
    invoice_payment_ids,
    invoice_reference,
    subscription_id_of,
)
from membership.billing.providers.stripe.translate.payments import is_processing, payment
from membership.billing.providers.stripe.translate.reversals import outcomes, reversals, warning
from membership.billing.providers.stripe.translate.subscriptions import STATUSES, subscription

__all__ = [
    "FOREIGN",
    "STATUSES",
    "Json",
    "checkout",
    "id_of",
    "invoice",
    "invoice_payment_ids",
    "invoice_reference",
    "is_processing",
    "moment",
    "outcomes",
    "payment",
    "reference_in",
    "reversals",
    "subscription",
    "subscription_id_of",
    "warning",
]
