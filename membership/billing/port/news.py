"""The news that higher rooms hear inside the booking transaction (`EVENT_HANDLERS` of wiring.py)."""

from dataclasses import dataclass
from datetime import datetime

from membership.billing.port.facts import (
    Card,
    CardCollected,
    DisputeLost,
    FraudWarned,
    PaymentPending,
    RefundFailed,
    SubscriptionStatus,
)
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm


@dataclass(frozen=True, slots=True)
class CheckoutFinished:
    """The reader went through the hosted page. Money only if `paid`; told again at every later reading.

    Handlers are therefore idempotent. `subscription_id` is None for a single payment. `is_pending`: the money is on
    its way (bank debits) and may still fail.
    """

    reference: str
    checkout_id: str
    customer_id: str | None
    subscription_id: str | None
    paid: bool
    is_pending: bool = False


@dataclass(frozen=True, slots=True)
class CheckoutExpired:
    """Nobody paid on that hosted page in time. It may be an older page of a reference that has a newer one:
    compare `checkout_id`. Told again at every later reading.
    """  # fmt: skip

    reference: str
    checkout_id: str


@dataclass(frozen=True, slots=True)
class PaymentReceived:
    """Money came and is in the ledger. Told exactly once per `payment_id`, in the transaction that books it.

    `fee` is zero where the provider had not said yet; it is then booked by itself when it does. `fee` may be
    in another currency than `charged`. `receipt_number` is like "2026-000042", without gaps per year of the newsroom's
    calendar.
    """

    payment_id: str
    reference: str
    rhythm: Rhythm
    charged: Money
    fee: Money
    paid_at: datetime
    period_start: datetime | None
    period_end: datetime | None
    subscription_id: str | None
    receipt_number: str


@dataclass(frozen=True, slots=True)
class PaymentReversed:
    """Money of `payment_id` left again (refund, dispute); told exactly once per movement.

    `amount` is above zero where money left and below zero where it came back (dispute won, refund failed).
    `reason` is a machine word: "refund", "dispute", "refund_failed", "dispute_won". `mark` as in `ReversalFact`.
    """

    payment_id: str
    reference: str
    amount: Money
    at: datetime
    reason: str
    mark: str | None = None


@dataclass(frozen=True, slots=True)
class PaymentFailed:
    """An attempt to charge failed; told exactly once per `provider_ref`. `next_try_at` None: the last attempt.

    `needs_action`: the payer must confirm it with the bank. `invoice_id`: the open payment, None of a single one.
    """

    reference: str
    provider_ref: str
    amount: Money
    failed_at: datetime
    reason: str
    next_try_at: datetime | None
    subscription_id: str | None
    needs_action: bool = False
    invoice_id: str | None = None


@dataclass(frozen=True, slots=True)
class SubscriptionSeen:
    """A recurring contribution as it stands now; told at every reading, changed or not.

    Readings of one subscription never overtake each other (object lease and fence), so the last one told is
    the newest. `raw_status` is the provider's own word, for staff pages only. `amount` and `rhythm` are those of the
    next payment. `paused_until`, `card` and `is_given_up` as in `SubscriptionFact`.
    """

    reference: str
    subscription_id: str
    customer_id: str
    status: SubscriptionStatus
    raw_status: str
    amount: Money
    rhythm: Rhythm | None
    current_period_end: datetime | None
    cancel_at: datetime | None
    ended_at: datetime | None
    card: Card | None = None
    paused_until: datetime | None = None
    is_given_up: bool = False


Event = (
    CheckoutFinished
    | CheckoutExpired
    | PaymentReceived
    | PaymentReversed
    | PaymentFailed
    | PaymentPending
    | SubscriptionSeen
    | CardCollected
    | FraudWarned
    | RefundFailed
    | DisputeLost
)


class NotKnownYet(Exception):  # noqa: N818 - reads as a sentence: raise NotKnownYet(reference)
    """A handler does not know this reference (yet). Everything of that booking is rolled back, and the notice
    waits and is tried again for three days (W7). `reference` is the argument.
    """  # fmt: skip

    def __init__(self, reference: str) -> None:
        super().__init__(f"Nobody here knows the reference {reference!r} yet.")
        self.reference = reference
