"""The table of states, written down a second time by hand, and the decisions that follow from it."""

import pytest

from membership.billing.port import SubscriptionStatus
from membership.contributions.rules import State, Who, actions_of, may_become, state_of_subscription, yearly_level
from membership.contributions.rules.states import MoneyState, exits_of, money_state, thanks_state, who_is
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm

MAY_BECOME = {
    "started": "abandoned paid active",
    "abandoned": "paid active",
    "paid": "",
    "active": "past_due paused cancelling lapsed ended",
    "past_due": "active paused cancelling lapsed ended",
    "paused": "active past_due cancelling lapsed ended",
    "cancelling": "active paused past_due lapsed ended",
    "lapsed": "active past_due paused cancelling ended",
    "ended": "",
}
MEMBER = {
    "started": "come_back",
    "abandoned": "come_back",
    "paid": "give_again",
    "active": "change pause cancel new_card",
    "past_due": "change cancel pay_now new_card",
    "paused": "change resume cancel new_card",
    "cancelling": "keep",
    "lapsed": "come_back",
    "ended": "come_back",
}
STAFF = {
    "started": "comp book_offline",
    "abandoned": "comp book_offline",
    "paid": "refund comp book_offline",
    "active": "change pause cancel cancel_now refund comp book_offline",
    "past_due": "change cancel cancel_now pay_now refund comp book_offline",
    "paused": "change resume cancel cancel_now refund comp book_offline",
    "cancelling": "keep cancel_now refund comp book_offline",
    "lapsed": "refund comp book_offline",
    "ended": "refund comp book_offline",
}
# Where an action leads elsewhere than back to the same state.
LEADS = {
    ("active", "pause"): "paused",
    ("active", "cancel"): "cancelling",
    ("past_due", "pay_now"): "active past_due",
    ("past_due", "cancel"): "ended",
    ("paused", "resume"): "active",
    ("paused", "cancel"): "cancelling",
    ("cancelling", "keep"): "active paused past_due",
}


@pytest.mark.parametrize("now", State)
def test_news_moves_a_contribution_exactly_where_the_table_says(now):
    assert {then.value for then in State if may_become(now, then)} == set(MAY_BECOME[now].split())


@pytest.mark.parametrize(("who", "table"), [(Who.MEMBER, MEMBER), (Who.STAFF, STAFF)])
@pytest.mark.parametrize("state", State)
def test_everybody_is_offered_what_the_table_says_in_one_order(state, who, table):
    assert [action.value for action in actions_of(state, who)] == table[state].split()


@pytest.mark.parametrize("who", Who)
@pytest.mark.parametrize("state", State)
def test_an_action_ends_where_the_table_says(state, who):
    for action, ends in exits_of(state, who).items():
        same = "ended" if action == "cancel_now" else state.value
        assert {end.value for end in ends} == set(LEADS.get((state.value, action.value), same).split()), action


def test_an_actor_is_the_member_or_somebody_of_the_newsroom():
    assert [who_is("member"), who_is("staff:per_1")] == [Who.MEMBER, Who.STAFF]


SEEN = [
    (SubscriptionStatus.ACTIVE, State.ACTIVE),
    (SubscriptionStatus.PAST_DUE, State.PAST_DUE),
    (SubscriptionStatus.PAUSED, State.PAUSED),
]


@pytest.mark.parametrize("now", State)
@pytest.mark.parametrize(("status", "state"), SEEN)
def test_support_stands_as_it_is_seen_and_its_coming_end_comes_first(status, state, now):
    assert state_of_subscription(status, now, is_cancelling=False) is state
    assert state_of_subscription(status, now, is_cancelling=True) is State.CANCELLING


@pytest.mark.parametrize("is_cancelling", [False, True])
@pytest.mark.parametrize("now", State)
def test_what_is_unpaid_has_lapsed_and_an_unknown_word_changes_nothing(now, is_cancelling):
    assert state_of_subscription(SubscriptionStatus.UNPAID, now, is_cancelling=is_cancelling) is State.LAPSED
    for status in (SubscriptionStatus.UNKNOWN, SubscriptionStatus.INCOMPLETE):
        assert state_of_subscription(status, now, is_cancelling=is_cancelling) is None


@pytest.mark.parametrize("now", State)
def test_an_end_is_a_lapse_only_where_a_payment_was_open_and_nobody_asked_for_it(now):
    has_lapsed = now in {State.PAST_DUE, State.LAPSED}
    ended = SubscriptionStatus.ENDED
    assert state_of_subscription(ended, now, is_cancelling=False) is (State.LAPSED if has_lapsed else State.ENDED)
    assert state_of_subscription(ended, now, is_cancelling=False, is_chosen=True) is State.ENDED


@pytest.mark.parametrize(
    ("refunded", "disputed", "was_disputed", "state"),
    [
        (0, 0, False, MoneyState.KEPT),
        (1, 0, False, MoneyState.PARTLY_REFUNDED),
        (799, 0, True, MoneyState.PARTLY_REFUNDED),
        (800, 0, False, MoneyState.REFUNDED),
        (801, 0, False, MoneyState.REFUNDED),
        (0, 1, True, MoneyState.DISPUTED),
        (800, 800, True, MoneyState.DISPUTED),
        (0, 0, True, MoneyState.WON),
    ],
)
def test_what_became_of_money_follows_from_what_is_out(refunded, disputed, was_disputed, state):
    out = (Money(refunded, "EUR"), Money(disputed, "EUR"))
    assert money_state(Money(800, "EUR"), *out, was_disputed=was_disputed) is state


@pytest.mark.parametrize("state", State)
def test_support_brings_its_amount_while_it_is_charged_and_nothing_else(state):
    is_charged = state in {State.ACTIVE, State.PAST_DUE, State.CANCELLING}
    for rhythm, times in ((Rhythm.MONTHLY, 12), (Rhythm.YEARLY, 1), (Rhythm.ONCE, 0)):
        wanted = Money(800 * times if is_charged else 0, "UAH")
        assert yearly_level(state, Money(800, "UAH"), rhythm) == wanted


@pytest.mark.parametrize("state", State)
def test_thanks_are_said_for_money_only(state):
    said = {
        thanks_state(state.value, has_open_page=has_open_page, is_pending=is_pending)
        for has_open_page in (False, True)
        for is_pending in (False, True)
    }
    if state is State.STARTED:
        assert thanks_state("started", has_open_page=True) == "open"
        assert thanks_state("started", has_open_page=False) == "waiting"
        assert thanks_state("started", has_open_page=True, is_pending=True) == "pending"
        assert said == {"open", "waiting", "pending"}
    else:
        assert said == ({"ended"} if state is State.ABANDONED else {"confirmed"})
