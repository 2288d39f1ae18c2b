"""Payments by the API: reserved and captured, entered in the balance afterwards, warned of, by debit."""

import pytest
import stripe


@pytest.fixture
def pay(client):
    """Charge a new method at once: pay("pm_card_visa", capture_method="manual")."""

    def make(method="pm_card_visa", **more):
        params = {"amount": 2900, "currency": "eur", "confirm": True, "return_url": "http://127.0.0.1/back"}
        return client.payment_intents.create(params | {"payment_method": method, "expand": ["latest_charge"]} | more)

    return make


def test_money_is_reserved_first_and_then_taken_in_part(client, control, pay):
    held = pay(capture_method="manual")
    assert (held.status, held.amount_capturable, held.amount_received) == ("requires_capture", 2900, 0)
    assert (held.latest_charge.captured, held.latest_charge.balance_transaction) == (False, None)
    assert control.get("books")["totals"] == {}
    taken = client.payment_intents.capture(
        held.id, {"amount_to_capture": 2000, "expand": ["latest_charge.balance_transaction"]}
    )
    assert (taken.status, taken.amount_capturable, taken.amount_received) == ("succeeded", 0, 2000)
    charge = taken.latest_charge
    assert (charge.amount_captured, charge.amount_refunded, charge.balance_transaction.amount) == (2000, 900, 2000)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.payment_intents.capture(held.id)
    assert refused.value.code == "payment_intent_unexpected_state"


def test_what_is_not_taken_for_a_week_is_let_go(client, control, pay):
    held, given_up = pay(capture_method="manual"), pay(capture_method="manual")
    assert client.payment_intents.cancel(given_up.id).status == "canceled"
    control("advance", days=8)
    over = client.payment_intents.retrieve(held.id)
    assert (over.status, over.cancellation_reason) == ("canceled", "automatic")
    assert len(client.events.list({"type": "charge.expired"}).data) == 1
    assert control.get("books")["totals"] == {}


def test_a_charge_is_answered_before_it_is_entered_in_the_balance(client, pay):
    answered = pay()
    assert (answered.status, answered.latest_charge.balance_transaction) == ("succeeded", None)
    later = client.charges.retrieve(answered.latest_charge.id, {"expand": ["balance_transaction"]})
    assert (later.balance_transaction.amount, later.balance_transaction.fee) == (2900, 69)
    told = client.events.list({"types": ["charge.succeeded", "charge.updated"]}).data
    assert [event.type for event in told] == ["charge.updated", "charge.succeeded"]
    assert told[0].data.previous_attributes.to_dict() == {"balance_transaction": None}


def test_the_entry_may_be_made_to_wait(client, control, pay):
    control("settings", booking_seconds=600)
    charge = pay().latest_charge.id
    assert client.charges.retrieve(charge).balance_transaction is None
    control("advance", seconds=601)
    assert client.charges.retrieve(charge).balance_transaction


def test_a_network_warns_of_fraud_and_a_refund_settles_it(client, control, pay):
    charge = pay("pm_card_createIssuerFraudRecord").latest_charge.id
    control("advance", days=1)
    [warning] = client.radar.early_fraud_warnings.list({"charge": charge}).data
    assert (warning.actionable, warning.charge) == (True, charge)
    client.refunds.create({"charge": charge})
    assert client.radar.early_fraud_warnings.retrieve(warning.id).actionable is False
    told = client.events.list({"types": ["radar.early_fraud_warning.created", "radar.early_fraud_warning.updated"]})
    assert len(told.data) == 2
    other = pay().latest_charge.id
    assert control("warn", charge=other)["charge"] == other


@pytest.mark.parametrize(
    ("iban", "status"), [("AT611904300234573201", "succeeded"), ("AT861904300235473202", "requires_payment_method")]
)
def test_a_debit_is_on_its_way_for_days_and_then_arrives_or_comes_back(client, control, pay, iban, status):
    method = client.payment_methods.create(
        {"type": "sepa_debit", "sepa_debit": {"iban": iban}, "billing_details": {"name": "A", "email": "a@example.org"}}
    )
    begun = pay(method.id, allowed_payment_method_types=["sepa_debit"])
    assert (begun.status, begun.latest_charge.status) == ("processing", "pending")
    control("advance", days=4)
    assert client.payment_intents.retrieve(begun.id).status == "processing"
    control("advance", days=2)
    assert client.payment_intents.retrieve(begun.id).status == status
    assert bool(control.get("books")["totals"]) == (status == "succeeded")


def test_every_way_to_pay_that_the_sdk_knows_can_be_saved(client):
    given = {
        "boleto": {"tax_id": "00.000.000/0001-91"},
        "card": {"token": "tok_visa"},
        "sepa_debit": {"iban": "AT611904300234573201"},
    }
    for kind in ("card", "sepa_debit", "klarna", "link", "ideal", "us_bank_account", "paypal", "boleto", "wechat_pay"):
        made = client.payment_methods.create({"type": kind, kind: given.get(kind, {})})
        assert made.type == kind
        assert kind in made.to_dict()
    with pytest.raises(stripe.CardError):
        client.payment_methods.create({"type": "card", "card": {"number": "4242424242424241"}})


def test_a_method_may_be_described_in_the_payment_itself(client, pay):
    debit = {"type": "sepa_debit", "sepa_debit": {"iban": "AT611904300234573201"}, "billing_details": {"name": "A"}}
    made = client.payment_intents.create(
        {
            "amount": 500,
            "currency": "eur",
            "confirm": True,
            "allowed_payment_method_types": ["card", "sepa_debit"],
            "payment_method_data": debit,
            "payment_method_options": {"card": {"request_three_d_secure": "any"}},
            "mandate_data": {"customer_acceptance": {"type": "offline", "offline": {}}},
        }
    )
    assert (made.status, made.payment_method_options.card.request_three_d_secure) == ("processing", "any")
    assert client.payment_methods.retrieve(made.payment_method).sepa_debit.last4 == "3201"
