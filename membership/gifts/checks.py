"""What check-books asks of gifts: the money for each made one, and it covers who redeemed it and nobody else (I5)."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal, or_, select

from membership.billing.books import Finding, Scope
from membership.billing.models import Payment, PaymentReversal
from membership.contributions.models import Contribution
from membership.db import db
from membership.gifts.models import Gift
from membership.patrons.models import CoverageGrant
from membership.patrons.rules import Cause


def unlike_gifts(scope: Scope) -> Iterator[Finding]:
    """I5: every payment for somebody else made a gift, and a gift that was redeemed covers its months, once."""
    total = func.sum(PaymentReversal.amount_minor)
    gone = select(PaymentReversal.payment_id, total.label("minor")).group_by(PaymentReversal.payment_id).subquery()
    is_gone = func.coalesce(gone.c.minor, 0) >= Payment.charged_minor
    for part in scope.slices(Payment.id, Payment.booked_at):
        for words, condition in (_wrong() | {"is not what became of its money": _differs(is_gone)}).items():
            query = (
                select(Payment.provider_id)
                .join(Contribution, Contribution.reference == Payment.reference)
                .outerjoin(Gift, Gift.payment_id == Payment.provider_id)
                .outerjoin(CoverageGrant, CoverageGrant.cause_ref == literal("payment:").concat(Payment.provider_id))
                .outerjoin(gone, gone.c.payment_id == Payment.id)
                .where(part, Contribution.purpose == "gift", condition)
            )
            for ref in db.session.scalars(query):
                yield Finding("gift_differs", f"The gift of the payment {ref} {words}.")


def _wrong() -> dict[str, ColumnElement[bool]]:
    is_redeemed, is_granted = Gift.redeemed_at.is_not(None), CoverageGrant.id.is_not(None)
    other_length = or_(CoverageGrant.n_months.is_(None), CoverageGrant.n_months != Gift.n_months)
    return {
        "is not there": Gift.id.is_(None),
        "was redeemed and covers nobody": and_(is_redeemed, ~is_granted),
        "covers somebody and was never redeemed": and_(~is_redeemed, is_granted),
        "covers somebody else": and_(is_redeemed, CoverageGrant.person_id != Gift.redeemed_by_id),
        "covers another time": and_(is_granted, or_(other_length, CoverageGrant.cause != Cause.GIFT.value)),
    }


def _differs(is_gone: ColumnElement[bool]) -> Any:
    return and_(Gift.id.is_not(None), is_gone != Gift.returned_at.is_not(None))


CHECKS = (unlike_gifts,)
