"""Use cases of contributions: `starting` (a reader presses the button), `hearing` (news of money arrives)."""

from membership.contributions.services.hearing import (
    hear_checkout_expired,
    hear_checkout_finished,
    hear_payment,
    hear_payment_failed,
    hear_payment_reversed,
    hear_subscription,
)
from membership.contributions.services.starting import abandon_overdue, start

__all__ = [
    "abandon_overdue",
    "hear_checkout_expired",
    "hear_checkout_finished",
    "hear_payment",
    "hear_payment_failed",
    "hear_payment_reversed",
    "hear_subscription",
    "start",
]
