"""Hosted pages at Stripe: for the first payment, and for a new card."""

from typing import Any

from membership.billing.port import APP_STAMP, CardRequest, CheckoutRequest, OpenedCheckout
from membership.billing.providers.stripe import translate
from membership.billing.providers.stripe.asking import INTERVALS, StripeAsks, not_possible
from membership.billing.providers.stripe.client import is_certain, is_missing
from membership.billing.providers.stripe.currencies import to_stripe
from membership.kernel.errors import ProviderFailed
from membership.kernel.rhythm import Rhythm

# Stripe's pages know no Ukrainian; "auto" follows the reader's browser.
LOCALES = {"en": "en"}


class StripePages(StripeAsks):
    """Opening and closing pages, and using the card that one has taken."""

    def open_checkout(self, request: CheckoutRequest, idempotency_key: str) -> OpenedCheckout:
        """Open a hosted Checkout Session; makes the one product first where it is missing."""
        params = checkout_params(request, self._settings.stripe_product_id)
        try:
            session = self._create_session(params, idempotency_key)
        except ProviderFailed as failed:
            if not is_missing(failed) or "product" not in str(failed.details.get("param")):
                raise
            self.ensure_product(request.newsroom_name)
            session = self._create_session(params, f"{idempotency_key}-after-product")
        expires_at = translate.moment(session["expires_at"]) or request.expires_at
        return OpenedCheckout(session["id"], str(session["url"]), expires_at)

    def _create_session(self, params: dict[str, Any], key: str) -> dict[str, Any]:
        return self._ask(
            "checkout.sessions.create",
            lambda v1: v1.checkout.sessions.create(params=params, options={"idempotency_key": key}),
        )

    def close_checkout(self, checkout_id: str, idempotency_key: str) -> bool:
        """Expire a session; one that is not open any more is read to see how it ended."""
        try:
            self._ask(
                "checkout.sessions.expire",
                lambda v1: v1.checkout.sessions.expire(checkout_id, options={"idempotency_key": idempotency_key}),
            )
        except ProviderFailed as failed:
            if failed.outcome_unknown or failed.retryable:
                raise
            session = self._ask("checkout.sessions", lambda v1: v1.checkout.sessions.retrieve(checkout_id))
            if session.get("status") == "open":
                raise
            return session.get("status") == "expired"
        return True

    def ensure_product(self, newsroom_name: str | None = None) -> None:
        """Make the product under its fixed id; Stripe refuses a second one of that id, which is well."""
        name = product_name(newsroom_name or self._settings.newsroom_name)
        product = {"id": self._settings.stripe_product_id, "name": name}
        params = product | {"metadata": {"app": APP_STAMP}}
        try:
            self._ask("products.create", lambda v1: v1.products.create(params=params))
        except ProviderFailed as failed:
            if failed.details.get("stripe_code") != "resource_already_exists":
                raise

    # A new card

    def open_card_page(self, request: CardRequest, idempotency_key: str) -> OpenedCheckout:
        """Open a Checkout Session in setup mode for whatever the subscription's currency can be paid with."""
        currency = self._running(request.subscription_id)["currency"]
        try:
            session = self._create_session(card_page_params(request, currency), idempotency_key)
        except ProviderFailed as failed:
            if is_missing(failed):
                raise not_possible("Stripe does not know this customer any more.") from failed
            raise
        expires_at = translate.moment(session["expires_at"]) or request.expires_at
        return OpenedCheckout(session["id"], str(session["url"]), expires_at)

    def use_card(self, checkout_id: str, idempotency_key: str) -> tuple[str, ...]:
        """Make the card of a finished session the default of the customer and of their subscriptions of ours."""
        customer_id, card_id = self._card_of(checkout_id)
        self._make_default(customer_id, card_id, f"{idempotency_key}-customer")
        listed = self._ask(
            "subscriptions.list", lambda v1: v1.subscriptions.list(params={"customer": customer_id, "limit": 100})
        )
        ours = [sub["id"] for sub in listed["data"] if translate.reference_in(sub.get("metadata"))]
        for subscription_id in ours:
            self._update(subscription_id, {"default_payment_method": card_id}, f"{idempotency_key}-{subscription_id}")
        return tuple(ours)

    def _card_of(self, checkout_id: str) -> tuple[str, str]:
        """The customer and the new payment method of a finished page of ours."""
        session = self._ask(
            "checkout.sessions",
            lambda v1: v1.checkout.sessions.retrieve(checkout_id, params={"expand": ["setup_intent"]}),
        )
        customer_id = translate.id_of(session.get("customer"))
        card_id = translate.id_of((session.get("setup_intent") or {}).get("payment_method"))
        is_ours = translate.reference_in(session.get("metadata")) is not None
        if not is_ours or session.get("status") != "complete" or customer_id is None or card_id is None:
            raise not_possible("No card was taken on this page.")
        return customer_id, card_id

    def _make_default(self, customer_id: str, card_id: str, key: str) -> None:
        params: Any = {"invoice_settings": {"default_payment_method": card_id}}
        try:
            self._ask(
                "customers.update",
                lambda v1: v1.customers.update(customer_id, params=params, options={"idempotency_key": key}),
            )
        except ProviderFailed as failed:
            if is_certain(failed) and is_missing(failed):
                raise not_possible("The customer or the card is gone.") from failed
            raise


def product_name(newsroom_name: str) -> str:
    """What Stripe's pages and receipts call the one product."""
    return f"Support for {newsroom_name}"


def checkout_params(request: CheckoutRequest, product_id: str) -> dict[str, Any]:
    """The parameters of a Checkout Session for `request` (API 2026-10-28).

    Our stamp stands on the session and on what it makes, since Stripe copies metadata nowhere. Adaptive pricing
    is off: what we asked for is what is charged.
    """
    metadata = dict(request.metadata) | {"app": APP_STAMP, "reference": request.reference}
    is_once = request.rhythm is Rhythm.ONCE
    price: dict[str, Any] = {
        "currency": request.charge.currency.lower(),
        "unit_amount": to_stripe(request.charge),
        "product": product_id,
    }
    if not is_once:
        price["recurring"] = {"interval": INTERVALS[request.rhythm]}
    made = {"metadata": metadata, "description": request.description}
    params: dict[str, Any] = {
        "mode": "payment" if is_once else "subscription",
        "ui_mode": "hosted_page",
        "line_items": [{"price_data": price, "quantity": 1}],
        "client_reference_id": request.reference,
        "metadata": metadata,
        "customer_email": request.email,
        "locale": LOCALES.get(request.locale, "auto"),
        "submit_type": "pay" if is_once else "subscribe",
        "adaptive_pricing": {"enabled": False},
        "expires_at": int(request.expires_at.timestamp()),
        "success_url": request.success_url,
        "cancel_url": request.cancel_url,
        "payment_intent_data" if is_once else "subscription_data": made,
    }
    if is_once:
        params["customer_creation"] = "always"
    return params


def card_page_params(request: CardRequest, currency: str) -> dict[str, Any]:
    """The parameters of a Checkout Session that only takes a card (API 2026-10-28)."""
    metadata = {"app": APP_STAMP, "reference": request.reference, "subscription": request.subscription_id}
    return {
        "mode": "setup",
        "ui_mode": "hosted_page",
        "customer": request.customer_id,
        "currency": currency,
        "client_reference_id": request.reference,
        "metadata": metadata,
        "setup_intent_data": {"metadata": metadata},
        "locale": LOCALES.get(request.locale, "auto"),
        "expires_at": int(request.expires_at.timestamp()),
        "success_url": request.success_url,
        "cancel_url": request.cancel_url,
    }
