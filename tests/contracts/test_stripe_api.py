"""What we rely on of Stripe's API, asked of the sandbox and, with STRIPE_TEST_KEY, of Stripe's own test mode."""

import time

import pytest
import stripe

from membership.sandbox.app import create_sandbox
from tests.contracts.real_stripe import TEST_KEY, check_key, key

MONTH = 31 * 86400


@pytest.fixture(params=["sandbox", *(["stripe"] if TEST_KEY else [])])
def api(request):
    """The SDK's client, and with it whoever answers."""
    if request.param == "stripe":
        check_key()
        yield stripe.StripeClient(TEST_KEY, max_network_retries=2).v1
        return
    box = create_sandbox()
    client = stripe.StripeClient("sk_test_contract", base_addresses={"api": box.start()}, max_network_retries=0)
    yield client.v1
    box.close()


@pytest.fixture
def clock(api):
    """A test clock that stands at this moment; with it go the customers on it."""
    made = api.test_helpers.test_clocks.create({"frozen_time": int(time.time())})
    yield made.id
    api.test_helpers.test_clocks.delete(made.id)


def advance(api, clock, seconds):
    at = api.test_helpers.test_clocks.retrieve(clock).frozen_time + seconds
    api.test_helpers.test_clocks.advance(clock, {"frozen_time": at})
    deadline = time.monotonic() + 120
    while api.test_helpers.test_clocks.retrieve(clock).status != "ready":
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def subscribe(api, clock):
    """Begin a monthly subscription of seven euros with a card by its token."""

    def make(card="pm_card_visa", **more):
        customer = api.customers.create({"email": "reader@example.org", "test_clock": clock})
        method = api.payment_methods.attach(card, {"customer": customer.id})
        price = {"currency": "eur", "unit_amount": 700, "product_data": {"name": "Supporter"}}
        made = api.prices.create(price | {"recurring": {"interval": "month"}})
        return api.subscriptions.create(
            {"customer": customer.id, "items": [{"price": made.id}], "default_payment_method": method.id} | more
        )

    return make


def test_metadata_is_merged_and_an_empty_value_removes(api):
    made = api.customers.create({"metadata": {"a": "1", "b": "2"}})
    changed = api.customers.update(made.id, {"metadata": {"a": "", "c": "3"}})
    assert changed.metadata.to_dict() == {"b": "2", "c": "3"}


def test_a_key_makes_one_thing_and_refuses_other_parameters(api):
    options = {"idempotency_key": key("customer")}
    first = api.customers.create({"name": "A"}, options)
    assert api.customers.create({"name": "A"}, options).id == first.id
    with pytest.raises(stripe.IdempotencyError):
        api.customers.create({"name": "B"}, options)


@pytest.mark.parametrize(
    ("card", "code", "reason"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", None),
    ],
)
def test_a_declined_card_says_why(api, card, code, reason):
    with pytest.raises(stripe.CardError) as declined:
        api.payment_intents.create(
            {
                "amount": 900,
                "currency": "eur",
                "payment_method": card,
                "confirm": True,
                "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            }
        )
    assert (declined.value.http_status, declined.value.code) == (402, code)
    if reason:
        assert declined.value.error.decline_code == reason


def test_a_subscription_renews_and_its_invoice_names_it(api, clock, subscribe):
    sub = subscribe()
    assert sub.status == "active"
    advance(api, clock, MONTH + 2 * 3600)
    renewed = api.subscriptions.retrieve(sub.id, {"expand": ["latest_invoice.payments"]})
    invoice = renewed.latest_invoice
    assert (invoice.status, invoice.amount_paid, invoice.billing_reason) == ("paid", 700, "subscription_cycle")
    assert invoice.parent.subscription_details.subscription == sub.id
    assert renewed["items"].data[0].current_period_start == sub["items"].data[0].current_period_end
    [payment] = invoice.payments.data
    asked = {"payment": {"type": "payment_intent", "payment_intent": payment.payment.payment_intent}}
    assert [found.invoice for found in api.invoice_payments.list(asked).data] == [invoice.id]


def test_a_renewal_that_fails_leaves_the_support_past_due(api, clock, subscribe):
    sub = subscribe("pm_card_visa", trial_end=int(time.time()) + 86400)
    failing = api.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": sub.customer})
    api.subscriptions.update(sub.id, {"default_payment_method": failing.id})
    advance(api, clock, 2 * 86400)
    found = api.subscriptions.retrieve(sub.id, {"expand": ["latest_invoice"]})
    assert (found.status, found.latest_invoice.status) == ("past_due", "open")
    assert found.latest_invoice.next_payment_attempt
    good = api.payment_methods.attach("pm_card_visa", {"customer": sub.customer})
    assert api.invoices.pay(found.latest_invoice.id, {"payment_method": good.id}).status == "paid"
    assert api.subscriptions.retrieve(sub.id).status == "active"


def test_two_pauses_that_are_not_the_same(api, subscribe):
    sub = subscribe()
    assert api.subscriptions.update(sub.id, {"pause_collection": {"behavior": "void"}}).status == "active"
    assert api.subscriptions.update(sub.id, {"pause_collection": ""}).pause_collection is None
    paused = api.subscriptions.pause(sub.id, {"type": "subscription"})
    assert paused.status == "paused"
    assert paused.status_details.paused.subscription.type == "pause_requested"


def test_an_end_that_was_asked_for_can_be_taken_back(api, subscribe):
    sub = subscribe()
    ending = api.subscriptions.update(sub.id, {"cancel_at_period_end": True})
    assert (ending.status, ending.cancel_at) == ("active", sub["items"].data[0].current_period_end)
    assert api.subscriptions.update(sub.id, {"cancel_at_period_end": False}).cancel_at is None
    assert api.subscriptions.cancel(sub.id).status == "canceled"


def test_money_goes_back_in_parts_and_never_more_than_came(api):
    paid = api.payment_intents.create(
        {
            "amount": 1000,
            "currency": "eur",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
    )
    assert api.refunds.create({"payment_intent": paid.id, "amount": 400}).status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError):
        api.refunds.create({"payment_intent": paid.id, "amount": 601})
    assert api.refunds.create({"payment_intent": paid.id}).amount == 600
    with pytest.raises(stripe.InvalidRequestError) as refused:
        api.refunds.create({"payment_intent": paid.id})
    assert refused.value.code == "charge_already_refunded"


def test_what_does_not_exist_is_told_by_code_and_place(api):
    with pytest.raises(stripe.InvalidRequestError) as in_path:
        api.customers.retrieve("cus_nobody")
    with pytest.raises(stripe.InvalidRequestError) as as_parameter:
        api.payment_intents.create({"amount": 500, "currency": "eur", "customer": "cus_nobody"})
    found = [(error.value.http_status, error.value.code, error.value.param) for error in (in_path, as_parameter)]
    assert found == [(404, "resource_missing", "id"), (400, "resource_missing", "customer")]
