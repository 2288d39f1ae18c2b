"""What a failed charge means, and how long each kind of trouble may last. Pure functions of values."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

from membership.contributions.rules.states import State

# At most one mail about failures in this time: a bank that refuses four times a day is one trouble, not four.
MAIL_PAUSE = timedelta(hours=20)
# How long before a yearly charge its giver is told, and how long before a charge that the card will have expired by.
RENEWAL_NOTICE = timedelta(days=14)
CARD_NOTICE = timedelta(days=21)
# Bank debits are settled within 14 business days (Stripe's page on SEPA debits); afterwards they are over for us.
PENDING_LASTS = timedelta(days=21)
# How long after its day a charge may stay without news before we ask, and staff are alerted.
SILENCE_LASTS = timedelta(days=2)
# What the provider stopped trying to collect can still be paid for so long; then it is ended there, too.
UNPAID_LASTS = timedelta(days=30)

LONGEST_REASON = 60


class FailureClass(StrEnum):
    """Why a charge failed, as far as its giver is told. No finer: a bank's own words help who tries stolen cards."""

    FUNDS = "funds"
    EXPIRED = "expired"
    CONFIRM = "confirm"
    OTHER = "other"


# The machine words of payment networks, as `PaymentFailed.reason` carries them. What is not named is OTHER.
_CLASSES = {
    "insufficient_funds": FailureClass.FUNDS,
    "card_velocity_exceeded": FailureClass.FUNDS,
    "withdrawal_count_limit_exceeded": FailureClass.FUNDS,
    "expired_card": FailureClass.EXPIRED,
    "invalid_expiry_month": FailureClass.EXPIRED,
    "invalid_expiry_year": FailureClass.EXPIRED,
    "authentication_required": FailureClass.CONFIRM,
    "authentication_not_handled": FailureClass.CONFIRM,
    "approve_with_id": FailureClass.CONFIRM,
}


class Why(StrEnum):
    """Why a charge failed, as far as staff are told in words: finer than what its giver hears (`FailureClass`)."""

    FUNDS = "funds"
    EXPIRED = "expired"
    CONFIRM = "confirm"
    BLOCKED = "blocked"
    MISTYPED = "mistyped"
    NETWORK = "network"
    NO_CARD = "no_card"
    UNKNOWN = "unknown"


# The words that say so; whatever stands nowhere here is UNKNOWN.
WORDS_OF: dict[Why, frozenset[str]] = {
    **{
        Why(known.value): frozenset(word for word, its in _CLASSES.items() if its is known)
        for known in (FailureClass.FUNDS, FailureClass.EXPIRED, FailureClass.CONFIRM)
    },
    Why.BLOCKED: frozenset(
        {"lost_card", "stolen_card", "pickup_card", "restricted_card", "fraudulent", "merchant_blacklist"}
    ),
    Why.MISTYPED: frozenset({"incorrect_cvc", "invalid_cvc", "incorrect_number", "invalid_number"}),
    Why.NETWORK: frozenset({"processing_error", "issuer_not_available", "try_again_later", "reenter_transaction"}),
    Why.NO_CARD: frozenset({"no_card"}),
}
_WHYS = {word: why for why, words in WORDS_OF.items() for word in words}


def why_it_failed(reason: str | None, *, needs_action: bool = False) -> Why:
    """What staff are told about a failure."""
    return Why.CONFIRM if needs_action else _WHYS.get(reason or "", Why.UNKNOWN)


def class_of_failure(reason: str | None, *, needs_action: bool = False) -> FailureClass:
    """What its giver is told about a failure; whatever is unknown is OTHER."""
    return FailureClass.CONFIRM if needs_action else _CLASSES.get(reason or "", FailureClass.OTHER)


def may_be_paid_now(state: State, failed_at: datetime | None, ended_at: datetime | None) -> bool:
    """Whether something is open that its giver can pay: a failed charge of support that is not over for good."""
    if state is State.LAPSED:
        return failed_at is not None and ended_at is None
    return state is State.PAST_DUE or (failed_at is not None and state in {State.ACTIVE, State.CANCELLING})


def card_ends_at(exp_year: int, exp_month: int) -> datetime:
    """From when a card is not accepted any more: the month printed on it is its last one."""
    return datetime(exp_year + exp_month // 12, exp_month % 12 + 1, 1, tzinfo=UTC)
