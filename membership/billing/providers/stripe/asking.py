"""Asks about subscriptions that run: other terms, pauses, ends, and a new try of an open invoice.

Every change carries the caller's idempotency key. Where the words depend on how things stand at Stripe, they are the
same when the ask is repeated, or the key differs with them; else Stripe would refuse the repetition.
"""

from datetime import datetime
from typing import Any

import structlog

from membership.billing.port import PayOutcome
from membership.billing.providers.stripe.caller import StripeCaller
from membership.billing.providers.stripe.client import is_certain, is_missing
from membership.billing.providers.stripe.currencies import to_stripe
from membership.kernel.errors import Conflict, ProviderFailed
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm

log = structlog.get_logger(__name__)

INTERVALS = {Rhythm.MONTHLY: "month", Rhythm.YEARLY: "year"}
ENDED = frozenset({"canceled", "incomplete_expired"})
# In these nothing is owed, so that a new rhythm can wait for the end of the period.
IN_ORDER = frozenset({"active", "trialing"})
NEEDS_PAYER = frozenset(
    {"authentication_required", "invoice_payment_intent_requires_action", "payment_intent_authentication_failure"}
)
PAYMENT_REQUIRED = 402


def not_possible(message: str) -> Conflict:
    """What Stripe's state does not allow."""
    return Conflict("not_possible_now", message)


