"""Every state with every action of member and staff: what is offered works and ends where the table says, what is not
offered is refused with a sentence and changes nothing.
"""

import pytest
from sqlalchemy import func, select

from membership.accounts.models import TimelineEntry
from membership.billing.port import SubscriptionStatus
from membership.contributions import services
from membership.contributions.models import Contribution
from membership.contributions.rules import (
    LIVE,
    NEXT,
    TABLE,
    Action,
    MoneyState,
    State,
    Who,
    actions_of,
    exits_of,
    money_state,
    pause_ends,
    state_of_subscription,
    who_is,
)
from membership.db import db
from membership.kernel import clock
from membership.kernel.errors import Conflict
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from membership.mail.models import OutboxMail
from tests.factories.people import any_token
from tests.factories.support import press, sign_in_as, support_in, terms

STAFF = {"actor": "staff:per_1", "reason": "They asked by mail"}
# The actions of this room's own services; the others have theirs (recovery, refunds, comps, offline money).
SERVICES = {
    Action.CHANGE: lambda support, key, **by: services.change(support.reference, terms(4), key, **by),
    Action.PAUSE: lambda support, key, **by: services.pause(support.reference, pause_ends(clock.now(), 2), key, **by),
    Action.RESUME: lambda support, key, **by: services.resume(support.reference, key, **by),
    Action.CANCEL: lambda support, key, **by: services.cancel(support.reference, key, **by),
    Action.KEEP: lambda support, key, **by: services.keep(support.reference, key, **by),
    Action.CANCEL_NOW: lambda support, key, **by: services.cancel_now(support.reference, key, **by),
}
PAGES = {
    Action.CHANGE: ("change?rhythm=monthly&cups=4", "change", {"rhythm": "monthly", "cups": "4", "amount": ""}),
    Action.PAUSE: ("pause?months=2", "pause", {"months": "2"}),
    Action.RESUME: ("resume", "resume", {}),
    Action.CANCEL: ("cancel", "cancel", {"reason": "money", "words": "rent"}),
    Action.KEEP: ("keep", "keep", {}),
}
OFFERED = [(state, who, action) for state in State for who in Who for action in actions_of(state, who)]


@pytest.fixture(autouse=True)
def fresh(sandbox):
    sandbox.reset()
    yield
    clock.use_offset(clock.no_offset)


# The table --------------------------------------------------------------------------------------------------------


def test_every_state_has_its_row_and_leads_on_for_news_or_for_the_giver_and_for_staff():
    assert set(TABLE) == set(State)
    for state in State:
        assert actions_of(state, Who.MEMBER), state
        assert actions_of(state, Who.STAFF), state


def test_from_every_running_state_the_giver_finds_a_way_out_and_a_way_on():
    for state in LIVE:
        reached, todo = set(), {state}
        while todo:
            reached |= todo
            ends = {end for one in todo for exits in exits_of(one, Who.MEMBER).values() for end in exits}
            todo = (ends | {end for one in todo for end in NEXT[one]}) - reached
        assert {State.ACTIVE, State.ENDED} <= reached, state


def test_an_action_ends_where_news_may_take_it():
    wrong = [
        (state, action, end)
        for state in State
        for who in Who
        for action, ends in exits_of(state, who).items()
        for end in ends
        if end is not state and end not in NEXT[state]
    ]
    assert wrong == []


def test_what_is_over_offers_a_new_beginning_and_no_news_revives_what_ended():
    assert Action.COME_BACK in actions_of(State.ENDED, Who.MEMBER)
    assert Action.COME_BACK in actions_of(State.LAPSED, Who.MEMBER)
    assert NEXT[State.ENDED] == frozenset()


def test_who_failed_has_the_most_buttons():
    failed = {who: len(actions_of(State.PAST_DUE, who)) for who in Who}
    for state in set(State) - {State.ACTIVE, State.PAST_DUE}:
        assert all(len(actions_of(state, who)) <= failed[who] for who in Who), state


@pytest.mark.parametrize("status", list(SubscriptionStatus))
@pytest.mark.parametrize("now", sorted(LIVE))
def test_a_word_of_the_provider_names_a_state_that_news_may_bring_or_nothing(status, now):
    for is_cancelling in (False, True):
        then = state_of_subscription(status, now, is_cancelling=is_cancelling)
        assert then is None or then is now or then in NEXT[now]
        if status in {SubscriptionStatus.UNKNOWN, SubscriptionStatus.INCOMPLETE}:
            assert then is None


def test_an_end_that_was_asked_for_while_a_payment_was_open_is_no_lapse():
    ended = SubscriptionStatus.ENDED
    assert state_of_subscription(ended, State.PAST_DUE, is_cancelling=False) is State.LAPSED
    assert state_of_subscription(ended, State.PAST_DUE, is_cancelling=False, is_chosen=True) is State.ENDED


