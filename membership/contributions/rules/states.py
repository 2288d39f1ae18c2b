"""The states of a contribution: what news may move where, and what member and staff may do in each. Pure."""

from enum import StrEnum

from membership.billing.port import SubscriptionStatus
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm


class State(StrEnum):
    """Where a contribution stands (product.md section 2)."""

    STARTED = "started"
    ABANDONED = "abandoned"
    PAID = "paid"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    LAPSED = "lapsed"
    ENDED = "ended"


# From each state, where news may take it. Money that arrives late still counts: an abandoned checkout that
# turns out to be paid becomes what it is.
NEXT: dict[State, frozenset[State]] = {
    State.STARTED: frozenset({State.ABANDONED, State.PAID, State.ACTIVE}),
    State.ABANDONED: frozenset({State.PAID, State.ACTIVE}),
    State.PAID: frozenset(),
    State.ACTIVE: frozenset({State.PAST_DUE, State.PAUSED, State.CANCELLING, State.LAPSED, State.ENDED}),
    State.PAST_DUE: frozenset({State.ACTIVE, State.PAUSED, State.CANCELLING, State.LAPSED, State.ENDED}),
    State.PAUSED: frozenset({State.ACTIVE, State.PAST_DUE, State.CANCELLING, State.LAPSED, State.ENDED}),
    State.CANCELLING: frozenset({State.ACTIVE, State.PAST_DUE, State.PAUSED, State.LAPSED, State.ENDED}),
    State.LAPSED: frozenset({State.ACTIVE, State.ENDED}),
    State.ENDED: frozenset(),
}
LIVE = frozenset({State.ACTIVE, State.PAST_DUE, State.PAUSED, State.CANCELLING})
UNPAID = frozenset({State.STARTED, State.ABANDONED})


def may_become(now: State, then: State) -> bool:
    """Whether news may move a contribution from `now` to `then`; staying is no move."""
    return then in NEXT[now]


def state_of_subscription(status: SubscriptionStatus, now: State, *, is_cancelling: bool) -> State | None:
    """The state that a running contribution takes when its subscription is seen so; None: nothing is to change."""
    match status:
        case SubscriptionStatus.ACTIVE:
            return State.CANCELLING if is_cancelling else State.ACTIVE
        case SubscriptionStatus.PAST_DUE:
            return State.PAST_DUE
        case SubscriptionStatus.PAUSED:
            return State.PAUSED
        case SubscriptionStatus.UNPAID:
            return State.LAPSED
        case SubscriptionStatus.ENDED:
            return State.LAPSED if now in {State.PAST_DUE, State.LAPSED} else State.ENDED
    return None


def yearly_level(state: State, amount: Money, rhythm: Rhythm) -> Money:
    """What a contribution brings in a year as it stands: nothing while it is paused or over."""
    is_charged = state in LIVE and state is not State.PAUSED
    return amount * rhythm.times_a_year if is_charged else Money(0, amount.currency)


def thanks_state(state: str, *, has_open_page: bool) -> str:
    """What the thanks page may say: "confirmed" money, "waiting" for it, page still "open", or "ended"."""
    if state == State.ABANDONED:
        return "ended"
    if state != State.STARTED:
        return "confirmed"
    return "open" if has_open_page else "waiting"
