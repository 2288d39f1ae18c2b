"""What we ask Stripe to do with support that runs: done once, read again, and told as it then stands."""

from dataclasses import replace
from datetime import timedelta

import pytest
from dateutil.relativedelta import relativedelta
from sqlalchemy import select

from membership.billing import asks, booking, intents, jobs
from membership.billing.models import ProviderIntent
from membership.billing.port import CardCollected, CardRequest, PaymentReceived, PaymentReversed, SubscriptionSeen
from membership.billing.port import SubscriptionStatus as Status
from membership.db import db, transaction
from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput, NotFound
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from tests.billing.conftest import make_payment
from tests.billing.test_way import assert_books_hold, connected_client, drain, make_request
from tests.factories.checkout import FAILS_AT_RENEWAL, GOOD_CARD, pay

EIGHT, FOUR = Money(800, "EUR"), Money(400, "EUR")


@pytest.fixture
def support(connected, news):
    """Monthly support that was paid, and the sandbox that keeps it."""
    return begin(connected, news)


def begin(sandbox, news, card=GOOD_CARD, **changes):
    page = intents.open_checkout(make_request(**changes), changes.get("reference", "con_1"))
    pay(page.url, card=card)
    drain(sandbox)
    return news.of(SubscriptionSeen)[-1]


def seen(news) -> SubscriptionSeen:
    return news.of(SubscriptionSeen)[-1]


def the_intent(kind) -> ProviderIntent:
    db.session.rollback()
    return db.session.scalars(select(ProviderIntent).where(ProviderIntent.kind == kind)).one()


def at_stripe(sandbox, subscription_id):
    return connected_client(sandbox).v1.subscriptions.retrieve(subscription_id)


def pass_time(sandbox, **span):
    sandbox.control("advance", **span)
    drain(sandbox)


# Other terms --------------------------------------------------------------------------------------------------


def test_another_amount_is_charged_from_the_next_payment_on_and_nothing_now(connected, news, support):
    asks.change(support.subscription_id, FOUR, Rhythm.MONTHLY, "change-1")
    assert (seen(news).amount, seen(news).rhythm, seen(news).status) == (FOUR, Rhythm.MONTHLY, Status.ACTIVE)
    assert seen(news).current_period_end == support.current_period_end
    drain(connected)
    assert [told.charged for told in news.of(PaymentReceived)] == [EIGHT]
    pass_time(connected, months=1)
    assert sorted(told.charged.minor for told in news.of(PaymentReceived)) == [400, 800]
    assert_books_hold()


@pytest.mark.parametrize(("first", "then", "charge"), [
    (Rhythm.MONTHLY, Rhythm.YEARLY, Money(9600, "EUR")),
    (Rhythm.YEARLY, Rhythm.MONTHLY, FOUR),
])  # fmt: skip
def test_another_rhythm_begins_when_the_paid_time_is_over(connected, news, first, then, charge):
    support = begin(connected, news, rhythm=first)
    asks.change(support.subscription_id, charge, then, "change-1")
    drain(connected)
    assert at_stripe(connected, support.subscription_id).status == "trialing"
    now = seen(news)
    assert (now.status, now.amount, now.rhythm) == (Status.ACTIVE, charge, then)
    assert now.current_period_end == support.current_period_end
    assert len(news.of(PaymentReceived)) == 1  # the invoice of zero is no payment
    pass_time(connected, months=13 if first is Rhythm.YEARLY else 1)
    before, after = sorted(news.of(PaymentReceived), key=lambda told: told.period_start)[:2]
    assert (after.charged, after.rhythm, after.period_start) == (charge, then, before.period_end)
    assert_books_hold()


def test_a_changed_mind_about_the_rhythm_leaves_everything_as_it_was(connected, news, support):
    asks.change(support.subscription_id, Money(9600, "EUR"), Rhythm.YEARLY, "change-1")
    asks.change(support.subscription_id, EIGHT, Rhythm.MONTHLY, "change-2")
    assert (seen(news).amount, seen(news).rhythm) == (EIGHT, Rhythm.MONTHLY)
    pass_time(connected, months=1)
    assert [told.charged for told in news.of(PaymentReceived)] == [EIGHT, EIGHT]
    before, after = news.of(PaymentReceived)
    assert before.period_end == after.period_start


def test_terms_that_cannot_be_are_refused_and_change_nothing(connected, news, support):
    with pytest.raises(Conflict) as refused:
        asks.change(support.subscription_id, Money(400, "USD"), Rhythm.MONTHLY, "change-1")
    assert refused.value.code == "not_possible_now"
    assert the_intent("change").state == "refused"
    asks.cancel_now(support.subscription_id, "end-1")
    with pytest.raises(Conflict):
        asks.change(support.subscription_id, FOUR, Rhythm.MONTHLY, "change-2")
    assert at_stripe(connected, support.subscription_id)["items"].data[0].price.unit_amount == 800