class StripeAsks(StripeCaller):
    """Satisfies the asks of `billing.port.PaymentProvider` about running support."""

    def change(self, subscription_id: str, charge: Money, rhythm: Rhythm, idempotency_key: str) -> None:
        """New terms from the next invoice on, without proration.

        Another interval would begin, and be charged, at once. A trial until the end of the paid period puts that
        off: Stripe then calls the subscription "trialing" and makes an invoice of zero.
        """
        sub = self._running(subscription_id)
        params = self._terms(sub, charge, rhythm)
        if params is not None:
            self._update(subscription_id, params, idempotency_key)

    def _terms(self, sub: dict[str, Any], charge: Money, rhythm: Rhythm) -> dict[str, Any] | None:
        """The parameters of that update; None where these are the terms already (a repetition)."""
        items, currency = sub["items"]["data"], charge.currency.lower()
        if len(items) != 1 or sub["currency"] != currency or rhythm not in INTERVALS:
            raise not_possible("This support cannot be changed to these terms.")
        [item] = items
        now, wanted = item["price"], {"interval": INTERVALS[rhythm], "interval_count": 1}
        is_same_rhythm = {name: now["recurring"][name] for name in wanted} == wanted
        if is_same_rhythm and (now["unit_amount"], item.get("quantity", 1)) == (to_stripe(charge), 1):
            return None
        price = {
            "currency": currency,
            "unit_amount": to_stripe(charge),
            "product": self._settings.stripe_product_id,
            "recurring": wanted,
        }
        params: dict[str, Any] = {
            "items": [{"id": item["id"], "price_data": price, "quantity": 1}],
            "proration_behavior": "none",
        }
        if not is_same_rhythm:
            if sub["status"] not in IN_ORDER:
                raise not_possible("The rhythm can change once nothing is owed.")
            params["trial_end"] = item["current_period_end"]
        return params

    def pause(self, subscription_id: str, until: datetime, idempotency_key: str) -> None:
        """Void the invoices until then; Stripe goes on by itself."""
        pause = {"behavior": "void", "resumes_at": int(until.timestamp())}
        self._update(subscription_id, {"pause_collection": pause}, idempotency_key)

    def resume(self, subscription_id: str, idempotency_key: str) -> None:
        """End both kinds of pause; one on demand goes on in its own period, or in a new one where that is over."""
        sub = self._running(subscription_id)
        if sub["status"] == "paused":
            self._resume_paused(subscription_id, f"{idempotency_key}-resume")
        if sub.get("pause_collection"):
            self._update(subscription_id, {"pause_collection": ""}, f"{idempotency_key}-collect")

    def _resume_paused(self, subscription_id: str, key: str) -> None:
        params: Any = {"billing_cycle_anchor": {"type": "unchanged"}, "proration_behavior": "none"}
        try:
            self._ask(
                "subscriptions.resume",
                lambda v1: v1.subscriptions.resume(subscription_id, params=params, options={"idempotency_key": key}),
            )
        except ProviderFailed as failed:
            if is_certain(failed) and self._subscription(subscription_id)["status"] == "paused":
                raise not_possible("Stripe did not resume this support.") from failed
            if not is_certain(failed):
                raise

    def cancel(self, subscription_id: str, idempotency_key: str) -> None:
        """End with the period that is paid."""
        self._update(subscription_id, {"cancel_at_period_end": True}, idempotency_key)

    def keep(self, subscription_id: str, idempotency_key: str) -> None:
        """Take an end back, also one that was set to a day at Stripe."""
        sub = self._running(subscription_id)
        if sub.get("cancel_at") and not sub.get("cancel_at_period_end"):
            self._update(subscription_id, {"cancel_at": ""}, f"{idempotency_key}-day")
        else:
            self._update(subscription_id, {"cancel_at_period_end": False}, idempotency_key)

    def cancel_now(self, subscription_id: str, idempotency_key: str) -> None:
        """End at once; nothing is credited, and open invoices are not tried any more."""
        options: Any = {"idempotency_key": idempotency_key}
        try:
            self._ask("subscriptions.cancel", lambda v1: v1.subscriptions.cancel(subscription_id, options=options))
        except ProviderFailed as failed:
            if not is_certain(failed):
                raise
            sub = self._found(subscription_id)
            if sub is not None and sub["status"] not in ENDED:
                raise

    # An open invoice

    def find_open_payment(self, subscription_id: str) -> str | None:
        """The newest open invoice of a subscription."""
        params: Any = {"subscription": subscription_id, "status": "open", "limit": 1}
        try:
            found = self._ask("invoices.list", lambda v1: v1.invoices.list(params=params))
        except ProviderFailed as failed:
            if is_missing(failed):
                return None
            raise
        return next((str(invoice["id"]) for invoice in found["data"]), None)

    def pay(self, open_payment_id: str, idempotency_key: str) -> PayOutcome:
        """Collect an invoice now, with the default card."""
        options: Any = {"idempotency_key": idempotency_key}
        try:
            invoice = self._ask("invoices.pay", lambda v1: v1.invoices.pay(open_payment_id, options=options))
        except ProviderFailed as failed:
            if not is_certain(failed):
                raise
            return self._not_paid(open_payment_id, failed)
        return PayOutcome(invoice["status"] == "paid", is_declined=False, reason=None, action_url=None)

    def _not_paid(self, invoice_id: str, failed: ProviderFailed) -> PayOutcome:
        invoice = self._ask("invoices", lambda v1: v1.invoices.retrieve(invoice_id))
        if invoice["status"] == "paid":
            return PayOutcome(is_paid=True, is_declined=False, reason=None, action_url=None)
        if invoice["status"] != "open":
            raise not_possible("This payment was withdrawn and cannot be made any more.") from failed
        code = str(failed.details.get("stripe_code") or "")
        has_no_card = is_missing(failed)
        if failed.details.get("status") != PAYMENT_REQUIRED and not has_no_card:
            raise failed
        reason = "no_card" if has_no_card else str(failed.details.get("decline_code") or code or "unknown")
        is_declined = not {code, reason} & NEEDS_PAYER
        return PayOutcome(
            is_paid=False,
            is_declined=is_declined,
            reason=reason if is_declined else "authentication_required",
            action_url=invoice.get("hosted_invoice_url"),
        )

    # Subscriptions

    def _subscription(self, subscription_id: str) -> dict[str, Any]:
        return self._ask("subscriptions", lambda v1: v1.subscriptions.retrieve(subscription_id))

    def _found(self, subscription_id: str) -> dict[str, Any] | None:
        try:
            return self._subscription(subscription_id)
        except ProviderFailed as failed:
            if is_missing(failed):
                return None
            raise

    def _running(self, subscription_id: str) -> dict[str, Any]:
        """The subscription as it stands; Conflict where it has ended or is unknown."""
        sub = self._found(subscription_id)
        if sub is None or sub["status"] in ENDED:
            raise not_possible("This support has ended.")
        return sub

    def _update(self, subscription_id: str, params: Any, key: str) -> None:
        try:
            self._ask(
                "subscriptions.update",
                lambda v1: v1.subscriptions.update(subscription_id, params=params, options={"idempotency_key": key}),
            )
        except ProviderFailed as failed:
            if is_certain(failed):
                self._running(subscription_id)  # says so where it has ended
            raise
