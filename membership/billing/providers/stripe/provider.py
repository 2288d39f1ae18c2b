"""Stripe as a payment provider: our questions in its words, its answers in ours."""

from datetime import datetime
from typing import Any

import structlog

from membership.billing.port import (
    APP_STAMP,
    CheckoutRequest,
    Diagnosis,
    Notice,
    ObjectKind,
    ObjectRef,
    OpenedCheckout,
    Reading,
)
from membership.billing.providers.stripe import notices, translate
from membership.billing.providers.stripe.client import Calls, is_missing
from membership.billing.providers.stripe.currencies import to_stripe
from membership.billing.providers.stripe.diagnosis import diagnose
from membership.billing.providers.stripe.listing import StripeLists
from membership.config import Settings
from membership.kernel import clock
from membership.kernel.errors import ProviderFailed
from membership.kernel.rhythm import Rhythm

log = structlog.get_logger(__name__)

# Stripe's pages know no Ukrainian; "auto" follows the reader's browser.
LOCALES = {"en": "en"}
INTERVALS = {Rhythm.MONTHLY: "month", Rhythm.YEARLY: "year"}


class StripeProvider(StripeLists):
    """Satisfies `billing.port.PaymentProvider`."""

    name = "stripe"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._calls = Calls(settings)

    # Hosted pages

    def open_checkout(self, request: CheckoutRequest, idempotency_key: str) -> OpenedCheckout:
        """Open a hosted Checkout Session; makes the one product first where it is missing."""
        params = checkout_params(request, self._settings.stripe_product_id)
        try:
            session = self._create_session(params, idempotency_key)
        except ProviderFailed as failed:
            if not is_missing(failed) or "product" not in str(failed.details.get("param")):
                raise
            self.ensure_product()
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

    def ensure_product(self) -> None:
        """Make the product under its fixed id; Stripe refuses a second one of that id, which is well."""
        product = {"id": self._settings.stripe_product_id, "name": f"Support for {self._settings.newsroom_name}"}
        params = product | {"metadata": {"app": APP_STAMP}}
        try:
            self._ask("products.create", lambda v1: v1.products.create(params=params))
        except ProviderFailed as failed:
            if failed.details.get("stripe_code") != "resource_already_exists":
                raise

    # Reading

    def read(self, ref: ObjectRef) -> Reading:
        """Fetch the object, and what belongs to it, in the pinned version."""
        try:
            match ref.kind:
                case ObjectKind.CHECKOUT:
                    return translate.checkout(
                        self._ask("checkout.sessions", lambda v1: v1.checkout.sessions.retrieve(ref.id))
                    )
                case ObjectKind.SUBSCRIPTION:
                    return translate.subscription(
                        self._ask("subscriptions", lambda v1: v1.subscriptions.retrieve(ref.id))
                    )
                case ObjectKind.INVOICE:
                    return self._read_invoice(ref.id)
                case ObjectKind.PAYMENT:
                    return self._read_payment(ref.id)
                case ObjectKind.CHARGE:
                    return self._read_charge(ref.id)
        except ProviderFailed as failed:
            if is_missing(failed):
                return Reading(is_found=False)
            raise

    def _invoice(self, invoice_id: str) -> dict[str, Any]:
        return self._ask("invoices", lambda v1: v1.invoices.retrieve(invoice_id, params={"expand": ["payments"]}))

    def _payment_intent(self, payment_id: str) -> dict[str, Any]:
        params = {"expand": ["latest_charge.balance_transaction"]}
        return self._ask("payment_intents", lambda v1: v1.payment_intents.retrieve(payment_id, params=params))

    def _read_invoice(self, invoice_id: str) -> Reading:
        invoice = self._invoice(invoice_id)
        if translate.invoice_reference(invoice) is None:
            return translate.FOREIGN
        payments = [self._payment_intent(payment_id) for payment_id in translate.invoice_payment_ids(invoice)]
        return translate.invoice(invoice, payments)

    def _read_payment(self, payment_id: str) -> Reading:
        """One-time payments carry our stamp; those of an invoice are read through it."""
        intent = self._payment_intent(payment_id)
        reading = translate.payment(intent)
        if reading.is_ours:
            return reading
        invoice_id = self._invoice_of(payment_id)
        if invoice_id is None or translate.invoice_reference(self._invoice(invoice_id)) is None:
            return translate.FOREIGN
        return Reading(related=(ObjectRef(ObjectKind.INVOICE, invoice_id),))

    def _invoice_of(self, payment_id: str) -> str | None:
        params = {"payment": {"type": "payment_intent", "payment_intent": payment_id}, "limit": 1}
        found = self._ask("invoice_payments", lambda v1: v1.invoice_payments.list(params=params))
        return next((translate.id_of(row.get("invoice")) for row in found["data"]), None)

    def _read_charge(self, charge_id: str) -> Reading:
        """What left again of a charge. The payment it belongs to must be booked first."""
        charge = self._ask("charges", lambda v1: v1.charges.retrieve(charge_id))
        payment_id = translate.id_of(charge.get("payment_intent"))
        if payment_id is None:
            return translate.FOREIGN
        of_payment = self._read_payment(payment_id)
        if not of_payment.is_ours:
            return translate.FOREIGN
        paid = of_payment.related[0] if of_payment.related else ObjectRef(ObjectKind.PAYMENT, payment_id)
        return Reading(facts=self._reversals(charge, paid.id), related=(paid,))

    def _reversals(self, charge: dict[str, Any], payment_id: str) -> tuple[Any, ...]:
        by_charge = {"charge": charge["id"], "limit": 100}
        refunds = self._ask("refunds", lambda v1: v1.refunds.list(params=by_charge))["data"]
        disputes = []
        if charge.get("disputed"):
            disputes = self._ask("disputes", lambda v1: v1.disputes.list(params=by_charge))["data"]
        return translate.reversals(payment_id, refunds, disputes)

    # Notices, books, health

    def open_notice(self, raw: bytes, signature: str, at: datetime) -> Notice:
        """Check and open a webhook body; see `notices.open_notice`."""
        secrets = (secret.get_secret_value() for secret in self._settings.stripe_webhook_secret)
        return notices.open_notice(raw, signature, at, secrets, is_live=self._settings.is_live)

    def diagnose(self) -> list[Diagnosis]:
        """Key, webhook endpoint and clock, as sentences."""
        return diagnose(self._calls, self._settings, clock.real_now)

    def _ask(self, endpoint: str, question: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._calls.ask(endpoint, question).to_dict()
        return answer


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
