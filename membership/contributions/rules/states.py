"""The states of a contribution as one table: what news may move it where, and what member and staff may do in each.

The table is the truth; `docs/states.md` is drawn from it (`membership docs states`). Pure functions of values.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
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


class MoneyState(StrEnum):
    """What became of the money of one payment. Derived from the books by `money_state`, and stored nowhere else.

    product.md calls these states of a one-time gift. They are none of the contribution: a running support has many
    payments, each of which may go back, and a second copy of what the journal says could come to differ from it.
    A dispute that is lost is DISPUTED for good: the bank took the money when it began, and nothing more moves.
    """

    KEPT = "kept"
    PARTLY_REFUNDED = "partly_refunded"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    WON = "won"


class Who(StrEnum):
    """Who acts: the giver, or somebody of the newsroom for them."""

    MEMBER = "member"
    STAFF = "staff"


class Action(StrEnum):
    """What somebody may do about a contribution. Each is a button with a sentence of its own."""

    CHANGE = "change"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    KEEP = "keep"
    CANCEL_NOW = "cancel_now"
    PAY_NOW = "pay_now"
    NEW_CARD = "new_card"
    COME_BACK = "come_back"
    GIVE_AGAIN = "give_again"
    REFUND = "refund"
    COMP = "comp"
    BOOK_OFFLINE = "book_offline"


Exits = Mapping[Action, frozenset["State"]]


@dataclass(frozen=True, slots=True)
class Row:
    """One state: what it means, what news may make of it (in words), and the state that each action ends in.

    COME_BACK and GIVE_AGAIN leave this contribution as it is and begin another one; REFUND, COMP and BOOK_OFFLINE
    change coverage and books and no state.
    """

    meaning: str
    news: Mapping[State, str] = field(default_factory=dict)
    member: Exits = field(default_factory=dict)
    staff: Exits = field(default_factory=dict)


def _to(*states: State) -> frozenset[State]:
    return frozenset(states)


def _stays(state: State, *actions: Action) -> dict[Action, frozenset[State]]:
    return dict.fromkeys(actions, _to(state))


_PAID_LATE = "money came after all"
_FIRST_MONEY = {State.PAID: "the money of a one-time gift came", State.ACTIVE: "the first payment came"}
_ENDS = {
    State.LAPSED: "the provider gave up trying",
    State.ENDED: "it was ended at once, here or at the provider",
}
_BOOKS = (Action.COMP, Action.BOOK_OFFLINE)
_MONEY = (Action.REFUND, *_BOOKS)

TABLE: dict[State, Row] = {
    State.STARTED: Row(
        "The payment page was opened, or a transfer announced; no money yet.",
        news={State.ABANDONED: "the page ran out, the first payment failed for good, or announced money did not come"}
        | _FIRST_MONEY,
        member=_stays(State.STARTED, Action.COME_BACK),
        staff=_stays(State.STARTED, *_BOOKS),
    ),
    State.ABANDONED: Row(
        "The page ran out unpaid, or announced money did not come. It never blocks another try.",
        news=dict.fromkeys(_FIRST_MONEY, _PAID_LATE),
        member=_stays(State.ABANDONED, Action.COME_BACK),
        staff=_stays(State.ABANDONED, *_BOOKS),
    ),
    State.PAID: Row(
        "A one-time gift that arrived. What becomes of its money afterwards follows from the books.",
        member=_stays(State.PAID, Action.GIVE_AGAIN),
        staff=_stays(State.PAID, *_MONEY),
    ),
    State.ACTIVE: Row(
        "It runs; the next payment is known.",
        news={
            State.PAST_DUE: "a renewal failed and is tried again",
            State.PAUSED: "it was paused",
            State.CANCELLING: "it was cancelled to the end of the paid time",
        }
        | _ENDS,
        member=_stays(State.ACTIVE, Action.CHANGE, Action.NEW_CARD)
        | {Action.PAUSE: _to(State.PAUSED), Action.CANCEL: _to(State.CANCELLING)},
        staff=_stays(State.ACTIVE, Action.CHANGE)
        | {
            Action.PAUSE: _to(State.PAUSED),
            Action.CANCEL: _to(State.CANCELLING),
            Action.CANCEL_NOW: _to(State.ENDED),
        }
        | _stays(State.ACTIVE, *_MONEY),
    ),
    State.PAST_DUE: Row(
        "A renewal failed. It is tried again, and the giver stays a patron for the days of grace.",
        news={
            State.ACTIVE: "the payment came",
            State.PAUSED: "it was paused at the provider",
            State.CANCELLING: "it was cancelled at the provider to the end of the period",
        }
        | _ENDS,
        # Nothing is paid ahead, so a cancellation has nothing to wait for, and the failed payment is dropped.
        member=_stays(State.PAST_DUE, Action.CHANGE, Action.NEW_CARD)
        | {Action.PAY_NOW: _to(State.ACTIVE, State.PAST_DUE), Action.CANCEL: _to(State.ENDED)},
        staff=_stays(State.PAST_DUE, Action.CHANGE)
        | {
            Action.PAY_NOW: _to(State.ACTIVE, State.PAST_DUE),
            Action.CANCEL: _to(State.ENDED),
            Action.CANCEL_NOW: _to(State.ENDED),
        }
        | _stays(State.PAST_DUE, *_MONEY),
    ),
    State.PAUSED: Row(
        "Nothing is taken until a date; then it goes on by itself.",
        news={
            State.ACTIVE: "the pause is over",
            State.PAST_DUE: "the pause is over, and a payment failed",
            State.CANCELLING: "it was cancelled",
        }
        | _ENDS,
        member=_stays(State.PAUSED, Action.CHANGE, Action.NEW_CARD)
        | {Action.RESUME: _to(State.ACTIVE), Action.CANCEL: _to(State.CANCELLING)},
        staff=_stays(State.PAUSED, Action.CHANGE)
        | {
            Action.RESUME: _to(State.ACTIVE),
            Action.CANCEL: _to(State.CANCELLING),
            Action.CANCEL_NOW: _to(State.ENDED),
        }
        | _stays(State.PAUSED, *_MONEY),
    ),
    State.CANCELLING: Row(
        "It is cancelled: nothing more is taken, and it ends with the paid time. Until then it can be kept.",
        news={
            State.ACTIVE: "it is kept",
            State.PAUSED: "it is kept, and paused as it was",
            State.PAST_DUE: "it is kept, and a payment is still open",
        }
        | _ENDS,
        member={Action.KEEP: _to(State.ACTIVE, State.PAUSED, State.PAST_DUE)},
        staff={
            Action.KEEP: _to(State.ACTIVE, State.PAUSED, State.PAST_DUE),
            Action.CANCEL_NOW: _to(State.ENDED),
        }
        | _stays(State.CANCELLING, *_MONEY),
    ),
    State.LAPSED: Row(
        "It ended because payments did not go through.",
        news={
            State.ACTIVE: "the open payment was paid late",
            State.PAST_DUE: "the provider tries the open payment again",
            State.PAUSED: "it was paid late, and is paused",
            State.CANCELLING: "it was paid late, and its end is planned",
            State.ENDED: "the provider closed it",
        },
        member=_stays(State.LAPSED, Action.COME_BACK),
        staff=_stays(State.LAPSED, *_MONEY),
    ),
    State.ENDED: Row(
        "It is over, as the giver or the newsroom wished. No news revives it.",
        member=_stays(State.ENDED, Action.COME_BACK),
        staff=_stays(State.ENDED, *_MONEY),
    ),
}

# From each state, where news may take it. Money that arrives late still counts: an abandoned checkout that
# turns out to be paid becomes what it is.
NEXT: dict[State, frozenset[State]] = {state: frozenset(row.news) for state, row in TABLE.items()}
LIVE = frozenset({State.ACTIVE, State.PAST_DUE, State.PAUSED, State.CANCELLING})
UNPAID = frozenset({State.STARTED, State.ABANDONED})


def may_become(now: State, then: State) -> bool:
    """Whether news may move a contribution from `now` to `then`; staying is no move."""
    return then in NEXT[now]


def actions_of(state: State, who: Who) -> tuple[Action, ...]:
    """What `who` may do about a contribution in `state`, in the order of `Action`; never empty.

    For support that goes through the provider: one booked by hand has nothing to change, pause or cancel there.
    """
    exits = exits_of(state, who)
    return tuple(action for action in Action if action in exits)


def exits_of(state: State, who: Who) -> Exits:
    """Each action that `who` may take in `state`, with the states that it may end in."""
    row = TABLE[state]
    return row.member if who is Who.MEMBER else row.staff


def who_is(actor: str) -> Who:
    """Whose actions `actor` (as the timeline writes it: "member", "staff:<public id>") may take."""
    return Who.MEMBER if actor == Who.MEMBER else Who.STAFF


def state_of_subscription(
    status: SubscriptionStatus,
    now: State,
    *,
    is_cancelling: bool,
    is_chosen: bool = False,
    is_given_up: bool = False,
) -> State | None:
    """The state that a running contribution takes when its subscription is seen so; None: nothing is to change.

    `is_chosen`: somebody asked for its end, so that ending while a payment is open is no lapse. `is_given_up`: the
    provider says that it ended for want of a payment, which may be the first that we hear of it.
    """
    match status:
        case SubscriptionStatus.ACTIVE:
            return State.CANCELLING if is_cancelling else State.ACTIVE
        case SubscriptionStatus.PAST_DUE:
            return State.CANCELLING if is_cancelling else State.PAST_DUE
        case SubscriptionStatus.PAUSED:
            return State.CANCELLING if is_cancelling else State.PAUSED
        case SubscriptionStatus.UNPAID:
            return State.LAPSED
        case SubscriptionStatus.ENDED:
            was_open = now in {State.PAST_DUE, State.LAPSED} or (is_given_up and now in LIVE)
            has_lapsed = was_open and not is_chosen
            return State.LAPSED if has_lapsed else State.ENDED
    return None


def money_state(charged: Money, refunded: Money, disputed: Money, *, was_disputed: bool) -> MoneyState:
    """What became of a payment: `refunded` and `disputed` are what is out by each way now (zero: nothing).

    `was_disputed`: there was a dispute, whose money may have come back.
    """
    if disputed.minor:
        return MoneyState.DISPUTED
    if refunded.minor >= charged.minor:
        return MoneyState.REFUNDED
    if refunded.minor:
        return MoneyState.PARTLY_REFUNDED
    return MoneyState.WON if was_disputed else MoneyState.KEPT


def yearly_level(state: State, amount: Money, rhythm: Rhythm) -> Money:
    """What a contribution brings in a year as it stands: nothing while it is paused or over."""
    is_charged = state in LIVE and state is not State.PAUSED
    return amount * rhythm.times_a_year if is_charged else Money(0, amount.currency)


def thanks_state(state: str, *, has_open_page: bool, is_pending: bool = False) -> str:
    """What the thanks page may say: "confirmed" money, "pending" where a bank has it for days, "waiting" for word of
    it, page still "open", or "ended".
    """
    if state == State.ABANDONED:
        return "ended"
    if state != State.STARTED:
        return "confirmed"
    if is_pending:
        return "pending"
    return "open" if has_open_page else "waiting"