def test_who_acts_is_read_from_the_name_in_the_history():
    assert (who_is("member"), who_is("staff:per_1")) == (Who.MEMBER, Who.STAFF)


@pytest.mark.parametrize(
    ("refunded", "disputed", "was_disputed", "state"),
    [
        (0, 0, False, MoneyState.KEPT),
        (1, 0, False, MoneyState.PARTLY_REFUNDED),
        (799, 0, False, MoneyState.PARTLY_REFUNDED),
        (800, 0, False, MoneyState.REFUNDED),
        (0, 800, True, MoneyState.DISPUTED),
        (300, 500, True, MoneyState.DISPUTED),
        (0, 0, True, MoneyState.WON),
        (800, 0, True, MoneyState.REFUNDED),
    ],
)
def test_what_became_of_a_payment_follows_from_what_left_and_came_back(refunded, disputed, was_disputed, state):
    assert money_state(_euros(800), _euros(refunded), _euros(disputed), was_disputed=was_disputed) is state


def _euros(minor):
    return Money(minor, "EUR")


# Walked, with the real provider's words ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "who", "action"), [row for row in OFFERED if row[2] in SERVICES], ids=lambda part: part.value
)
def test_each_offered_action_ends_in_the_state_that_the_table_says(app, sandbox, state, who, action):
    support = support_in(sandbox, state)
    if who is Who.MEMBER:
        url, to, typed = PAGES[action]
        answer = press(sign_in_as(app, support), support.url(url), **typed)
        assert answer.status_code == 303, answer.get_data(as_text=True)
        assert answer.location.startswith(support.url()), to
    else:
        SERVICES[action](support, f"{support.reference}:walk", **STAFF)
    assert support.state in exits_of(state, who)[action]
    support.read_again()
    assert support.state in exits_of(state, who)[action], "and stays there when it is read again"
    assert _who_asked(support) == ("member" if who is Who.MEMBER else "staff:per_1", action.value)


@pytest.mark.parametrize("state", list(State), ids=lambda state: state.value)
def test_each_action_that_is_not_offered_is_refused_with_a_sentence_and_changes_nothing(app, sandbox, state):
    support = support_in(sandbox, state)
    client = sign_in_as(app, support)
    before = _all_of(support)
    for action, (url, to, typed) in PAGES.items():
        if action in actions_of(state, Who.MEMBER):
            continue
        _refused_page(client, support, url, to, typed)
    for who, by in ((Who.MEMBER, {"actor": "member", "reason": "x"}), (Who.STAFF, STAFF)):
        for action in set(SERVICES) - set(actions_of(state, who)):
            with pytest.raises(Conflict) as refused:
                SERVICES[action](support, f"{action.value}:{who.value}", **by)
            assert refused.value.code == "not_offered"
    assert _all_of(support) == before


def _refused_page(client, support, url, to, typed):
    if support.row.is_unpaid:
        assert client.get(support.url(url)).status_code == 404, "nothing of it is shown before it is paid"
        return
    page = client.get(support.url(url))
    assert page.status_code == 200
    words = page.get_data(as_text=True)
    assert "cannot be done" in words
    assert 'name="form_token"' not in words, "no button that does nothing"
    with client.application.test_request_context():
        from membership.contributions.views.acting import new_token

        token = new_token(support.reference, to)
    sent = {"csrf_token": any_token(client), "form_token": token}
    answer = client.post(support.url(to), data=sent | typed)
    assert answer.status_code in {409, 422}
    assert "cannot be done" in answer.get_data(as_text=True)


def _all_of(support):
    """Everything that an action could have changed."""
    row = support.row
    columns = {column.name: getattr(row, column.name) for column in Contribution.__table__.columns}
    counts = [db.session.scalar(select(func.count()).select_from(table)) for table in (OutboxMail, TimelineEntry)]
    return columns, counts


def _who_asked(support):
    db.session.rollback()
    query = select(TimelineEntry).where(TimelineEntry.kind == "support_asked").order_by(TimelineEntry.id.desc())
    entry = db.session.scalars(query).first()
    return entry.actor, entry.details["action"]


def test_what_was_booked_by_hand_has_nothing_to_change_at_the_provider(app, sandbox):
    support = support_in(sandbox, State.ACTIVE)
    from membership.db import transaction

    with transaction("test"):
        row = support.row
        row.way = "bank"
    for action, act in SERVICES.items():
        with pytest.raises(Conflict):
            act(support, action.value, **STAFF)
    assert support.row.rhythm == Rhythm.MONTHLY
