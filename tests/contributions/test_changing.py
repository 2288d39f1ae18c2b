"""What a giver does about support that runs, through the services, with the real SDK and the sandbox."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from membership.accounts.queries import timeline
from membership.billing.services import sync
from membership.contributions import services
from membership.contributions.rules import State, Terms, pause_ends, payment_after_pause
from membership.db import db
from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput, ProviderFailed
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from membership.mail.models import OutboxMail
from membership.patrons.models import Movement
from membership.patrons.queries import standing_of
from tests.factories.support import begin_support, order_fault, pass_days, support_in, terms


@pytest.fixture(autouse=True)
def fresh(sandbox):
    sandbox.reset()
    yield
    clock.use_offset(clock.no_offset)


@pytest.fixture
def support(app, sandbox):
    return begin_support(sandbox)


def mails(support):
    """Kinds of mail so far about what was changed."""
    db.session.rollback()
    kinds = db.session.scalars(select(OutboxMail.kind).order_by(OutboxMail.id))
    ours = {"changed", "paused", "resumed", "cancelled", "ended"}
    return [kind.partition("/")[2] for kind in kinds if kind.partition("/")[2] in ours]


def moves():
    db.session.rollback()
    rows = db.session.scalars(select(Movement).order_by(Movement.id))
    return [(row.kind, row.yearly_delta_minor) for row in rows]


def test_fewer_cups_count_from_the_next_payment_and_nothing_is_charged_now(sandbox, support):
    services.change(support.reference, terms(1), "a")
    assert (support.row.terms, support.row.next_terms) == (terms(1), None)
    assert support.charges() == [800]
    assert moves() == [("new", 9600), ("less", -4800)]
    assert mails(support) == ["changed"]
    pass_days(sandbox, 32)
    assert support.charges() == [800, 400]


def test_a_covered_fee_stays_a_fee_and_is_no_cup(sandbox, support):
    wanted = terms(4, covers_fees=True)
    services.change(support.reference, wanted, "a")
    row = support.row
    assert (row.gift, row.charge) == (wanted.gift, wanted.charge)
    assert row.charge != row.gift


def test_an_amount_that_somebody_set_at_the_provider_is_a_gift_as_a_whole(sandbox, support):
    import requests

    item = support.at_stripe["items"]["data"][0]
    price = {
        "currency": "eur",
        "unit_amount": 1234,
        "product": item["price"]["product"],
        "recurring": {"interval": "month"},
    }
    data = {"items[0][id]": item["id"], "proration_behavior": "none"}
    data |= {f"items[0][price_data][{key}]": value for key, value in price.items() if key != "recurring"}
    data |= {"items[0][price_data][recurring][interval]": "month"}
    url = f"{sandbox.public_url}/v1/subscriptions/{support.row.subscription_id}"
    requests.post(url, data=data, auth=("sk_test_123456789", ""), timeout=20).raise_for_status()
    sync("subscription", support.row.subscription_id)
    assert support.row.terms == Terms(Money(1234, "EUR"), Money(1234, "EUR"), Money(400, "EUR"), Rhythm.MONTHLY)


def test_another_rhythm_of_the_same_level_moves_nothing_and_charges_nothing_before_the_paid_time_is_over(
    sandbox, support
):
    next_payment_at = support.row.next_payment_at
    services.change(support.reference, terms(2, Rhythm.YEARLY), "a")
    assert (support.row.rhythm, support.row.next_payment_at) == ("yearly", next_payment_at)
    assert moves() == [("new", 9600)]
    assert support.charges() == [800]
    pass_days(sandbox, 32)
    support.read_again()
    assert support.charges() == [800, 9600]
    assert moves() == [("new", 9600)]


def test_dropping_the_fee_and_giving_it_instead_asks_nobody(sandbox, app):
    covered = terms(2, covers_fees=True)
    support = begin_support(sandbox, covered)
    whole = Terms(covered.charge, covered.charge, covered.cup, covered.rhythm)
    order_fault(sandbox, "POST /v1/subscriptions/*", "500")
    services.change(support.reference, whole, "a")
    assert (support.row.terms, support.row.next_terms) == (whole, None)


def test_what_is_given_already_is_no_change(support):
    with pytest.raises(InvalidInput, match="already"):
        services.change(support.reference, terms(2), "a")
    assert moves() == [("new", 9600)]


def test_a_change_that_is_refused_for_certain_leaves_no_trace_on_the_terms(sandbox, support):
    order_fault(sandbox, "POST /v1/subscriptions/*", "500")
    with pytest.raises(ProviderFailed):
        services.change(support.reference, terms(1), "a")
    row = support.row
    assert (row.terms, row.next_terms, mails(support)) == (terms(2), None, [])
    services.change(support.reference, terms(1), "a")
    assert (support.row.terms, support.row.next_terms) == (terms(1), None)


def test_a_lost_answer_keeps_the_wish_until_it_is_found_out_and_changes_it_once(sandbox, support):
    wanted = terms(1, covers_fees=True)
    order_fault(sandbox, "* /v1/subscriptions/*", "lost_reply", times=9)
    with pytest.raises(ProviderFailed) as failed:
        services.change(support.reference, wanted, "a")
    sandbox.faults.clear()
    assert failed.value.outcome_unknown
    assert (support.row.terms, support.row.next_terms) == (terms(2), wanted)
    services.change(support.reference, wanted, "a")
    assert (support.row.terms, support.row.next_terms) == (wanted, None)
    assert mails(support) == ["changed"]


def test_two_presses_at_once_change_it_once(app, sandbox, support):
    def press(_):
        with app.app_context():
            services.change(support.reference, terms(4), "same")
            db.session.remove()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(press, range(2)))
    asked = [entry for entry in timeline(support.row.person_id) if entry.kind == "support_asked"]
    assert len(asked) == 1
    assert moves() == [("new", 9600), ("more", 9600)]


def test_a_pause_takes_nothing_until_its_day_and_then_goes_on_by_itself(sandbox, support):
    began, until = clock.now(), pause_ends(clock.now(), 2)
    due = payment_after_pause(support.row.next_payment_at, Rhythm.MONTHLY, until)
    services.pause(support.reference, until, "a")
    assert (support.state, support.row.paused_until, support.row.next_payment_at) == (State.PAUSED, until, None)
    assert standing_of(support.row.person_id, clock.now()).is_covered, "what is paid stays"
    pass_days(sandbox, 40)
    support.read_again()
    assert (support.state, support.charges()) == (State.PAUSED, [800])
    pass_days(sandbox, (due - began).days + 1 - 40)
    support.read_again()
    assert (support.state, support.charges(), support.row.paused_until) == (State.ACTIVE, [800, 800], None)
    assert mails(support) == ["paused", "resumed"]
    assert sum(delta for _, delta in moves()) == 9600


def test_a_pause_may_end_early_and_charges_nothing_on_that_day(sandbox, support):
    services.pause(support.reference, pause_ends(clock.now(), 3), "a")
    services.resume(support.reference, "b")
    assert (support.state, support.charges()) == (State.ACTIVE, [800])
    assert support.row.next_payment_at is not None


@pytest.mark.parametrize("days", [-1, 200])
def test_a_pause_into_the_past_or_beyond_six_months_is_refused(support, days):
    with pytest.raises(InvalidInput):
        services.pause(support.reference, clock.now() + timedelta(days=days), "a")
    assert support.state is State.ACTIVE


def test_a_pause_that_leaves_out_no_payment_is_refused(app, sandbox):
    support = begin_support(sandbox, terms(1, Rhythm.YEARLY))
    with pytest.raises(InvalidInput) as refused:
        services.pause(support.reference, pause_ends(clock.now(), 6), "a")
    assert refused.value.code == "pause_too_short"
    assert support.state is State.ACTIVE


def test_stopping_keeps_what_is_paid_takes_nothing_more_and_ends_with_the_paid_time(sandbox, support):
    services.cancel(support.reference, "a", words="money: rent went up")
    row = support.row
    assert (row.state, row.cancel_reason) == ("cancelling", "money: rent went up")
    assert standing_of(row.person_id, clock.now()).until == row.ends_at
    pass_days(sandbox, 32)
    support.read_again()
    assert (support.state, support.charges()) == (State.ENDED, [800])
    assert mails(support) == ["cancelled", "ended"]
    assert moves() == [("new", 9600), ("lost", -9600)]


def test_stopping_can_be_taken_back_until_the_end_and_leaves_no_reason(sandbox, support):
    services.cancel(support.reference, "a", words="other")
    services.keep(support.reference, "b")
    assert (support.state, support.row.cancel_reason, support.row.ends_at) == (State.ACTIVE, None, None)
    pass_days(sandbox, 32)
    support.read_again()
    assert support.charges() == [800, 800]
    assert mails(support) == ["cancelled", "resumed"]
    assert moves() == [("new", 9600)]


def test_stopping_a_paused_support_does_not_bring_it_back_in_the_figures(sandbox, app):
    support = support_in(sandbox, State.PAUSED)
    services.cancel(support.reference, "c")
    assert support.state is State.CANCELLING
    assert sum(delta for _, delta in moves()) == 0
    services.keep(support.reference, "d")
    assert support.state is State.PAUSED
    assert sum(delta for _, delta in moves()) == 0


def test_stopping_while_a_payment_is_open_drops_it_and_is_no_lapse(sandbox, app):
    support = support_in(sandbox, State.PAST_DUE)
    services.cancel(support.reference, "a")
    assert support.state is State.ENDED
    pass_days(sandbox, 40)
    support.read_again()
    assert (support.state, support.charges()) == (State.ENDED, [800])
    assert mails(support) == ["ended"]
    assert not standing_of(support.row.person_id, clock.now()).is_patron


def test_what_has_ended_is_not_revived_by_an_old_word(sandbox, app):
    from membership.billing.port import SubscriptionSeen, SubscriptionStatus
    from membership.db import transaction

    support = support_in(sandbox, State.ENDED)
    before = (support.row.ends_at, support.row.next_payment_at, moves())
    row = support.row
    old = SubscriptionSeen(
        row.reference, row.subscription_id, row.customer_id, SubscriptionStatus.ACTIVE, "active",
        Money(99_00, "EUR"), Rhythm.MONTHLY, clock.now() + timedelta(days=30), None, None,
    )  # fmt: skip
    with transaction("test"):
        services.hear_subscription(old)
    assert (support.row.ends_at, support.row.next_payment_at, moves()) == before
    assert (support.state, support.row.charge) == (State.ENDED, Money(800, "EUR"))


def test_hearing_the_same_again_writes_no_second_mail_movement_or_line(sandbox, support):
    services.cancel(support.reference, "a")
    for _ in range(3):
        support.read_again()
    assert mails(support) == ["cancelled"]
    lines = [entry.details for entry in timeline(support.row.person_id) if entry.kind == "contribution_state"]
    assert [line["state"] for line in lines] == ["cancelling", "active"]


def test_who_came_back_after_a_lapse_has_one_account_and_is_back_in_the_figures(sandbox, app):
    support = support_in(sandbox, State.LAPSED)
    again = begin_support(sandbox, email=support.email)
    assert again.row.person_id == support.row.person_id
    assert (support.state, again.state) == (State.LAPSED, State.ACTIVE)
    assert moves()[-1] == ("back", 9600)


def test_our_staff_do_the_same_with_their_reason_in_the_history(sandbox, support):
    services.change(support.reference, terms(1), "a", actor="staff:per_1", reason="Asked by mail")
    services.cancel_now(support.reference, "b", actor="staff:per_1", reason="Card was stolen")
    assert support.state is State.ENDED
    asked = [entry for entry in timeline(support.row.person_id) if entry.kind == "support_asked"]
    assert [(entry.actor, entry.details["action"], entry.details["reason"]) for entry in asked] == [
        ("staff:per_1", "cancel_now", "Card was stolen"),
        ("staff:per_1", "change", "Asked by mail"),
    ]


def test_a_member_cannot_end_it_at_once(support):
    with pytest.raises(Conflict):
        services.cancel_now(support.reference, "a", actor="member", reason="")
    assert support.state is State.ACTIVE
