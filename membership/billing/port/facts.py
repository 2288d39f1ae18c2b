"""What a provider tells us it has found: facts, read again from it each time, never taken from a notice."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm


class SubscriptionStatus(StrEnum):
    """Where a recurring contribution stands with the provider. It never shortens paid coverage (decision 10).

    ACTIVE: it will be charged again. PAST_DUE: a charge failed and is tried again. PAUSED: no charges for
    now. UNPAID: all tries failed; nothing is charged until somebody pays. INCOMPLETE: never yet paid. ENDED: over
    for good. UNKNOWN: a word that we do not know (yet); it
    opens nothing and ends nothing, and an alert was logged.
    """

    ACTIVE = "active"
    PAST_DUE = "past_due"
    PAUSED = "paused"
    UNPAID = "unpaid"
    INCOMPLETE = "incomplete"
    ENDED = "ended"
    UNKNOWN = "unknown"


class ObjectKind(StrEnum):
    """The kinds of thing that a provider keeps and that can be read again."""

    CHECKOUT = "checkout_session"
    SUBSCRIPTION = "subscription"
    INVOICE = "invoice"
    PAYMENT = "payment_intent"
    CHARGE = "charge"
    CUSTOMER = "customer"
    PAYMENT_METHOD = "payment_method"
    WARNING = "radar.early_fraud_warning"


@dataclass(frozen=True, slots=True)
class Card:
    """What a reader pays with, as far as a page may show it.

    `brand` is like "visa"; for other ways to pay it is the way, such as "sepa_debit". `exp_year` (four digits) and
    `exp_month` are None where nothing expires. `fingerprint` is equal for equal numbers; None where there is none.
    """

    card_id: str
    brand: str
    last4: str | None
    exp_year: int | None
    exp_month: int | None
    fingerprint: str | None


@dataclass(frozen=True, slots=True)
class CheckoutFact:
    """How a hosted page ended: `is_finished`, `is_expired`, or neither while it is open.

    `is_paid` is false for a finished page whose money is still on its way (bank debits): then `is_pending`, until
    it came or failed.
    """

    reference: str
    checkout_id: str
    is_finished: bool
    is_expired: bool
    is_paid: bool
    customer_id: str | None
    subscription_id: str | None
    is_pending: bool = False


@dataclass(frozen=True, slots=True)
class PaymentFact:
    """Money that a reader has paid, in the provider's hands. `charged` is above zero.

    `payment_id` is the invoice of a recurring payment and the payment itself of a single one, so that it is
    unique. `fee` is None until the provider says what it keeps; it may be in another currency than `charged`.
    `period_start`, `period_end`: the service period [start, end) of a recurring payment, None of a single one.
    `is_elsewhere`: staff marked it as paid by other means, so the money is not with the provider. `way`: "card" for
    whatever goes through the provider, else where the money lies ("bank", "paypal", "crypto", "cash"); the provider
    knows nothing of those.
    """

    payment_id: str
    reference: str
    rhythm: Rhythm
    charged: Money
    fee: Money | None
    paid_at: datetime
    period_start: datetime | None = None
    period_end: datetime | None = None
    subscription_id: str | None = None
    is_elsewhere: bool = False
    way: str = "card"


@dataclass(frozen=True, slots=True)
class ReversalFact:
    """Money that left again: `amount` is above zero. `reversal_id` is unique (the refund or the dispute).

    `is_returned` true turns it round: a lost dispute was won back or a refund failed, the money is ours again;
    it counts only where the way out was booked. `mark` is what a refund that we asked for carries of the ask.
    """

    reversal_id: str
    payment_id: str
    amount: Money
    fee: Money | None
    at: datetime
    reason: str
    is_returned: bool = False
    mark: str | None = None


@dataclass(frozen=True, slots=True)
class FailureFact:
    """One attempt to charge that did not go through; `provider_ref` is unique per attempt.

    `reason` is a machine word such as "card_declined". `next_try_at` is None where the provider gave up.
    `needs_action`: the bank wants the payer to confirm, so that trying again by itself is in vain. `invoice_id` is
    the open payment of a recurring contribution, None of a single one.
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
class SubscriptionFact:
    """A recurring contribution as it stands at the provider now. `amount` is charged per period.

    `rhythm` is None where the period is one that we never offer (weeks, two months). `amount` and `rhythm` are those
    of the next payment. `paused_until`: nothing is charged before then; None where it is not paused, or without an
    end. `card` is None where there is none, or it was not read along. `is_given_up`: the provider ended it because no
    try to charge went through.
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


@dataclass(frozen=True, slots=True)
class PaymentPending:
    """Money is on its way (a bank debit, say) and may still fail; nothing is booked for it. `at`: since when.

    A fact, and told as news at every reading while that is so; handlers are idempotent.
    """

    reference: str
    amount: Money
    at: datetime


@dataclass(frozen=True, slots=True)
class CardCollected:
    """The page for a new card was finished; `checkout_id` names the page. The card is not in use yet.

    A fact, and told as news at every reading; billing itself sees to it that the card is used (`asks.use_new_card`).
    """

    reference: str
    subscription_id: str | None
    checkout_id: str


@dataclass(frozen=True, slots=True)
class FraudWarned:
    """The bank holds a payment for fraudulent. A fact, and told as news at every reading.

    `is_actionable`: giving the money back now may avoid a dispute; false where it has gone back or is disputed.
    """

    payment_id: str
    reference: str
    at: datetime
    is_actionable: bool


@dataclass(frozen=True, slots=True)
class RefundFailed:
    """A refund that we asked for did not reach the payer, or was withdrawn. Told as news at every reading.

    `mark` is what it carries of the ask. Whether money had left before, and came back, is a `ReversalFact`.
    `reference` is filled in from the payment when it is told.
    """

    payment_id: str
    mark: str
    at: datetime
    reference: str = ""


@dataclass(frozen=True, slots=True)
class DisputeLost:
    """The bank decided for the payer: the money of a dispute stays away. Told as news at every reading.

    `reference` is filled in from the payment when it is told.
    """

    payment_id: str
    dispute_id: str
    at: datetime
    reference: str = ""


Fact = (
    CheckoutFact
    | PaymentFact
    | ReversalFact
    | FailureFact
    | SubscriptionFact
    | PaymentPending
    | CardCollected
    | FraudWarned
    | RefundFailed
    | DisputeLost
)


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """A thing at the provider: what kind it is, and its id there."""

    kind: ObjectKind
    id: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of reading one thing again.

    `is_found` false: the provider does not know it. `is_ours` false: it is there, and it was not made by us.
    `facts` may be empty (nothing that concerns our books). `related` are other things that must be read for
    the whole picture, such as the invoice of a finished page.
    """

    is_found: bool = True
    is_ours: bool = True
    facts: tuple[Fact, ...] = ()
    related: tuple[ObjectRef, ...] = ()
    after: tuple[ObjectRef, ...] = ()


class NoticeUse(StrEnum):
    """What is to be done with a notice: read its object again, keep it for a later issue, or only keep it."""

    SYNC = "sync"
    DEFERRED = "deferred"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Notice:
    """A message from the provider that something may have changed, with its signature checked.

    Never a state: only `ref` is used, to read that thing again. `signed_at` is the provider's own clock.
    """

    event_id: str
    type: str
    use: NoticeUse
    object_kind: str
    object_id: str
    api_version: str | None
    created_at: datetime
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class BookedAtProvider:
    """One line of the provider's own books about us, to hold ours against (invariant I2).

    `returned` is what has left again by refunds and disputes, zero for none.
    """

    payment_id: str
    reference: str
    charged: Money
    fee: Money | None
    returned: Money


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that `membership doctor` found out about a provider, as a whole sentence."""

    code: str
    is_problem: bool
    message: str
