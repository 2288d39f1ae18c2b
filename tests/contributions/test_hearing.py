"""News in states that the sandbox's ordinary life does not reach: each has its end."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from membership.billing.booking import book
from membership.billing.port import (
    CheckoutExpired,
    CheckoutFinished,
    NotKnownYet,
    PaymentFact,
    PaymentFailed,
    PaymentPending,
    RefundFailed,
    ReversalFact,
    SubscriptionSeen,
    SubscriptionStatus,
)
from membership.billing.queries import payments_of
from membership.contributions import queries, services
from membership.contributions.models import Contribution, Refund
from membership.contributions.services.refunding import left_of, write_down
from membership.db import db, transaction
from membership.kernel import clock
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from membership.patrons.models import Grace, Movement
from membership.patrons.queries import standing_of
from membership.patrons.rules import Why
from membership.wiring import EVENT_HANDLERS

CHARGE = Money(800, "EUR")


def tell(event):
    """News as billing tells it: facts of money are booked first, in the same transaction."""
    with transaction("test.tell"):
        if isinstance(event, PaymentFact | ReversalFact):
            book(event)
            return
        for handler in EVENT_HANDLERS[type(event)]:
            handler(event)


@pytest.fixture
def reference(app):
    with transaction("test"):
        db.session.add(make_contribution("con_1"))
    return "con_1"


def make_contribution(reference, rhythm=Rhythm.MONTHLY, **changes):
    now = clock.now()
    values = {
        "reference": reference,
        "form_token": reference,
        "email": "reader@example.org",
        "locale": "en",
        "rhythm": rhythm.value,
        "currency": "EUR",
        "gift_minor": 800,
        "charge_minor": 800,
        "cup_minor": 400,
        "state": "started",
        "state_at": now,
        "created_at": now,
        "checkout_id": f"cs_{reference}",
        "checkout_expires_at": now + timedelta(hours=1),
        "attribution": {},
    }
    return Contribution(**values | changes)


def payment(number=1, reference="con_1", **changes):
    now = clock.now()
    values = {
        "payment_id": f"in_{number}",
        "reference": reference,
        "rhythm": Rhythm.MONTHLY,
        "charged": CHARGE,
        "fee": Money(37, "EUR"),
        "paid_at": now,
        "period_start": now,
        "period_end": now + timedelta(days=30),
        "subscription_id": f"sub_{reference}",
    }
    return PaymentFact(**values | changes)


def seen(status, reference="con_1", **changes):
    values = {
        "reference": reference,
        "subscription_id": f"sub_{reference}",
        "customer_id": "cus_1",
        "status": status,
        "raw_status": status.value,
        "amount": CHARGE,
        "rhythm": Rhythm.MONTHLY,
        "current_period_end": clock.now() + timedelta(days=30),
        "cancel_at": None,
        "ended_at": None,
    }
    return SubscriptionSeen(**values | changes)


def state(reference="con_1"):
    return queries.find_by_reference(reference).state


def standing(reference="con_1", after_days=0):
    person = queries.find_by_reference(reference).person_id
    return standing_of(person, clock.now() + timedelta(days=after_days))


def test_news_of_a_reference_that_nobody_knows_waits(app):
    for event in (payment(reference="con_x"), seen(SubscriptionStatus.ACTIVE, "con_x"), CheckoutExpired("con_x", "cs")):
        with pytest.raises(NotKnownYet):
            tell(event)


def test_a_debit_on_its_way_makes_nobody_a_patron_and_is_not_abandoned(reference):
    tell(CheckoutFinished(reference, "cs_con_1", "cus_1", "sub_con_1", paid=False))
    tell(seen(SubscriptionStatus.ACTIVE))
    services.abandon_overdue(clock.now() + timedelta(days=10))
    assert (state(), queries.find_by_reference(reference).person_id) == ("started", None)
    tell(payment())
    assert (state(), standing().why) == ("active", Why.PAID)


@pytest.mark.parametrize("wish", ["cancelling", "paused"])
def test_who_cancels_or_pauses_while_a_debit_is_on_its_way_stays_a_patron_meanwhile(reference, wish):
    month_ago = clock.now() - timedelta(days=31)
    tell(payment(paid_at=month_ago, period_start=month_ago, period_end=clock.now() - timedelta(days=1)))
    tell(seen(SubscriptionStatus.ACTIVE))
    tell(PaymentPending(reference, CHARGE, clock.now() - timedelta(hours=1)))
    assert standing().is_patron
    if wish == "cancelling":
        tell(seen(SubscriptionStatus.ACTIVE, cancel_at=clock.now() + timedelta(days=30)))
    else:
        tell(seen(SubscriptionStatus.PAUSED, paused_until=clock.now() + timedelta(days=30)))
    assert (state(), standing().is_patron) == (wish, True)


def test_word_of_a_debit_for_support_that_is_over_makes_nobody_a_patron(reference):
    month_ago = clock.now() - timedelta(days=31)
    tell(payment(paid_at=month_ago, period_start=month_ago, period_end=clock.now() - timedelta(days=1)))
    tell(seen(SubscriptionStatus.ENDED, ended_at=clock.now() - timedelta(hours=2)))
    tell(PaymentPending(reference, CHARGE, clock.now() - timedelta(hours=1)))
    assert (state(), standing().is_patron) == ("ended", False)


def test_lapsed_support_that_is_paid_late_while_its_end_is_planned_can_still_be_kept(reference):
    tell(payment())
    tell(seen(SubscriptionStatus.UNPAID))
    assert state() == "lapsed"
    tell(seen(SubscriptionStatus.ACTIVE, cancel_at=clock.now() + timedelta(days=20)))
    assert state() == "cancelling"
    tell(seen(SubscriptionStatus.ACTIVE))
    assert (state(), queries.find_by_reference(reference).ends_at) == ("active", None)


def test_a_first_debit_that_bounces_ends_abandoned(reference):
    tell(CheckoutFinished(reference, "cs_con_1", "cus_1", "sub_con_1", paid=False))
    tell(seen(SubscriptionStatus.ENDED, ended_at=clock.now()))
    assert state() == "abandoned"


def test_a_one_time_debit_that_bounces_ends_abandoned(app):
    with transaction("test"):
        db.session.add(make_contribution("con_2", Rhythm.ONCE))
    tell(CheckoutFinished("con_2", "cs_con_2", "cus_1", None, paid=False))
    tell(PaymentFailed("con_2", "ch_1", CHARGE, clock.now(), "insufficient_funds", None, None))
    assert state("con_2") == "abandoned"


def test_money_for_an_abandoned_page_still_counts(reference):
    tell(CheckoutExpired(reference, "cs_con_1"))
    assert state() == "abandoned"
    tell(payment())
    assert (state(), standing().is_covered) == ("active", True)


def test_the_end_of_an_older_page_does_not_abandon_the_newer_one(reference):
    tell(CheckoutExpired(reference, "cs_older"))
    assert state() == "started"


def failure(days_ago):
    return PaymentFailed(
        "con_1", f"in_2:{days_ago}", CHARGE, clock.now() - timedelta(days=days_ago), "card_declined", None, "sub_con_1"
    )


def test_a_failed_renewal_opens_grace_and_its_recovery_closes_it(reference):
    tell(payment())
    tell(seen(SubscriptionStatus.PAST_DUE))
    assert state() == "past_due"
    assert standing(after_days=10).is_covered, "paid time is never shortened"
    with transaction("test"):
        for grace in db.session.scalars(select(Grace)):
            grace.until = clock.now() + timedelta(days=40)
    assert standing(after_days=35).why is Why.GRACE
    tell(seen(SubscriptionStatus.ACTIVE))
    assert (state(), standing(after_days=35).why) == ("active", Why.ENDED)


@pytest.mark.parametrize("heard_first", ["failure", "subscription"])
def test_grace_runs_from_the_failure_whenever_it_is_heard(reference, heard_first):
    tell(payment(period_start=clock.now() - timedelta(days=40), period_end=clock.now() - timedelta(days=10)))
    news = [failure(days_ago=10), seen(SubscriptionStatus.PAST_DUE)]
    for event in news if heard_first == "failure" else reversed(news):
        tell(event)
    now = standing()
    assert now.why is Why.GRACE
    assert abs(now.until - (clock.now() + timedelta(days=4))) < timedelta(minutes=1)


def test_retries_that_end_make_it_lapse(reference):
    tell(payment())
    tell(seen(SubscriptionStatus.PAST_DUE))
    tell(seen(SubscriptionStatus.ENDED, ended_at=clock.now()))
    assert (state(), level()) == ("lapsed", 0)
    assert standing(after_days=31).why is Why.ENDED


def test_a_subscription_left_unpaid_has_lapsed_and_a_late_payment_revives_it(reference):
    tell(payment())
    tell(seen(SubscriptionStatus.UNPAID))
    assert (state(), level()) == ("lapsed", 0)
    tell(seen(SubscriptionStatus.ACTIVE))
    assert (state(), level()) == ("active", 9600)


def test_what_is_left_unpaid_and_was_to_end_later_can_still_be_paid_late(reference):
    tell(payment())
    tell(seen(SubscriptionStatus.UNPAID, cancel_at=clock.now() + timedelta(days=20)))
    assert state() == "lapsed"
    tell(seen(SubscriptionStatus.ACTIVE))
    assert state() == "active"


def test_a_paused_support_brings_nothing_until_it_goes_on(reference):
    tell(payment())
    tell(seen(SubscriptionStatus.PAUSED))
    assert (state(), level(), queries.find_by_reference(reference).next_payment_at) == ("paused", 0, None)
    tell(seen(SubscriptionStatus.ACTIVE))
    assert (state(), level()) == ("active", 9600)


def test_an_ended_support_is_lost_on_the_day_it_ended(reference):
    tell(payment())
    ended_at = clock.now() + timedelta(days=3)
    tell(seen(SubscriptionStatus.ENDED, ended_at=ended_at))
    lost = db.session.scalars(select(Movement).where(Movement.kind == "lost")).one()
    assert (lost.at, lost.yearly_delta_minor) == (ended_at, -9600)


def test_an_amount_changed_at_the_provider_is_what_pages_say(reference):
    tell(payment())
    tell(seen(SubscriptionStatus.ACTIVE, amount=Money(4000, "EUR"), rhythm=Rhythm.YEARLY))
    contribution = queries.find_by_reference(reference)
    assert (contribution.charge, contribution.rhythm, level()) == (Money(4000, "EUR"), "yearly", 4000)


def level():
    return sum(db.session.scalars(select(Movement.yearly_delta_minor)))


def test_a_cancellation_keeps_what_is_paid_and_can_be_undone(reference):
    tell(payment())
    end = clock.now() + timedelta(days=30)
    tell(seen(SubscriptionStatus.ACTIVE, cancel_at=end))
    contribution = queries.find_by_reference(reference)
    assert (contribution.state, contribution.ends_at, contribution.next_payment_at) == ("cancelling", end, None)
    tell(seen(SubscriptionStatus.ACTIVE))
    assert state() == "active"
    assert standing(after_days=29).is_covered


def test_an_unknown_status_grants_nothing_and_ends_nothing(reference):
    tell(seen(SubscriptionStatus.UNKNOWN, raw_status="wobbly"))
    assert state() == "started"
    tell(payment())
    tell(seen(SubscriptionStatus.UNKNOWN, raw_status="wobbly"))
    assert (state(), standing(after_days=31).why) == ("active", Why.ENDED)


def reversal(number, amount, **changes):
    values = {
        "reversal_id": f"re_{number}",
        "payment_id": "in_1",
        "amount": amount,
        "fee": None,
        "at": clock.now() - timedelta(seconds=1),
        "reason": "refund",
    }
    return ReversalFact(**values | changes)


def test_a_payment_wholly_returned_in_two_parts_covers_nothing_more(reference):
    tell(payment())
    tell(reversal(1, Money(300, "EUR")))
    assert standing().is_covered
    tell(reversal(2, Money(500, "EUR")))
    assert not standing().is_patron


def wish_back(*tokens):
    """Wishes to give 3.00 of the payment back, and what becomes of each."""
    payment = payments_of(["con_1"])[0]
    with transaction("test"):
        for token in tokens:
            write_down(payment, Money(300, "EUR"), "They asked.", "staff:per_1", clock.now(), token=token)


def states_of_wishes():
    db.session.rollback()
    return list(db.session.scalars(select(Refund.state).order_by(Refund.id)))


def test_of_two_refunds_alike_only_the_one_that_failed_is_failed(reference):
    tell(payment())
    wish_back("first", "second")
    for number, token in enumerate(("first", "second")):
        tell(reversal(number, Money(300, "EUR"), mark=f"refund:{token}"))
    assert states_of_wishes() == ["done", "done"]
    came_back = {"reason": "refund_failed", "is_returned": True, "mark": "refund:second"}
    tell(reversal(1, Money(300, "EUR"), **came_back))
    with transaction("test"):
        book(RefundFailed("in_1", "refund:second", clock.now()))
    assert states_of_wishes() == ["done", "failed"]
    assert left_of(payments_of(["con_1"])[0]) == Money(500, "EUR")


def test_what_staff_gave_back_at_the_provider_settles_the_oldest_wish_of_that_amount(reference):
    tell(payment())
    wish_back("first", "second")
    tell(reversal(1, Money(300, "EUR")))
    assert states_of_wishes() == ["done", "asked"]


@pytest.mark.parametrize("heard_first", ["refund", "dispute"])
def test_coverage_ends_when_the_last_of_the_money_went_whichever_part_is_heard_last(reference, heard_first):
    tell(payment(paid_at=clock.now() - timedelta(days=9), period_start=clock.now() - timedelta(days=9)))
    refunded_at, disputed_at = clock.now() - timedelta(days=6), clock.now() - timedelta(days=2)
    parts = [
        reversal(1, Money(300, "EUR"), at=refunded_at),
        reversal(2, Money(500, "EUR"), at=disputed_at, reason="dispute"),
    ]
    for part in parts if heard_first == "refund" else reversed(parts):
        tell(part)
    assert standing().until == disputed_at


def test_a_dispute_that_is_won_gives_the_coverage_back(reference):
    tell(payment())
    tell(reversal(1, CHARGE, reason="dispute"))
    assert not standing().is_patron
    tell(reversal(1, CHARGE, reason="dispute_won", is_returned=True))
    assert standing().is_covered
