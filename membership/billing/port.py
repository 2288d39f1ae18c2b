"""The words in which this house speaks of payment; no payment company's words, no database, no web.

Three groups: what we ask a provider for (`CheckoutRequest` …), what a provider tells us it has found
(facts, read again from the provider each time, never taken from a notice), and the news that higher rooms
hear inside the booking transaction (`EVENT_HANDLERS` of wiring.py). A provider is a folder under
`billing/providers/` whose object satisfies `PaymentProvider`; the contract test in `tests/contracts` asks
every one of them for the same promises.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm

APP_STAMP = "reader-membership"
"""What `metadata["app"]` says on everything we make at a provider; objects without it are foreign (W8)."""


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


# What we ask for ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """One hosted page on which a reader pays `charge` once, or every month or year from now on.

    `reference` is our public id of the contribution (at most 200 characters, no personal data); it comes
    back in every event. `charge` is above zero. `locale` is "en" or "uk". `description` is the line that the
    reader sees on the page. `success_url` contains the provider's own place-holder
    `{CHECKOUT_SESSION_ID}`. `expires_at` lies 30 minutes to 24 hours ahead on the business clock. `metadata`
    is kept by the provider on everything that the page makes: short strings, no personal values; the keys
    "app" and "reference" are ours.
    """

    reference: str
    rhythm: Rhythm
    charge: Money
    email: str
    locale: str
    newsroom_name: str
    description: str
    success_url: str
    cancel_url: str
    expires_at: datetime
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OpenedCheckout:
    """A hosted page that is open: its id at the provider and the address to send the reader to."""

    provider_id: str
    url: str
    expires_at: datetime


# What a provider has found --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CheckoutFact:
    """How a hosted page ended: `is_finished`, `is_expired`, or neither while it is open.

    `is_paid` is false for a finished page whose money is still on its way (bank debits).
    """

    reference: str
    checkout_id: str
    is_finished: bool
    is_expired: bool
    is_paid: bool
    customer_id: str | None
    subscription_id: str | None


@dataclass(frozen=True, slots=True)
class PaymentFact:
    """Money that a reader has paid, in the provider's hands. `charged` is above zero.

    `payment_id` is the invoice of a recurring payment and the payment itself of a single one, so that it is
    unique. `fee` is None until the provider says what it keeps; it may be in another currency than `charged`.
    `period_start`, `period_end`: the service period [start, end) of a recurring payment, None of a single one.
    `is_elsewhere`: staff marked it as paid by other means, so the money is not with the provider.
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


@dataclass(frozen=True, slots=True)
class ReversalFact:
    """Money that left again: `amount` is above zero. `reversal_id` is unique (the refund or the dispute).

    `is_returned` true turns it round: a lost dispute was won back or a refund failed, the money is ours again;
    it counts only where the way out was booked.
    """

    reversal_id: str
    payment_id: str
    amount: Money
    fee: Money | None
    at: datetime
    reason: str
    is_returned: bool = False


@dataclass(frozen=True, slots=True)
class FailureFact:
    """One attempt to charge that did not go through; `provider_ref` is unique per attempt.

    `reason` is a machine word such as "card_declined". `next_try_at` is None where the provider gave up.
    """

    reference: str
    provider_ref: str
    amount: Money
    failed_at: datetime
    reason: str
    next_try_at: datetime | None
    subscription_id: str | None


@dataclass(frozen=True, slots=True)
class SubscriptionFact:
    """A recurring contribution as it stands at the provider now. `amount` is charged per period.

    `rhythm` is None where the period is one that we never offer (weeks, two months).
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


Fact = CheckoutFact | PaymentFact | ReversalFact | FailureFact | SubscriptionFact


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


# What higher rooms hear -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CheckoutFinished:
    """The reader went through the hosted page. Money only if `paid`; told again at every later reading.

    Handlers are therefore idempotent. `subscription_id` is None for a single payment.
    """

    reference: str
    checkout_id: str
    customer_id: str | None
    subscription_id: str | None
    paid: bool


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
    in another currency than `charged`. `receipt_number` is like "2026-000042", without gaps per UTC year.
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
    `reason` is a machine word: "refund", "dispute", "refund_failed", "dispute_won".
    """

    payment_id: str
    reference: str
    amount: Money
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class PaymentFailed:
    """An attempt to charge failed; told exactly once per `provider_ref`. `next_try_at` None: the last attempt."""

    reference: str
    provider_ref: str
    amount: Money
    failed_at: datetime
    reason: str
    next_try_at: datetime | None
    subscription_id: str | None


@dataclass(frozen=True, slots=True)
class SubscriptionSeen:
    """A recurring contribution as it stands now; told at every reading, changed or not.

    Readings of one subscription never overtake each other (object lease and fence), so the last one told is
    the newest. `raw_status` is the provider's own word, for staff pages only.
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


Event = CheckoutFinished | CheckoutExpired | PaymentReceived | PaymentReversed | PaymentFailed | SubscriptionSeen


class NotKnownYet(Exception):  # noqa: N818 - reads as a sentence: raise NotKnownYet(reference)
    """A handler does not know this reference (yet). Everything of that booking is rolled back, and the notice
    waits and is tried again for three days (W7). `reference` is the argument.
    """  # fmt: skip

    def __init__(self, reference: str) -> None:
        super().__init__(f"Nobody here knows the reference {reference!r} yet.")
        self.reference = reference


class PaymentProvider(Protocol):
    """A payment company behind our words. Found at `current_app.extensions["membership.provider"]`.

    Every method that reaches out raises `ProviderFailed`: `retryable` where the same call may go through
    later, `outcome_unknown` where it may have been carried out although no answer came. `details["spent"]` is
    true where the provider has stored a failure under the idempotency key, so that only a new key can succeed.
    None is called inside a transaction.
    """

    name: str

    def open_checkout(self, request: CheckoutRequest, idempotency_key: str) -> OpenedCheckout:
        """Open a hosted page. The same key with the same request gives the same page again."""

    def close_checkout(self, checkout_id: str, idempotency_key: str) -> bool:
        """Close an open page; True if nobody can pay there any more, False if somebody already has."""

    def read(self, ref: ObjectRef) -> Reading:
        """Read one thing again from the provider and say in our words what is to be known of it."""

    def open_notice(self, raw: bytes, signature: str, at: datetime) -> Notice:
        """Check the signature over the raw bytes and say what the notice is about; reaches nobody.

        `at` is real time. InvalidInput for whatever is not a genuine, fresh, well-formed notice of this
        account and mode.
        """

    def ensure_product(self) -> None:
        """Make the one fixed product that every price hangs on, if it is missing. Safe to repeat."""

    def list_booked(self) -> list[BookedAtProvider] | None:
        """Our payments in the provider's own books, or None where it cannot list them (yet)."""

    def diagnose(self) -> list[Diagnosis]:
        """What is right and what is wrong between us and the provider; never raises."""