def test_while_something_is_owed_the_rhythm_stays(connected, news):
    support = begin(connected, news, card=FAILS_AT_RENEWAL)
    pass_time(connected, months=1)
    assert seen(news).status is Status.PAST_DUE
    with pytest.raises(Conflict):
        asks.change(support.subscription_id, Money(9600, "EUR"), Rhythm.YEARLY, "change-1")
    asks.change(support.subscription_id, FOUR, Rhythm.MONTHLY, "change-2")
    assert (seen(news).amount, seen(news).status) == (FOUR, Status.PAST_DUE)


# Pauses and ends ----------------------------------------------------------------------------------------------


def test_a_pause_charges_nothing_and_ends_by_itself(connected, news, support):
    until = support.current_period_end + timedelta(days=40)
    asks.pause(support.subscription_id, until, "pause-1")
    assert (seen(news).status, seen(news).paused_until) == (Status.PAUSED, until.replace(microsecond=0))
    pass_time(connected, months=1)
    assert len(news.of(PaymentReceived)) == 1
    pass_time(connected, months=2)
    assert (seen(news).status, seen(news).paused_until) == (Status.ACTIVE, None)
    assert len(news.of(PaymentReceived)) == 2
    assert_books_hold()


def test_a_pause_can_be_ended_before_and_never_begins_in_the_past(connected, news, support):
    asks.pause(support.subscription_id, clock.now() + timedelta(days=60), "pause-1")
    asks.resume(support.subscription_id, "resume-1")
    assert (seen(news).status, seen(news).paused_until) == (Status.ACTIVE, None)
    with pytest.raises(InvalidInput):
        asks.pause(support.subscription_id, clock.now() - timedelta(days=1), "pause-2")


def test_a_pause_on_demand_made_at_stripe_is_ended_without_charging_paid_time_again(connected, news, support):
    connected_client(connected).v1.subscriptions.pause(support.subscription_id, {"type": "subscription"})
    drain(connected)
    assert seen(news).status is Status.PAUSED
    asks.resume(support.subscription_id, "resume-1")
    assert (seen(news).status, seen(news).current_period_end) == (Status.ACTIVE, support.current_period_end)
    assert len(news.of(PaymentReceived)) == 1


def test_an_end_can_be_asked_for_and_taken_back(connected, news, support):
    asks.cancel(support.subscription_id, "cancel-1")
    assert (seen(news).status, seen(news).cancel_at) == (Status.ACTIVE, support.current_period_end)
    asks.keep(support.subscription_id, "keep-1")
    assert seen(news).cancel_at is None
    asks.cancel(support.subscription_id, "cancel-2")
    pass_time(connected, months=1)
    assert seen(news).status is Status.ENDED
    with pytest.raises(Conflict):
        asks.keep(support.subscription_id, "keep-2")


def test_an_end_set_to_a_day_at_stripe_is_taken_back_as_well(connected, news, support):
    day = int((support.current_period_end + timedelta(days=10)).timestamp())
    connected_client(connected).v1.subscriptions.update(support.subscription_id, {"cancel_at": day})
    asks.keep(support.subscription_id, "keep-1")
    assert seen(news).cancel_at is None


def test_an_end_at_once_can_be_asked_for_again(connected, news, support):
    asks.cancel_now(support.subscription_id, "now-1")
    assert seen(news).status is Status.ENDED
    asks.cancel_now(support.subscription_id, "now-2")
    assert len(news.of(PaymentReversed)) == 0


# Open payments and cards --------------------------------------------------------------------------------------


def card_request(support, **changes) -> CardRequest:
    values = {
        "reference": support.reference,
        "customer_id": support.customer_id,
        "subscription_id": support.subscription_id,
        "locale": "uk",
        "success_url": "http://localhost/done?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://localhost/account",
        "expires_at": clock.now() + timedelta(minutes=31),
    }
    return CardRequest(**values | changes)


def test_a_failed_payment_is_tried_again_with_the_new_card(connected, news):
    support = begin(connected, news, card=FAILS_AT_RENEWAL)
    pass_time(connected, months=1)
    declined = asks.pay_open(support.subscription_id, "pay-1")
    assert (declined.is_paid, declined.is_declined, declined.reason) == (False, True, "generic_decline")
    assert declined.action_url.startswith("http")
    assert asks.pay_open(support.subscription_id, "pay-1") == declined
    # The sandbox's clock was moved by a month of the calendar, ours was not.
    request = card_request(support, expires_at=clock.now() + relativedelta(months=1, hours=1))
    page = asks.open_card_page(request, "card-1")
    assert asks.open_card_page(request, "card-1") == page
    assert asks.use_new_card(page.provider_id) is False
    pay(page.url)
    assert asks.use_new_card(page.provider_id) is True
    assert (seen(news).card.last4, seen(news).card.brand) == ("4242", "visa")
    assert asks.pay_open(support.subscription_id, "pay-2").is_paid
    drain(connected)
    assert seen(news).status is Status.ACTIVE
    assert len(news.of(PaymentReceived)) == 2
    with pytest.raises(Conflict):
        asks.pay_open(support.subscription_id, "pay-3")
    assert_books_hold()


