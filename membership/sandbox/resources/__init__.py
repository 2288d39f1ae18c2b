"""One file for each kind of object: its shape, its calls, and what it does when its time comes."""

from importlib import import_module

_FILES = [
    "customers",
    "products",
    "prices",
    "payment_methods",
    "payment_intents",
    "setup_intents",
    "charges",
    "balance_transactions",
    "refunds",
    "disputes",
    "early_fraud_warnings",
    "invoices",
    "invoice_items",
    "invoice_payments",
    "subscriptions",
    "subscription_items",
    "checkout_sessions",
    "billing_portal",
    "events",
    "webhook_endpoints",
    "test_clocks",
    "payouts",
]


def load() -> None:
    """Register all kinds, calls and tasks; more than once does nothing more."""
    for name in _FILES:
        import_module(f"{__name__}.{name}")
