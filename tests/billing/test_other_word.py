"""Word of Stripe that is neither a payment nor its return: cards that change, warnings, money on its way."""

import pytest
import requests

from membership.billing import asks, inbox, intents, jobs, services
from membership.billing.models import InboxEvent
from membership.billing.port import (
    CheckoutFinished,
    FraudWarned,
    PaymentFailed,
    PaymentPending,
    PaymentReceived,
    SubscriptionSeen,
)
from membership.db import db, transaction
from membership.kernel import clock
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from tests.billing.conftest import make_event, post
from tests.billing.test_asks import begin, pass_time, seen
from tests.billing.test_way import assert_books_hold, connected_client, drain, make_request
from tests.factories.checkout import GOOD_IBAN, RETURNED_IBAN, WARNED_CARD, pay


@pytest.fixture
def support(connected, news):
    return begin(connected, news)


def state_of(event_id) -> str:
    db.session.rollback()
    return db.session.get_one(InboxEvent, event_id).state


# Cards --------------------------------------------------------------------------------------------------------


def test_the_card_of_new_support_is_told(support):
    card = support.card
    assert (card.brand, card.last4, card.exp_year, card.exp_month) == ("visa", "4242", 2034, 12)
    assert card.fingerprint


def test_another_default_card_of_the_customer_shows_on_the_support_that_follows_it(connected, news, support):
    client = connected_client(connected).v1
    client.subscriptions.update(support.subscription_id, {"default_payment_method": ""})
    drain(connected)
    method = client.payment_methods.attach("pm_card_mastercard", {"customer": support.customer_id})
    client.customers.update(support.customer_id, {"invoice_settings": {"default_payment_method": method.id}})
    drain(connected)
    assert (seen(news).card.card_id, seen(news).card.brand) == (method.id, "mastercard")


def test_any_other_change_of_a_customer_is_kept_and_costs_no_reading(connected, news, support):
    n_told = len(news.of(SubscriptionSeen))
    connected_client(connected).v1.customers.update(support.customer_id, {"metadata": {"note": "1"}})
    drain(connected)
    assert len(news.of(SubscriptionSeen)) == n_told
    [kept] = db.session.query(InboxEvent).filter_by(type="customer.updated", object_id=support.customer_id)
    assert kept.state == "ignored"


def test_a_card_that_its_bank_renewed_shows_its_new_end(client, connected, news, support):
    stripe_client = connected_client(connected).v1
    stripe_client.payment_methods.update(support.card.card_id, {"card": {"exp_month": 1, "exp_year": 2040}})
    thing = {"object": "payment_method", "id": support.card.card_id}
    post(client, make_event("evt_renewed", "payment_method.automatically_updated", thing))
    drain(connected)
    assert (seen(news).card.exp_month, seen(news).card.exp_year) == (1, 2040)
    assert state_of("evt_renewed") == "done"


def test_a_customer_of_others_is_foreign(client, connected, news):
    other = connected_client(connected).v1.customers.create({"name": "Mugs"})
    post(client, make_event("evt_other", "customer.deleted", {"object": "customer", "id": other.id}))
    drain(connected)
    assert state_of("evt_other") == "foreign"
    assert news == []


# Warnings of fraud --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rhythm", [Rhythm.ONCE, Rhythm.MONTHLY])
def test_a_warning_of_fraud_names_the_payment_in_the_books(connected, news, rhythm):
    page = intents.open_checkout(make_request(rhythm=rhythm), "con_1")
    pay(page.url, card=WARNED_CARD)
    drain(connected)
    pass_time(connected, days=2)
    [paid] = news.of(PaymentReceived)
    warned = news.of(FraudWarned)[-1]
    assert (warned.payment_id, warned.reference, warned.is_actionable) == (paid.payment_id, "con_1", True)
    asks.refund(paid.payment_id, paid.charged, "refund-1")
    [notice] = db.session.query(InboxEvent).filter_by(type="radar.early_fraud_warning.created")
    assert notice.state == "done"
    db.session.rollback()
    services.sync("radar.early_fraud_warning", notice.object_id)
    assert news.of(FraudWarned)[-1].is_actionable is False
    assert_books_hold()