def test_a_new_card_is_used_by_itself_when_the_reader_does_not_come_back(connected, news):
    support = begin(connected, news, card=FAILS_AT_RENEWAL)
    page = asks.open_card_page(card_request(support), "card-1")
    pay(page.url)
    drain(connected)
    [told] = {event.checkout_id for event in news.of(CardCollected)}
    assert told == page.provider_id
    assert the_intent("use_card").state == "new"
    jobs.finish_open(clock.now())
    db.session.rollback()
    assert the_intent("use_card").state == "done"
    assert seen(news).card.last4 == "4242"
    customer = connected_client(connected).v1.customers.retrieve(support.customer_id)
    assert customer.invoice_settings.default_payment_method == seen(news).card.card_id
    assert asks.use_new_card(page.provider_id) is True


def test_no_page_for_a_card_of_support_that_has_ended(connected, news, support):
    asks.cancel_now(support.subscription_id, "now-1")
    with pytest.raises(Conflict):
        asks.open_card_page(card_request(support), "card-1")


def test_a_withdrawn_payment_cannot_be_made(connected, news):
    support = begin(connected, news, card=FAILS_AT_RENEWAL)
    pass_time(connected, months=1)
    client = connected_client(connected).v1
    [invoice] = client.invoices.list({"subscription": support.subscription_id, "status": "open"}).data
    client.invoices.void_invoice(invoice.id)
    with pytest.raises(Conflict):
        asks.pay_open(support.subscription_id, "pay-1")


# Money back ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rhythm", [Rhythm.ONCE, Rhythm.MONTHLY])
def test_money_goes_back_in_parts_and_is_booked_once(connected, news, rhythm):
    page = intents.open_checkout(make_request(rhythm=rhythm), "con_1")
    pay(page.url)
    drain(connected)
    payment_id = news.of(PaymentReceived)[0].payment_id
    asks.refund(payment_id, Money(300, "EUR"), "refund-1")
    asks.refund(payment_id, Money(300, "EUR"), "refund-1")
    assert [told.amount.minor for told in news.of(PaymentReversed)] == [300]
    with pytest.raises(Conflict):
        asks.refund(payment_id, EIGHT, "refund-2")
    asks.refund(payment_id, Money(500, "EUR"), "refund-3")
    with pytest.raises(Conflict):
        asks.refund(payment_id, Money(1, "EUR"), "refund-4")
    drain(connected)
    assert sorted(told.amount.minor for told in news.of(PaymentReversed)) == [300, 500]
    assert_books_hold()


def test_only_what_was_paid_can_be_given_back(connected, news, support):
    payment_id = news.of(PaymentReceived)[0].payment_id
    for amount in (Money(0, "EUR"), Money(801, "EUR"), Money(100, "USD")):
        with pytest.raises(InvalidInput):
            asks.refund(payment_id, amount, "refund-1")
    with pytest.raises(NotFound):
        asks.refund("in_nobody", EIGHT, "refund-1")


def test_a_customer_is_forgotten_once_and_for_all(connected, news, support):
    asks.forget_customer(support.customer_id, "erase-1")
    asks.forget_customer(support.customer_id, "erase-2")
    drain(connected)
    assert seen(news).status is Status.ENDED
    assert connected_client(connected).v1.customers.retrieve(support.customer_id).deleted


def test_a_customer_gets_another_address_and_one_who_is_gone_needs_none(connected, news, support):
    asks.rename_customer(support.customer_id, "new@example.org", "rename-1")
    customers = connected_client(connected).v1.customers
    assert customers.retrieve(support.customer_id).email == "new@example.org"
    asks.forget_customer(support.customer_id, "erase-1")
    asks.rename_customer(support.customer_id, "other@example.org", "rename-2")
    assert not getattr(customers.retrieve(support.customer_id), "email", None)


def test_money_that_came_another_way_is_given_back_by_hand(app, news):
    by_hand = make_payment("bank:1", way="bank", fee=Money(0, "EUR"), subscription_id=None, rhythm=Rhythm.ONCE)
    with transaction("test.book"):
        booking.book(replace(by_hand, period_start=None, period_end=None))
    with pytest.raises(Conflict):
        asks.refund("bank:1", Money(100, "EUR"), "refund-1")
    assert db.session.scalars(select(ProviderIntent)).all() == []


def test_the_address_of_a_payers_page_is_forgotten_after_thirty_days(connected, news):
    support = begin(connected, news, card=FAILS_AT_RENEWAL)
    pass_time(connected, months=1)
    declined = asks.pay_open(support.subscription_id, "pay-1")
    assert declined.action_url in str(the_intent("pay_open").result)
    intents.forget_results(clock.real_now() + timedelta(days=29))
    assert the_intent("pay_open").result is not None
    intents.forget_results(clock.real_now() + timedelta(days=31))
    assert the_intent("pay_open").result is None
    with pytest.raises(Conflict):
        asks.pay_open(support.subscription_id, "pay-1")
