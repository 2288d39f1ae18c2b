"""Stripe's objects in our words: old and new shapes, every status, and what is not ours."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from membership.billing.port import (
    CheckoutFact,
    FailureFact,
    ObjectKind,
    ObjectRef,
    PaymentFact,
    SubscriptionStatus,
)
from membership.billing.providers.stripe import client, currencies, notices, translate
from membership.kernel.money import MINOR_DIGITS, Money
from membership.kernel.rhythm import Rhythm

SHARED = Path(__file__).parents[3] / "shared" / "data" / "stripe"
STAMP = {"app": "reader-membership", "reference": "con_1"}
START, END, YEAR_END = 1_790_000_000, 1_792_592_000, 1_821_536_000
SETTLED = {"id": "txn_1", "object": "balance_transaction", "amount": 800, "fee": 45, "currency": "eur"}
INTENT = {
    "id": "pi_1",
    "status": "succeeded",
    "amount": 800,
    "amount_received": 800,
    "currency": "eur",
    "created": START,
    "metadata": {},
    "latest_charge": {"id": "ch_1", "created": START + 5, "balance_transaction": SETTLED},
}


def moment(seconds):
    return datetime.fromtimestamp(seconds, UTC)


def new_invoice(**changes):
    """As since basil: parent, payments, periods on the lines."""
    invoice = {
        "id": "in_1",
        "status": "paid",
        "amount_paid": 800,
        "amount_due": 800,
        "currency": "eur",
        "created": START,
        "attempt_count": 1,
        "period_start": START - 1000,
        "period_end": START,
        "status_transitions": {"paid_at": START + 9},
        "metadata": {},
        "parent": {
            "type": "subscription_details",
            "subscription_details": {"subscription": "sub_1", "metadata": STAMP},
        },
        "payments": {"data": [{"status": "paid", "payment": {"type": "payment_intent", "payment_intent": "pi_1"}}]},
        "lines": {"data": [{"period": {"start": START, "end": END}, "metadata": STAMP}]},
    }
    return invoice | changes


def old_invoice():
    """As before basil: subscription, subscription_details, payment_intent and paid on the invoice itself."""
    invoice = new_invoice(
        paid=True, subscription="sub_1", subscription_details={"metadata": STAMP}, payment_intent="pi_1"
    )
    for moved in ("parent", "payments", "status"):
        del invoice[moved]
    return invoice


@pytest.mark.parametrize("invoice", [new_invoice(), old_invoice()], ids=["endive", "acacia"])
def test_a_paid_invoice_is_a_payment_in_either_shape(invoice):
    [fact] = translate.invoice(invoice, [INTENT]).facts
    assert translate.invoice_payment_ids(invoice) == ["pi_1"]
    assert fact == PaymentFact(
        payment_id="in_1",
        reference="con_1",
        rhythm=Rhythm.MONTHLY,
        charged=Money(800, "EUR"),
        fee=Money(45, "EUR"),
        paid_at=moment(START + 9),
        period_start=moment(START),
        period_end=moment(END),
        subscription_id="sub_1",
    )


def test_the_length_of_the_period_says_the_rhythm():
    lines = {"data": [{"period": {"start": START, "end": YEAR_END}}]}
    [fact] = translate.invoice(new_invoice(lines=lines), [INTENT]).facts
    assert fact.rhythm is Rhythm.YEARLY


def test_a_proration_does_not_move_the_period_that_is_paid_for():
    proration = {
        "period": {"start": START - 5000, "end": START},
        "parent": {"invoice_item_details": {"proration": True}},
    }
    lines = {"data": [proration, {"period": {"start": START, "end": END}}]}
    [fact] = translate.invoice(new_invoice(lines=lines), [INTENT]).facts
    assert (fact.period_start, fact.period_end) == (moment(START), moment(END))


def test_an_invoice_of_zero_books_nothing_and_is_still_ours():
    reading = translate.invoice(new_invoice(amount_paid=0))
    assert (reading.is_ours, reading.facts) == (True, ())


@pytest.mark.parametrize("status", ["draft", "void", "open"])
def test_an_invoice_that_was_not_tried_says_nothing(status):
    assert translate.invoice(new_invoice(status=status, attempt_count=0)).facts == ()


@pytest.mark.parametrize("status", ["open", "uncollectible"])
def test_an_invoice_tried_in_vain_is_a_failure_with_its_reason_and_attempt(status):
    intent = INTENT | {"status": "requires_payment_method", "last_payment_error": {"code": "card_declined"}}
    invoice = new_invoice(status=status, attempt_count=2, next_payment_attempt=END)
    [fact] = translate.invoice(invoice, [intent]).facts
    assert isinstance(fact, FailureFact)
    assert (fact.provider_ref, fact.reason, fact.next_try_at) == ("in_1:2", "card_declined", moment(END))


def test_a_fee_that_is_not_settled_is_unknown_and_one_that_cannot_be_is_zero():
    unsettled = INTENT | {"latest_charge": {"id": "ch_1", "created": START, "balance_transaction": None}}
    assert translate.invoice(new_invoice(), [unsettled]).facts[0].fee is None
    by_bank = new_invoice(payments={"data": []})
    assert translate.invoice(by_bank, []).facts[0].fee == Money(0, "EUR")


def test_a_fee_in_a_currency_that_we_do_not_know_is_left_open():
    charge = {"id": "ch_1", "created": START, "balance_transaction": SETTLED | {"currency": "xaf"}}
    assert translate.invoice(new_invoice(), [INTENT | {"latest_charge": charge}]).facts[0].fee is None


def make_subscription(**changes):
    sub = {
        "id": "sub_1",
        "status": "active",
        "customer": "cus_1",
        "currency": "eur",
        "metadata": STAMP,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "ended_at": None,
        "pause_collection": None,
        "items": {
            "data": [{"quantity": 2, "current_period_end": END, "price": {"unit_amount": 400, "currency": "eur"}}]
        },
    }
    return sub | changes


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("active", SubscriptionStatus.ACTIVE),
        ("trialing", SubscriptionStatus.ACTIVE),
        ("past_due", SubscriptionStatus.PAST_DUE),
        ("unpaid", SubscriptionStatus.UNPAID),
        ("paused", SubscriptionStatus.PAUSED),
        ("incomplete", SubscriptionStatus.INCOMPLETE),
        ("incomplete_expired", SubscriptionStatus.ENDED),
        ("canceled", SubscriptionStatus.ENDED),
        ("a word of next year", SubscriptionStatus.UNKNOWN),
    ],
)
def test_every_status_has_its_word_and_an_unknown_one_is_unknown(raw, wanted):
    [fact] = translate.subscription(make_subscription(status=raw)).facts
    assert (fact.status, fact.raw_status) == (wanted, raw)


def test_every_status_of_the_sdk_is_known():
    shapes = SHARED / "sdk-16.1.0-shapes.json"
    if not shapes.exists():
        pytest.skip("../shared/data/stripe is absent.")
    listed = json.loads(shapes.read_text())
    statuses = _find_enum(listed, "subscription")
    assert statuses <= set(translate.STATUSES)


def _find_enum(listed, resource):
    found = listed.get("enums", listed)
    text = json.dumps(found.get(f"{resource}.status") or found.get(resource) or {})
    return {word for word in ("active", "canceled", "paused", "trialing", "unpaid", "past_due") if f'"{word}"' in text}


def test_charges_that_are_paused_are_paused_although_stripe_says_active():
    [fact] = translate.subscription(make_subscription(pause_collection={"behavior": "void"})).facts
    assert fact.status is SubscriptionStatus.PAUSED


def test_the_period_ends_with_the_last_item_in_either_shape():
    items = {"data": [{"current_period_end": END}, {"current_period_end": YEAR_END}]}
    [new] = translate.subscription(make_subscription(items=items)).facts
    [old] = translate.subscription(make_subscription(items={"data": []}, current_period_end=END)).facts
    assert (new.current_period_end, old.current_period_end) == (moment(YEAR_END), moment(END))
    assert translate.subscription(make_subscription()).facts[0].amount == Money(800, "EUR")


def test_cancelling_at_the_end_of_the_period_is_a_moment():
    [fact] = translate.subscription(make_subscription(cancel_at_period_end=True)).facts
    assert fact.cancel_at == moment(END)


@pytest.mark.parametrize(
    "metadata", [{}, None, {"app": "another-shop", "reference": "x"}, {"app": "reader-membership"}]
)
def test_what_does_not_carry_our_stamp_is_foreign(metadata):
    assert not translate.checkout({"id": "cs_1", "status": "complete", "metadata": metadata}).is_ours
    assert not translate.subscription(make_subscription(metadata=metadata)).is_ours
    assert not translate.payment(INTENT | {"metadata": metadata}).is_ours


def test_a_page_finished_without_money_is_not_paid_and_names_what_must_be_read():
    session = {
        "id": "cs_1",
        "mode": "subscription",
        "status": "complete",
        "payment_status": "unpaid",
        "metadata": STAMP,
        "customer": {"id": "cus_1", "object": "customer"},
        "subscription": "sub_1",
        "invoice": "in_1",
        "payment_intent": None,
    }
    reading = translate.checkout(session)
    assert reading.facts == (
        CheckoutFact(
            reference="con_1",
            checkout_id="cs_1",
            is_finished=True,
            is_expired=False,
            is_paid=False,
            customer_id="cus_1",
            subscription_id="sub_1",
        ),
    )
    assert reading.related == (ObjectRef(ObjectKind.INVOICE, "in_1"),)


def test_a_single_payment_counts_when_it_succeeded():
    ours = INTENT | {"metadata": STAMP}
    [fact] = translate.payment(ours).facts
    assert (fact.payment_id, fact.rhythm, fact.fee) == ("pi_1", Rhythm.ONCE, Money(45, "EUR"))
    [pending] = translate.payment(ours | {"status": "processing"}).facts
    assert (pending.reference, pending.amount) == ("con_1", Money(800, "EUR"))
    assert translate.payment(ours | {"status": "requires_action"}).facts == ()


def test_a_dispute_moves_money_with_its_balance_transactions_only():
    dispute = {"id": "du_1", "amount": 800, "currency": "eur", "balance_transactions": []}
    assert translate.reversals("in_1", [], [dispute]) == ()
    lost = {"amount": -800, "fee": 1500, "currency": "eur", "created": START}
    won = {"amount": 800, "fee": 0, "currency": "eur", "created": END}
    facts = translate.reversals("in_1", [], [dispute | {"balance_transactions": [won, lost]}])
    assert [(fact.reason, fact.is_returned, fact.fee) for fact in facts] == [
        ("dispute", False, Money(1500, "EUR")),
        ("dispute_won", True, None),
    ]


@pytest.mark.parametrize(("status", "n"), [("pending", 0), ("requires_action", 0), ("succeeded", 1), ("failed", 0)])
def test_a_refund_counts_by_its_status(status, n):
    refund = {"id": "re_1", "amount": 800, "currency": "eur", "created": START, "status": status}
    assert len(translate.reversals("in_1", [refund], [])) == n


def test_a_failed_refund_comes_back_with_the_movement_that_brings_it_and_on_its_day():
    refund = {"id": "re_1", "amount": 800, "currency": "eur", "created": START, "status": "failed"}
    named = refund | {"failure_balance_transaction": "txn_2"}
    [listed] = translate.reversals("in_1", [named], [])
    assert listed.is_returned
    [read] = translate.reversals("in_1", [named | {"failure_balance_transaction": {"id": "txn_2", "created": END}}], [])
    assert (read.is_returned, read.at) == (True, datetime.fromtimestamp(END, UTC))


# Money and versions -----------------------------------------------------------------------------------------------


def chargeable(currency):
    step = 10 if currency in currencies.THREE_DECIMAL else 1
    return st.integers(1, 10**9).map(lambda n: Money(n * step, currency))


@given(st.sampled_from(sorted(MINOR_DIGITS)).flatmap(chargeable))
def test_money_comes_back_from_stripe_as_it_went(money):
    assert currencies.from_stripe(currencies.to_stripe(money), money.currency.lower()) == money


@pytest.mark.parametrize(
    ("money", "at_stripe"),
    [
        (Money(400, "EUR"), 400),
        (Money(500, "JPY"), 500),
        (Money(500, "UGX"), 50_000),
        (Money(500, "ISK"), 50_000),
        (Money(5_000, "HUF"), 5_000),
        (Money(5_120, "KWD"), 5_120),
    ],
)
def test_stripe_counts_some_currencies_in_its_own_way(money, at_stripe):
    assert currencies.to_stripe(money) == at_stripe


def test_an_amount_that_stripe_cannot_charge_is_refused():
    with pytest.raises(ValueError, match="end in 0"):
        currencies.to_stripe(Money(5_123, "KWD"))
    with pytest.raises(ValueError, match="no whole amount"):
        currencies.from_stripe(50_001, "ugx")


def test_the_pinned_version_is_the_sdk_s_own():
    from stripe._api_version import _ApiVersion

    assert client.API_VERSION == _ApiVersion.CURRENT


def test_every_event_that_we_listen_to_exists():
    from stripe.params._webhook_endpoint_create_params import WebhookEndpointCreateParams

    assert set(notices.EVENTS) <= set(_literals(WebhookEndpointCreateParams))


def _literals(params):
    import re

    source = Path(stripe.__file__).parent / "params" / "_webhook_endpoint_create_params.py"
    return re.findall(r'"([a-z0-9_.]+)"', source.read_text())
