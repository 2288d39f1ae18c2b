"""What a page of the provider's list says otherwise than our books. It only reads, in few statements a page."""

from collections.abc import Iterable, Sequence

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute

from membership.billing.models import Payment, PaymentFailure, PaymentReversal
from membership.billing.port import (
    CheckoutFact,
    Fact,
    FailureFact,
    Listed,
    ObjectKind,
    PaymentFact,
    ReversalFact,
    SubscriptionFact,
)
from membership.billing.reconcile.holdings import Holdings
from membership.db import db
from membership.kernel.money import Money


def differences(rows: Sequence[Listed]) -> dict[int, str]:
    """Position in `rows` -> what differs, in words; empty where the books say the same."""
    facts = [fact for row in rows for fact in row.facts]
    held = _Held(facts, [ref.id for row in rows for ref in row.related])
    found: dict[int, str] = {}
    for position, row in enumerate(rows):
        words = "the list could not be understood" if not row.is_clear else held.difference(row)
        if words:
            found[position] = words
    return found


class _Held:
    """What we hold of the things that a page names, fetched at once."""

    def __init__(self, facts: Sequence[Fact], related: Sequence[str]) -> None:
        payment_ids = {fact.payment_id for fact in facts if isinstance(fact, PaymentFact)} | set(related)
        self._payments = _payments(payment_ids)
        moved = [fact for fact in facts if isinstance(fact, ReversalFact)]
        keys = {_reversal_key(fact) for fact in moved} | {fact.reversal_id for fact in moved}
        self._reversals = _known(PaymentReversal.provider_id, keys)
        self._failures = _known(
            PaymentFailure.provider_ref, {fact.provider_ref for fact in facts if isinstance(fact, FailureFact)}
        )
        wired: tuple[Holdings, ...] = current_app.extensions["membership.holdings"]
        self._by_rooms: dict[str, str] = {}
        for holdings in wired:
            self._by_rooms |= holdings.differences(facts)

    def difference(self, row: Listed) -> str | None:
        """The first thing that differs."""
        for fact in row.facts:
            if words := self._of_fact(fact, row):
                return words
        if any(isinstance(fact, CheckoutFact) and fact.is_paid for fact in row.facts):
            missing = [ref.id for ref in row.related if ref.id not in self._payments]
            return f"its payment {missing[0]} is not booked" if missing else None
        return None

    def _of_fact(self, fact: Fact, row: Listed) -> str | None:
        match fact:
            case PaymentFact():
                return self._of_payment(fact)
            case ReversalFact():
                return self._of_reversal(fact)
            case FailureFact() if row.ref.kind is ObjectKind.INVOICE and fact.provider_ref not in self._failures:
                return "its last failure is not known here"
            case SubscriptionFact():
                return self._by_rooms.get(fact.subscription_id)
            case CheckoutFact():
                return self._by_rooms.get(fact.checkout_id)
        return None

    def _of_payment(self, fact: PaymentFact) -> str | None:
        booked = self._payments.get(fact.payment_id)
        if booked is None:
            return f"a payment of {fact.charged} is not booked"
        if booked != (fact.charged, fact.reference):
            return f"booked as {booked[0]} of {booked[1]}, and it is {fact.charged} of {fact.reference}"
        return None

    def _of_reversal(self, fact: ReversalFact) -> str | None:
        if _reversal_key(fact) in self._reversals:
            return None
        if not fact.is_returned:
            return f"{fact.amount} that left is not booked"
        # What never left our books need not come back to them.
        return f"{fact.amount} that came back is not booked" if fact.reversal_id in self._reversals else None


def _reversal_key(fact: ReversalFact) -> str:
    return f"{fact.reversal_id}:returned" if fact.is_returned else fact.reversal_id


def _payments(ids: Iterable[str]) -> dict[str, tuple[Money, str]]:
    columns = (Payment.provider_id, Payment.charged_minor, Payment.currency, Payment.reference)
    rows = db.session.execute(select(*columns).where(Payment.provider_id.in_(set(ids))))
    return {ref: (Money(minor, currency), reference) for ref, minor, currency, reference in rows}


def _known(column: InstrumentedAttribute[str], names: set[str]) -> set[str]:
    return set(db.session.scalars(select(column).where(column.in_(names)))) if names else set()
