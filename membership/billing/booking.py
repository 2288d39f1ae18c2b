"""What a fact read from the provider does: ledger rows and news to the rooms above, in the caller's transaction."""

from dataclasses import replace
from typing import Any

from flask import current_app

from membership.billing import ledger
from membership.billing.intents import rows
from membership.billing.models import PaymentFailure
from membership.billing.port import (
    CardCollected,
    CheckoutExpired,
    CheckoutFact,
    CheckoutFinished,
    DisputeLost,
    Event,
    Fact,
    FailureFact,
    FraudWarned,
    NotKnownYet,
    PaymentFact,
    PaymentFailed,
    PaymentPending,
    PaymentReceived,
    PaymentReversed,
    RefundFailed,
    ReversalFact,
    SubscriptionFact,
    SubscriptionSeen,
)
from membership.db import db, hint
from membership.kernel.money import Money


def book(fact: Fact) -> None:
    """Write down `fact` and tell the handlers of wiring.py; a fact that is booked already changes nothing.

    Raises NotKnownYet where the reference (or the payment that was reversed) is not known here yet; whatever
    else a handler raises goes through. The caller rolls everything back.
    """
    match fact:
        case CheckoutFact():
            _tell_checkout(fact)
        case PaymentFact():
            _book_payment(fact)
        case ReversalFact():
            _book_reversal(fact)
        case RefundFailed() | DisputeLost():
            _tell_of_payment(fact)
        case FailureFact():
            _book_failure(fact)
        case SubscriptionFact():
            _tell(
                SubscriptionSeen(
                    reference=fact.reference,
                    subscription_id=fact.subscription_id,
                    customer_id=fact.customer_id,
                    status=fact.status,
                    raw_status=fact.raw_status,
                    amount=fact.amount,
                    rhythm=fact.rhythm,
                    current_period_end=fact.current_period_end,
                    cancel_at=fact.cancel_at,
                    ended_at=fact.ended_at,
                    card=fact.card,
                    paused_until=fact.paused_until,
                    is_given_up=fact.is_given_up,
                )
            )
        case CardCollected():
            _plan_card(fact)
        case FraudWarned():
            _tell_warning(fact)
        case PaymentPending():
            _tell(fact)


def _tell(event: Event) -> None:
    handlers: dict[type[Any], Any] = current_app.extensions["membership.handlers"]
    for handler in handlers.get(type(event), ()):
        handler(event)


def _tell_checkout(fact: CheckoutFact) -> None:
    if fact.is_finished:
        _tell(
            CheckoutFinished(
                reference=fact.reference,
                checkout_id=fact.checkout_id,
                customer_id=fact.customer_id,
                subscription_id=fact.subscription_id,
                paid=fact.is_paid,
                is_pending=fact.is_pending,
            )
        )
    elif fact.is_expired:
        _tell(CheckoutExpired(reference=fact.reference, checkout_id=fact.checkout_id))


def _book_payment(fact: PaymentFact) -> None:
    payment = ledger.book_payment(fact)
    if payment is None:
        return
    _tell(
        PaymentReceived(
            payment_id=fact.payment_id,
            reference=fact.reference,
            rhythm=fact.rhythm,
            charged=fact.charged,
            fee=fact.fee or Money(0, fact.charged.currency),
            paid_at=fact.paid_at,
            period_start=fact.period_start,
            period_end=fact.period_end,
            subscription_id=fact.subscription_id,
            receipt_number=payment.receipt_number,
        )
    )


def _book_reversal(fact: ReversalFact) -> None:
    payment = ledger.find_payment(fact.payment_id)
    if payment is None:
        raise NotKnownYet(fact.payment_id)
    if not ledger.book_reversal(fact, payment):
        return
    _tell(
        PaymentReversed(
            payment_id=fact.payment_id,
            reference=payment.reference,
            amount=-fact.amount if fact.is_returned else fact.amount,
            at=fact.at,
            reason=fact.reason,
            mark=fact.mark,
        )
    )


def _plan_card(fact: CardCollected) -> None:
    """The card is made the one in use by the worker, or sooner by whoever waits (`asks.use_new_card`)."""
    if rows.plan("use_card", fact.checkout_id, {"checkout_id": fact.checkout_id}, reference=fact.reference):
        hint("billing.finish_open")
    _tell(fact)


def _tell_warning(fact: FraudWarned) -> None:
    if ledger.find_payment(fact.payment_id) is None:
        raise NotKnownYet(fact.payment_id)
    _tell(fact)


def _tell_of_payment(fact: RefundFailed | DisputeLost) -> None:
    """News about a payment of ours, whose reference only the books know."""
    payment = ledger.find_payment(fact.payment_id)
    if payment is None:
        raise NotKnownYet(fact.payment_id)
    _tell(replace(fact, reference=payment.reference))


def _book_failure(fact: FailureFact) -> None:
    row = db.session.query(PaymentFailure.id).filter_by(provider_ref=fact.provider_ref).first()
    if row is not None:
        return
    db.session.add(
        PaymentFailure(
            provider_ref=fact.provider_ref,
            reference=fact.reference,
            amount_minor=fact.amount.minor,
            currency=fact.amount.currency,
            reason=fact.reason,
            failed_at=fact.failed_at,
            next_try_at=fact.next_try_at,
        )
    )
    db.session.flush()
    _tell(
        PaymentFailed(
            reference=fact.reference,
            provider_ref=fact.provider_ref,
            amount=fact.amount,
            failed_at=fact.failed_at,
            reason=fact.reason,
            next_try_at=fact.next_try_at,
            subscription_id=fact.subscription_id,
            needs_action=fact.needs_action,
            invoice_id=fact.invoice_id,
        )
    )
