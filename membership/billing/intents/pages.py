"""Hosted payment pages: opened once per wish, and closed once and for all."""

from membership.billing.intents import rows
from membership.billing.intents.kinds import freeze
from membership.billing.models import ProviderIntent
from membership.billing.port import CheckoutRequest, OpenedCheckout


def open_checkout(request: CheckoutRequest, attempt_key: str) -> OpenedCheckout:
    """Open the hosted page for `request`, once per `attempt_key`.

    Asked again with the same key (double click, second tab, after a crash) it gives the same page, or repeats
    the request so that the provider cannot do it twice. After a refusal, and after a page was closed, it asks
    anew. Only who, what for and how much must agree with the first time; a repetition uses the first words.

    Raises Conflict where the key belongs to another request, ProviderFailed where no page came of it: nothing
    was charged, and asking again is safe.
    """
    return opened_page(rows.ask("open_checkout", attempt_key, freeze(request), reference=request.reference))


def close_checkout(checkout_id: str) -> bool:
    """Close a hosted page: True once nobody can pay there any more, False if somebody already has.

    Raises ProviderFailed where that could not be found out.
    """
    return rows.ask("close_checkout", checkout_id, {"checkout_id": checkout_id}).closed_at is not None


def opened_page(intent: ProviderIntent) -> OpenedCheckout:
    """The page that an answered intent opened."""
    if intent.provider_id is None or intent.url is None or intent.expires_at is None:
        raise RuntimeError(f"Intent {intent.id} is {intent.state} without a page.")
    return OpenedCheckout(intent.provider_id, intent.url, intent.expires_at)
