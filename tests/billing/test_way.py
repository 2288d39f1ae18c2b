"""The whole way with the sandbox over HTTP: page, payment, signed notices, drain, books that agree."""

import itertools
from datetime import timedelta

import pytest
from sqlalchemy import select

from membership.billing import books, intents, jobs, services
from membership.billing.models import InboxEvent, Payment
from membership.billing.port import (
    CheckoutExpired,
    CheckoutFinished,
    CheckoutRequest,
    PaymentReceived,
    PaymentReversed,
    SubscriptionSeen,
    SubscriptionStatus,
)
from membership.db import db
from membership.kernel import clock
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from tests.factories.checkout import DECLINED_CARD, pay


def make_request(reference="con_1", **changes) -> CheckoutRequest:
    values = {
        "reference": reference,
        "rhythm": Rhythm.MONTHLY,
        "charge": Money(800, "EUR"),
        "email": "reader@example.org",
        "locale": "uk",
        "newsroom_name": "The Harbour Post",
        "description": "Two cups a month",
        "success_url": "http://localhost/contribute/thanks?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://localhost/contribute",
        "expires_at": clock.now() + timedelta(minutes=31),
        "metadata": {"from_article": "harbour"},
    }
    return CheckoutRequest(**values | changes)


def drain(sandbox):
    sandbox.settle_deliveries()
    db.session.rollback()
    jobs.drain(clock.now())
    db.session.rollback()


def assert_books_hold():
    db.session.rollback()
    assert books.check(clock.now()) == []


@pytest.mark.parametrize("rhythm", list(Rhythm))
@pytest.mark.parametrize("currency", ["EUR", "UAH"])
def test_a_reader_pays_and_the_books_agree_with_the_sandbox(connected, news, rhythm, currency):
    request = make_request(rhythm=rhythm, charge=Money(10_000, currency))
    page = intents.open_checkout(request, "con_1")
    assert pay(page.url).status_code in {302, 303}
    drain(connected)
    [told] = news.of(PaymentReceived)
    assert (told.reference, told.rhythm, told.charged) == ("con_1", rhythm, Money(10_000, currency))
    assert told.fee.minor > 0
    if rhythm is Rhythm.ONCE:
        assert (told.period_start, told.subscription_id) == (None, None)
    else:
        days = (told.period_end - told.period_start).days
        assert 28 <= days <= 31 if rhythm is Rhythm.MONTHLY else 365 <= days <= 366
        assert news.of(SubscriptionSeen)[-1].status is SubscriptionStatus.ACTIVE
        assert news.of(SubscriptionSeen)[-1].amount == Money(10_000, currency)
    assert news.of(CheckoutFinished)[-1].checkout_id == page.provider_id
    assert_books_hold()
    states = set(db.session.scalars(select(InboxEvent.state)))
    assert states <= {"done", "ignored", "deferred"}


def test_the_return_page_may_come_first_between_and_last(connected, news):
    page = intents.open_checkout(make_request(), "con_1")
    assert services.sync("checkout_session", page.provider_id) is True
    assert news.of(PaymentReceived) == []
    pay(page.url)
    assert services.sync("checkout_session", page.provider_id) is True
    assert len(news.of(PaymentReceived)) == 1
    drain(connected)
    assert services.sync("checkout_session", page.provider_id) is True
    assert len(news.of(PaymentReceived)) == 1
    assert_books_hold()


def test_a_declined_card_books_nothing_and_the_page_stays_open(connected, news):
    page = intents.open_checkout(make_request(), "con_1")
    pay(page.url, card=DECLINED_CARD)
    drain(connected)
    assert news.of(PaymentReceived) == []
    pay(page.url)
    drain(connected)
    assert len(news.of(PaymentReceived)) == 1
    assert_books_hold()


def test_every_renewal_is_booked_with_its_own_period_and_receipt(connected, news):
    page = intents.open_checkout(make_request(), "con_1")
    pay(page.url)
    drain(connected)
    connected.control("advance", months=3)
    drain(connected)
    told = sorted(news.of(PaymentReceived), key=lambda event: event.period_start)
    assert len(told) == 4
    assert all(one.period_end == other.period_start for one, other in itertools.pairwise(told))
    assert len({event.receipt_number for event in told}) == 4
    assert_books_hold()


def test_a_page_that_is_closed_cannot_be_paid_and_is_told(connected, news):
    page = intents.open_checkout(make_request(), "con_1")
    assert intents.close_checkout(page.provider_id) is True
    drain(connected)
    assert news.of(CheckoutExpired)[-1].checkout_id == page.provider_id
    paid = intents.open_checkout(make_request(), "con_1")
    assert paid.provider_id != page.provider_id
    pay(paid.url)
    assert intents.close_checkout(paid.provider_id) is False


def test_money_of_others_on_the_same_account_is_foreign(connected, news):
    provider_client = connected_client(connected)
    provider_client.v1.products.create(params={"id": "prod_other", "name": "Mugs"})
    price = {"currency": "eur", "unit_amount": 900, "product": "prod_other", "recurring": {"interval": "month"}}
    session = provider_client.v1.checkout.sessions.create(
        params={
            "mode": "subscription",
            "line_items": [{"price_data": price, "quantity": 1}],
            "success_url": "http://x/",
        }
    )
    pay(session.url)
    drain(connected)
    assert news == []
    assert "foreign" in set(db.session.scalars(select(InboxEvent.state)))
    assert_books_hold()


def connected_client(sandbox):
    import stripe

    return stripe.StripeClient("sk_test_123456789", base_addresses={"api": sandbox.url})


def test_every_delivery_twice_and_in_any_order_ends_in_one_booking(connected, news):
    connected.control("faults", deliveries={"seed": 7, "duplicate": 1, "reorder": 0.5})
    page = intents.open_checkout(make_request(), "con_1")
    pay(page.url)
    drain(connected)
    drain(connected)
    assert len(news.of(PaymentReceived)) == 1
    assert db.session.scalars(select(Payment)).one().fee is not None
    assert_books_hold()


def test_check_books_sees_what_was_not_delivered(connected, news):
    connected.control("faults", deliveries={"drop": 1})
    page = intents.open_checkout(make_request(), "con_1")
    pay(page.url)
    assert {finding.code for finding in books.check(clock.now())} == {"not_booked"}
    db.session.rollback()
    services.sync("checkout_session", page.provider_id)
    assert_books_hold()


@pytest.mark.parametrize("rhythm", [Rhythm.ONCE, Rhythm.MONTHLY])
def test_a_refund_is_booked_and_told_once(connected, news, rhythm):
    page = intents.open_checkout(make_request(rhythm=rhythm), "con_1")
    pay(page.url)
    drain(connected)
    charge = next(row["charge"] for row in connected.books()["payments"])
    connected.control("refund", charge=charge)
    drain(connected)
    drain(connected)
    [told] = news.of(PaymentReversed)
    assert (told.reference, told.amount, told.reason) == ("con_1", Money(800, "EUR"), "refund")
    assert_books_hold()
