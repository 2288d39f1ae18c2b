"""What news of money does: coverage, standing of the contribution, movements, mails, timeline.

Each function is told of a fact that billing has just booked, inside the booking transaction (`wiring`): all of
it is written, or none. Facts may come in any order and more than once; the end is the same. `pages`: of the
payment page; `money`: payments, reversals, failures; `subscriptions`: the provider's word on a running support;
`trouble`: money that fails to come, or takes its time; `telling`: who is mailed; `rows`: the row that all of them
change.
"""

from membership.contributions.services.hearing.money import hear_payment, hear_payment_failed, hear_payment_reversed
from membership.contributions.services.hearing.pages import hear_checkout_expired, hear_checkout_finished
from membership.contributions.services.hearing.subscriptions import hear_subscription
from membership.contributions.services.hearing.trouble import (
    hear_dispute_lost,
    hear_payment_pending,
    hear_refund_failed,
    hear_warning,
)

__all__ = [
    "hear_checkout_expired",
    "hear_checkout_finished",
    "hear_dispute_lost",
    "hear_payment",
    "hear_payment_failed",
    "hear_payment_pending",
    "hear_payment_reversed",
    "hear_refund_failed",
    "hear_subscription",
    "hear_warning",
]
