"""Use cases of contributions: `starting` (a reader presses the button), `declaring` (money that goes another way),
`hearing` (news of money arrives), `changing`, `pausing`, `cancelling`, `recovering` (what a giver, or our staff for
them, does about support that runs; `acting` is what these share), `refunding`, `ending`, `doubling`, `flagging` (what
goes wrong), `watching` (what is due), `defending` (against card testers), `owning` (merging, erasing).
"""

from membership.contributions.services.cancelling import cancel, cancel_now, keep
from membership.contributions.services.changing import change
from membership.contributions.services.hearing import (
    hear_checkout_expired,
    hear_checkout_finished,
    hear_dispute_lost,
    hear_payment,
    hear_payment_failed,
    hear_payment_pending,
    hear_payment_reversed,
    hear_refund_failed,
    hear_subscription,
    hear_warning,
)
from membership.contributions.services.pausing import pause, resume
from membership.contributions.services.starting import abandon_overdue, start

__all__ = [
    "abandon_overdue",
    "cancel",
    "cancel_now",
    "change",
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
    "keep",
    "pause",
    "resume",
    "start",
]
