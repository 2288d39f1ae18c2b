"""The words in which this house speaks of payment; no payment company's words, no database, no web.

`asking`: what we ask a provider for. `facts`: what a provider tells us it has found. `news`: what higher rooms hear
of it. `provider`: the promises that every payment company keeps for us. A provider is a folder under
`billing/providers/` whose object satisfies `PaymentProvider`; the contract test in `tests/contracts` asks every one
of them for the same promises.
"""

from membership.billing.port.asking import (
    APP_STAMP,
    CardRequest,
    CheckoutRequest,
    MadeRefund,
    OpenedCheckout,
    PayOutcome,
)
from membership.billing.port.facts import (
    BookedAtProvider,
    Card,
    CardCollected,
    CheckoutFact,
    Diagnosis,
    DisputeLost,
    Fact,
    FailureFact,
    FraudWarned,
    Notice,
    NoticeUse,
    ObjectKind,
    ObjectRef,
    PaymentFact,
    PaymentPending,
    Reading,
    RefundFailed,
    ReversalFact,
    SubscriptionFact,
    SubscriptionStatus,
)
from membership.billing.port.listing import Listed, ListedNotice, ListedPage, Listing, NoticePage
from membership.billing.port.news import (
    CheckoutExpired,
    CheckoutFinished,
    Event,
    NotKnownYet,
    PaymentFailed,
    PaymentReceived,
    PaymentReversed,
    SubscriptionSeen,
)
from membership.billing.port.provider import PaymentProvider

__all__ = [
    "APP_STAMP",
    "BookedAtProvider",
    "Card",
    "CardCollected",
    "CardRequest",
    "CheckoutExpired",
    "CheckoutFact",
    "CheckoutFinished",
    "CheckoutRequest",
    "Diagnosis",
    "DisputeLost",
    "Event",
    "Fact",
    "FailureFact",
    "FraudWarned",
    "Listed",
    "ListedNotice",
    "ListedPage",
    "Listing",
    "MadeRefund",
    "NotKnownYet",
    "Notice",
    "NoticePage",
    "NoticeUse",
    "ObjectKind",
    "ObjectRef",
    "OpenedCheckout",
    "PayOutcome",
    "PaymentFact",
    "PaymentFailed",
    "PaymentPending",
    "PaymentProvider",
    "PaymentReceived",
    "PaymentReversed",
    "Reading",
    "RefundFailed",
    "ReversalFact",
    "SubscriptionFact",
    "SubscriptionSeen",
    "SubscriptionStatus",
]
