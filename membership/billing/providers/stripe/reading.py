"""Reading things again at Stripe, with what belongs to them, in the pinned version."""

from typing import Any

from membership.billing.port import ObjectKind, ObjectRef, Reading
from membership.billing.providers.stripe import translate
from membership.billing.providers.stripe.caller import StripeCaller
from membership.billing.providers.stripe.client import is_missing
from membership.kernel.errors import ProviderFailed


class StripeReading(StripeCaller):
    """Satisfies `read` of `billing.port.PaymentProvider`."""

    def read(self, ref: ObjectRef) -> Reading:
        """Fetch the object, and what belongs to it, in the pinned version."""
        readers = {
            ObjectKind.CHECKOUT: self._read_checkout,
            ObjectKind.SUBSCRIPTION: self._read_subscription,
            ObjectKind.INVOICE: self._read_invoice,
            ObjectKind.PAYMENT: self._read_payment,
            ObjectKind.CHARGE: self._read_charge,
            ObjectKind.WARNING: self._read_warning,
            ObjectKind.CUSTOMER: self._read_customer,
            ObjectKind.PAYMENT_METHOD: self._read_payment_method,
        }
        try:
            return readers[ref.kind](ref.id)
        except ProviderFailed as failed:
            if is_missing(failed):
                return Reading(is_found=False)
            raise

    def _read_checkout(self, checkout_id: str) -> Reading:
        """A session; where it is finished and unpaid, also whether its payment is on its way."""
        session = self._ask("checkout.sessions", lambda v1: v1.checkout.sessions.retrieve(checkout_id))
        reading = translate.checkout(session)
        if session.get("status") != "complete" or session.get("payment_status") != "unpaid":
            return reading
        payments = [payment for ref in reading.related for payment in self._payments_of(ref)]
        return translate.checkout(session, is_processing=any(translate.is_processing(one) for one in payments))

    def _payments_of(self, ref: ObjectRef) -> list[dict[str, Any]]:
        if ref.kind is ObjectKind.PAYMENT:
            return [self._payment_intent(ref.id)]
        return [self._payment_intent(found) for found in translate.invoice_payment_ids(self._invoice(ref.id))]

    def _read_subscription(self, subscription_id: str) -> Reading:
        """A subscription with its card. The customer's own is asked for apart: one that was deleted has none."""
        params = {"expand": ["default_payment_method", "customer"]}
        sub = self._ask("subscriptions", lambda v1: v1.subscriptions.retrieve(subscription_id, params=params))
        if sub.get("default_payment_method") or translate.reference_in(sub.get("metadata")) is None:
            return translate.subscription(sub)
        settings = sub["customer"].get("invoice_settings") if isinstance(sub.get("customer"), dict) else None
        card_id = translate.id_of((settings or {}).get("default_payment_method"))
        card = self._ask("payment_methods", lambda v1: v1.payment_methods.retrieve(card_id)) if card_id else None
        return translate.subscription(sub | {"default_payment_method": card})

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
        refunds = [self._with_its_return(refund) for refund in refunds]
        disputes = []
        if charge.get("disputed"):
            disputes = self._ask("disputes", lambda v1: v1.disputes.list(params=by_charge))["data"]
        moved = translate.reversals(payment_id, refunds, disputes)
        return (*moved, *translate.outcomes(payment_id, refunds, disputes))

    def _with_its_return(self, refund: dict[str, Any]) -> dict[str, Any]:
        """A refund that failed, with the movement that brought its money back: that alone says when. Few fail, so it is
        asked for apart and not in every list.
        """
        back = refund.get("failure_balance_transaction")
        if not isinstance(back, str):
            return refund
        settled = self._ask("balance_transactions", lambda v1: v1.balance_transactions.retrieve(back))
        return refund | {"failure_balance_transaction": settled}

    def _read_warning(self, warning_id: str) -> Reading:
        """A warning of fraud; the payment that it is about must be booked first."""
        warned = self._ask("radar.early_fraud_warnings", lambda v1: v1.radar.early_fraud_warnings.retrieve(warning_id))
        payment_id = translate.id_of(warned.get("payment_intent"))
        if payment_id is None:
            return translate.FOREIGN
        stamp = self._payment_intent(payment_id).get("metadata")
        paid, reference = ObjectRef(ObjectKind.PAYMENT, payment_id), translate.reference_in(stamp)
        invoice_id = None if reference else self._invoice_of(payment_id)
        if invoice_id is not None:
            paid = ObjectRef(ObjectKind.INVOICE, invoice_id)
            reference = translate.invoice_reference(self._invoice(invoice_id))
        if reference is None:
            return translate.FOREIGN
        return Reading(facts=(translate.warning(warned, paid.id, reference),), related=(paid,))

    def _read_customer(self, customer_id: str) -> Reading:
        """Nothing is known of customers but their support: all of it is read again.

        That of one who was deleted has ended, which its own notices say as well.
        """
        customer = self._ask("customers", lambda v1: v1.customers.retrieve(customer_id))
        params = {"customer": customer_id, "status": "all", "limit": 100}
        try:
            listed = self._ask("subscriptions.list", lambda v1: v1.subscriptions.list(params=params))
        except ProviderFailed as failed:
            if customer.get("deleted") and is_missing(failed):
                return translate.FOREIGN
            raise
        ours = [sub["id"] for sub in listed["data"] if translate.reference_in(sub.get("metadata"))]
        if not ours:
            return translate.FOREIGN
        return Reading(related=tuple(ObjectRef(ObjectKind.SUBSCRIPTION, found) for found in ours))

    def _read_payment_method(self, method_id: str) -> Reading:
        """A card that its bank renewed: it shows on the support of its customer."""
        method = self._ask("payment_methods", lambda v1: v1.payment_methods.retrieve(method_id))
        customer_id = translate.id_of(method.get("customer"))
        return translate.FOREIGN if customer_id is None else self._read_customer(customer_id)
