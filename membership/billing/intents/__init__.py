"""What we ask the provider to do: written down before it is asked, with a key that makes it happen once.

Between any two steps the process may die. Before `sent` is committed nothing was asked; after it, the sweeper
repeats the request with the same key, which the provider answers with what it did the first time
(brandur.org/idempotency-keys; Stripe's "Idempotent requests", API 2026-10-28).

`kinds`: what can be asked, and how. `rows`: the intents themselves. `pages`: hosted pages that open and close.
`sweeping`: what was sent and never answered. What is asked about running support stands in `billing/asks.py`.
"""

from membership.billing.intents.pages import close_checkout, open_checkout
from membership.billing.intents.sweeping import finish_open, forget_results

__all__ = ["close_checkout", "finish_open", "forget_results", "open_checkout"]
