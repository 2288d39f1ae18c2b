"""Which permissions a restricted key needs, and a harmless call that shows whether it has them.

A call for a thing that does not exist is refused before it does anything: with 403 where the key may not, with 404 or
400 where it may (docs.stripe.com/keys, restricted keys; API 2026-10-28).
"""

from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

from membership.billing.providers.stripe.caller import StripeCaller
from membership.billing.providers.stripe.setup import Mark, Step
from membership.kernel.errors import ProviderFailed

NOTHING = "membership_probe"
ONE: Any = {"limit": 1}

# The permission as the dashboard names it, what it is for, and the call that needs it.
SCOPES: tuple[tuple[str, str, Callable[[Any], Any]], ...] = (
    ("Products: write", "the one product", lambda v1: v1.products.update(f"prod_{NOTHING}", params={"active": True})),
    ("Checkout Sessions: write", "payment pages", lambda v1: v1.checkout.sessions.expire(f"cs_test_{NOTHING}")),
    (
        "Customers: write",
        "new cards, erasure",
        lambda v1: v1.customers.update(f"cus_{NOTHING}", params={"metadata": {}}),
    ),
    (
        "Subscriptions: write",
        "other terms, pauses, ends",
        lambda v1: v1.subscriptions.update(f"sub_{NOTHING}", params={"metadata": {}}),
    ),
    ("Invoices: write", "failed payments tried again", lambda v1: v1.invoices.pay(f"in_{NOTHING}")),
    ("PaymentIntents: read", "payments and their fees", lambda v1: v1.payment_intents.retrieve(f"pi_{NOTHING}")),
    ("SetupIntents: read", "new cards", lambda v1: v1.setup_intents.retrieve(f"seti_{NOTHING}")),
    ("PaymentMethods: read", "which card is in use", lambda v1: v1.payment_methods.retrieve(f"pm_{NOTHING}")),
    (
        "Charges and Refunds: write",
        "money given back",
        lambda v1: v1.refunds.update(f"re_{NOTHING}", params={"metadata": {}}),
    ),
    ("Disputes: read", "money taken back", lambda v1: v1.disputes.list(params=ONE)),
    ("Balance transactions: read", "fees", lambda v1: v1.balance_transactions.list(params=ONE)),
    ("Radar: read", "warnings of fraud", lambda v1: v1.radar.early_fraud_warnings.list(params=ONE)),
    ("Events: read", "notices that did not arrive", lambda v1: v1.events.list(params=ONE)),
    (
        "Customer portal: write",
        "the portal",
        lambda v1: v1.billing_portal.configurations.update(f"bpc_{NOTHING}", params={"metadata": {}}),
    ),
    (
        "Webhook Endpoints: write",
        "this command",
        lambda v1: v1.webhook_endpoints.update(f"we_{NOTHING}", params={"metadata": {}}),
    ),
)


class StripeScopes(StripeCaller):
    """Tries every permission of the key in use."""

    def steps(self) -> Iterator[Step]:
        """One step where all are there, else one for each that is missing. Raises ProviderFailed as `_ask` does."""
        missing = [(name, use) for name, use, call in SCOPES if not self._may(call)]
        if not missing:
            yield Step(Mark.FINE, f"The key may do all that is needed ({len(SCOPES)} permissions).")
        for name, use in missing:
            yield Step(
                Mark.PROBLEM,
                f"The key lacks the permission {name} (for {use}).",
                "Give it to the restricted key in Stripe's dashboard under Developers, API keys.",
            )

    def _may(self, call: Callable[[Any], Any]) -> bool:
        try:
            self._ask("scopes", call)
        except ProviderFailed as failed:
            if failed.details.get("status") == HTTPStatus.FORBIDDEN:
                return False
            if failed.retryable or failed.code == "provider_refuses_key":
                raise
        return True