def test_what_an_earlier_version_only_kept_is_taken_up_after_the_upgrade(connected, news, client):
    page = intents.open_checkout(make_request(rhythm=Rhythm.ONCE), "con_1")
    pay(page.url, card=WARNED_CARD)
    drain(connected)
    connected.control("advance", days=2)
    connected.settle_deliveries()
    post(client, make_event("evt_mandate", "mandate.updated", {"object": "mandate", "id": "mandate_1"}))
    with transaction("test.earlier_version"):
        [notice] = db.session.query(InboxEvent).filter_by(type="radar.early_fraud_warning.created")
        notice_id = notice.id
        notice.state, notice.object_kind, notice.body = "deferred", "radar.early_fraud_warning", None
        notice.next_try_at, notice.done_at = None, clock.now()
    drain(connected)
    assert news.of(FraudWarned) == []
    jobs.take_up(clock.now())
    assert inbox.take_up() == 0
    drain(connected)
    assert len(news.of(FraudWarned)) == 1
    assert (state_of(notice_id), state_of("evt_mandate")) == ("done", "deferred")


# Money on its way ---------------------------------------------------------------------------------------------


@pytest.fixture
def debits(connected):
    """The account takes bank debits as well."""
    before = requests.get(f"{connected.url}/_sandbox/settings", timeout=10).json()["payment_methods"]
    connected.control("settings", payment_methods=["card", "sepa_debit"])
    yield connected
    connected.control("settings", payment_methods=before)


@pytest.mark.parametrize("rhythm", [Rhythm.ONCE, Rhythm.MONTHLY])
@pytest.mark.parametrize("iban", [GOOD_IBAN, RETURNED_IBAN])
def test_a_debit_is_pending_until_it_comes_or_fails(debits, news, rhythm, iban):
    page = intents.open_checkout(make_request(rhythm=rhythm), "con_1")
    pay(page.url, iban=iban)
    drain(debits)
    assert (news.of(CheckoutFinished)[-1].paid, news.of(CheckoutFinished)[-1].is_pending) == (False, True)
    assert {(told.reference, told.amount) for told in news.of(PaymentPending)} == {("con_1", Money(800, "EUR"))}
    assert news.of(PaymentReceived) == news.of(PaymentFailed) == []
    if rhythm is Rhythm.MONTHLY:
        assert (seen(news).card.brand, seen(news).card.exp_year) == ("sepa_debit", None)
    pass_time(debits, days=6)  # the debit takes five; another try of what was returned comes later
    assert len(news.of(PaymentReceived)) == (iban == GOOD_IBAN)
    assert bool(news.of(PaymentFailed)) == (iban == RETURNED_IBAN)
    services.sync("checkout_session", page.provider_id)
    assert news.of(CheckoutFinished)[-1].is_pending is False
    assert_books_hold()


# Payments that the payer must confirm -------------------------------------------------------------------------


def test_a_renewal_that_the_bank_wants_confirmed_leads_to_its_page(connected, news, support):
    client = connected_client(connected).v1
    method = client.payment_methods.attach("pm_card_authenticationRequired", {"customer": support.customer_id})
    client.subscriptions.update(support.subscription_id, {"default_payment_method": method.id})
    pass_time(connected, months=1)
    failed = news.of(PaymentFailed)[-1]
    assert failed.needs_action
    [invoice] = client.invoices.list({"subscription": support.subscription_id, "status": "open"}).data
    assert failed.invoice_id == invoice.id
    outcome = asks.pay_open(support.subscription_id, "pay-1")
    assert (outcome.is_paid, outcome.is_declined, outcome.reason) == (False, False, "authentication_required")
    assert outcome.action_url == invoice.hosted_invoice_url
