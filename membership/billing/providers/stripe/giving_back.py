"""Money that we give back, and customers whom we forget."""

from typing import Any

from membership.billing.port import APP_STAMP, MadeRefund
from membership.billing.providers.stripe import translate
from membership.billing.providers.stripe.asking import not_possible
from membership.billing.providers.stripe.caller import StripeCaller
from membership.billing.providers.stripe.client import is_certain, is_missing
from membership.billing.providers.stripe.currencies import to_stripe
from membership.kernel.errors import ProviderFailed
from membership.kernel.money import Money

# Why Stripe gives nothing (more) back of a payment.
NOTHING_LEFT = frozenset(
    {"charge_already_refunded", "charge_disputed", "charge_not_refundable", "balance_insufficient", "resource_missing"}
)
UNDONE = frozenset({"canceled", "failed"})
INVOICE_PREFIX = "in_"


class StripeRefunds(StripeCaller):
    """Refunds, found again by the mark that they carry."""

    def refund(self, payment_id: str, amount: Money, reference: str, mark: str, idempotency_key: str) -> MadeRefund:
        """Refund a part or the whole of what an invoice or a single payment brought."""
        params: Any = {
            **self._source(payment_id),
            "amount": to_stripe(amount),
            "metadata": {"app": APP_STAMP, "reference": reference, "intent": mark},
        }
        options: Any = {"idempotency_key": idempotency_key}
        try:
            made = self._ask("refunds.create", lambda v1: v1.refunds.create(params=params, options=options))
        except ProviderFailed as failed:
            is_refused = is_certain(failed) and (
                failed.details.get("stripe_code") in NOTHING_LEFT or failed.details.get("param") == "amount"
            )
            if is_refused:
                raise not_possible("So much cannot be given back of this payment (any more).") from failed
            raise
        return _made(made)

    def find_refund(self, payment_id: str, mark: str) -> MadeRefund | None:
        """Look through the refunds of that payment for our mark."""
        params: Any = {**self._source(payment_id), "limit": 100}
        while True:
            listed = self._list_refunds(params)
            for refund in listed["data"]:
                stamp = refund.get("metadata") or {}
                if (stamp.get("app"), stamp.get("intent")) == (APP_STAMP, mark) and refund["status"] not in UNDONE:
                    return _made(refund)
            if not listed.get("has_more"):
                return None
            params = params | {"starting_after": listed["data"][-1]["id"]}

    def _list_refunds(self, params: Any) -> dict[str, Any]:
        return self._ask("refunds.list", lambda v1: v1.refunds.list(params=params))

    def _source(self, payment_id: str) -> dict[str, str]:
        """What brought the money, in Stripe's words: that of an invoice stands with its payments (basil)."""
        if not payment_id.startswith(INVOICE_PREFIX):
            return {"payment_intent": payment_id}
        params: Any = {"invoice": payment_id, "status": "paid", "limit": 1}
        found = self._ask("invoice_payments", lambda v1: v1.invoice_payments.list(params=params))["data"]
        paid_by = found[0]["payment"] if found else {}
        for kind in ("payment_intent", "charge"):
            source = translate.id_of(paid_by.get(kind))
            if source is not None:
                return {kind: source}
        raise not_possible("This payment did not come through Stripe.")

    def forget_customer(self, customer_id: str, idempotency_key: str) -> None:
        """Delete the customer, and with them their cards; Stripe keeps what the law makes it keep."""
        options: Any = {"idempotency_key": idempotency_key}
        try:
            self._ask("customers.delete", lambda v1: v1.customers.delete(customer_id, options=options))
        except ProviderFailed as failed:
            if not is_missing(failed):
                raise

    def rename_customer(self, customer_id: str, email: str, idempotency_key: str) -> None:
        """Change the customer's address; a customer who was deleted has none."""
        options: Any = {"idempotency_key": idempotency_key}
        change: Any = {"email": email}
        try:
            self._ask("customers.update", lambda v1: v1.customers.update(customer_id, params=change, options=options))
        except ProviderFailed as failed:
            if not is_missing(failed):
                raise


def _made(refund: dict[str, Any]) -> MadeRefund:
    return MadeRefund(refund["id"], str(translate.id_of(refund["charge"])))
