"""Money: the sandbox's books add up."""

from collections import defaultdict

import pytest
import requests
import stripe
from hypothesis import given, settings
from hypothesis import strategies as st

from membership.sandbox.app import create_sandbox
from membership.sandbox.money import card_fee


@pytest.mark.parametrize(("amount", "fee"), [(700, 36), (1000, 40), (50, 26), (20, 20), (1030, 40), (1034, 41)])
def test_a_fee_is_one_and_a_half_percent_and_a_quarter(amount, fee):
    assert card_fee(amount) == fee


def balance_by_api(client):
    sums = defaultdict(int)
    for txn in client.balance_transactions.list({"limit": 100}).auto_paging_iter():
        assert txn.net == txn.amount - txn.fee
        assert txn.fee == sum(detail.amount for detail in txn.fee_details)
        sums[txn.currency] += txn.net
    return dict(sums)


def test_refunds_in_part_and_in_whole(client, supporter, control):
    session = supporter(amount=1000)
    charge = client.charges.list().data[0]
    client.refunds.create({"charge": charge.id, "amount": 300})
    with pytest.raises(stripe.InvalidRequestError):
        client.refunds.create({"charge": charge.id, "amount": 701})
    client.refunds.create({"payment_intent": charge.payment_intent})
    with pytest.raises(stripe.InvalidRequestError) as again:
        client.refunds.create({"charge": charge.id})
    assert again.value.code == "charge_already_refunded"
    after = client.charges.retrieve(charge.id, {"expand": ["refunds"]})
    assert (after.amount_refunded, after.refunded) == (1000, True)
    assert [r.amount for r in after.refunds.data] == [700, 300]
    assert control.get("books")["totals"]["eur"] == {
        "charges": 1000,
        "fees": 40,
        "refunds": 1000,
        "disputes": 0,
        "net": -40,
    }
    assert session.payment_status == "paid"


def test_a_refund_may_be_slow_or_come_back(client, supporter, control):
    slow, failing = supporter("4000 0000 0000 7726"), supporter("4000 0000 0000 5126")
    charges = [client.charges.list({"customer": s.customer}).data[0].id for s in (slow, failing)]
    refunds = [client.refunds.create({"charge": charge}).id for charge in charges]
    assert [client.refunds.retrieve(r).status for r in refunds] == ["pending", "succeeded"]
    control("advance", days=2)
    assert [client.refunds.retrieve(r).status for r in refunds] == ["succeeded", "failed"]
    assert client.charges.retrieve(charges[1]).amount_refunded == 0
    assert "refund.failed" in {e.type for e in client.events.list({"limit": 100}).data}
    totals = control.get("books")["totals"]["eur"]
    assert totals["refunds"] == 700


def test_a_dispute_takes_the_money_and_a_fee_and_gives_the_money_back_when_won(client, supporter, control):
    supporter("4000 0000 0000 0259")
    control("advance", seconds=3601)
    dispute = client.disputes.list().data[0]
    assert (dispute.status, dispute.amount) == ("needs_response", 700)
    assert control.get("books")["totals"]["eur"]["net"] == 700 - 36 - 700 - 2000
    client.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}, "submit": True})
    won = client.disputes.retrieve(dispute.id)
    assert won.status == "won"
    assert len(won.balance_transactions) == 2
    assert control.get("books")["totals"]["eur"] == {
        "charges": 700,
        "fees": 2036,
        "refunds": 0,
        "disputes": 0,
        "net": -1336,
    }


def test_a_disputed_charge_cannot_be_refunded(client, supporter, control):
    supporter()
    charge = client.charges.list().data[0].id
    dispute = control("dispute", charge=charge)
    with pytest.raises(stripe.InvalidRequestError):
        client.refunds.create({"charge": charge})
    assert control("decide", dispute=dispute["id"], outcome="lost")["status"] == "lost"
    assert control.get("books")["payments"][0]["disputed"]


def test_the_statement_names_every_payment_with_its_fee_and_metadata(client, supporter, open_session, fill, control):
    session = supporter(subscription_data={"metadata": {"reference": "con_1"}})
    once = open_session("payment", 2500, payment_intent_data={"metadata": {"reference": "con_2"}})
    fill(once.url)
    books = control.get("books")
    monthly, single = sorted(books["payments"], key=lambda p: p["amount"])
    assert (monthly["id"], monthly["kind"], monthly["metadata"]) == (session.invoice, "invoice", {"reference": "con_1"})
    assert (single["kind"], single["fee"], single["metadata"]) == ("payment_intent", 63, {"reference": "con_2"})
    assert [s["id"] for s in books["subscriptions"]] == [session.subscription]
    assert sum(p["amount"] for p in books["payments"]) == books["totals"]["eur"]["charges"]


def test_credit_that_a_void_invoice_had_used_is_the_customers_again(client, control):
    customer = client.customers.create({}).id
    price = {"currency": "eur", "unit_amount": 1000, "recurring": {"interval": "month"}}
    price["product"] = client.products.create({"name": "S"}).id
    client.invoice_items.create({"customer": customer, "amount": -1500, "currency": "eur"})
    card = client.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer}).id
    client.subscriptions.create(
        {"customer": customer, "items": [{"price_data": price}], "default_payment_method": card}
    )
    assert client.customers.retrieve(customer).balance == -500
    control("advance", months=1, days=1)
    half_paid = client.invoices.list({"limit": 1}).data[0]
    assert (half_paid.status, half_paid.amount_due, client.customers.retrieve(customer).balance) == ("open", 500, 0)
    client.invoices.void_invoice(half_paid.id)
    assert client.customers.retrieve(customer).balance == -500


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("once"), st.integers(50, 90000)),
        st.tuples(st.just("monthly"), st.integers(50, 5000)),
        st.tuples(st.just("fails later"), st.integers(50, 5000)),
        st.tuples(st.just("declined"), st.integers(50, 5000)),
        st.tuples(st.just("refund"), st.integers(1, 5000)),
        st.tuples(st.just("dispute"), st.booleans()),
        st.tuples(st.just("advance"), st.integers(1, 40)),
        st.tuples(st.just("credit"), st.integers(-5000, -1)),
    ),
    min_size=1,
    max_size=12,
)
CARDS = {"monthly": "4242424242424242", "fails later": "4000000000000341", "declined": "4000000000000002"}


@settings(max_examples=12, deadline=None)
@given(STEPS)
def test_whatever_happens_the_books_add_up(steps):
    box = create_sandbox()
    client = stripe.StripeClient("sk_test_x", base_addresses={"api": box.start()}).v1
    try:
        for step, value in steps:
            act(box, client, step, value)
        check(box, client)
    finally:
        box.close()


def act(box, client, step, value):
    try:
        if step == "advance":
            requests.post(f"{box.public_url}/_sandbox/advance", json={"days": value}, timeout=60)
        elif step == "refund":
            client.refunds.create({"charge": client.charges.list({"limit": 1}).data[0].id, "amount": value})
        elif step == "dispute":
            charge = client.charges.list({"limit": 1}).data[0].id
            made = requests.post(f"{box.public_url}/_sandbox/dispute", json={"charge": charge}, timeout=10).json()
            outcome = {"dispute": made.get("id"), "outcome": "won" if value else "lost"}
            requests.post(f"{box.public_url}/_sandbox/decide", json=outcome, timeout=10)
        elif step == "credit":
            customer = client.customers.list({"limit": 1}).data[0].id
            client.invoice_items.create({"customer": customer, "amount": value, "currency": "eur"})
        else:
            pay(client, step, value)
    except (stripe.InvalidRequestError, IndexError):
        # Refused, or nothing there to act upon: also part of a life.
        pass


def pay(client, step, amount):
    price = {"currency": "eur", "unit_amount": amount, "product_data": {"name": "S"}}
    mode = "payment" if step == "once" else "subscription"
    if mode == "subscription":
        price["recurring"] = {"interval": "month"}
    session = client.checkout.sessions.create(
        {"mode": mode, "success_url": "http://127.0.0.1/", "line_items": [{"price_data": price, "quantity": 1}]}
    )
    form = {
        "email": "h@example.org",
        "cardNumber": CARDS.get(step, "4242424242424242"),
        "cardExpiry": "12/40",
        "cardCvc": "123",
    }
    requests.post(session.url, data=form, allow_redirects=False, timeout=20)


def check(box, client):
    books = requests.get(f"{box.public_url}/_sandbox/books", timeout=20).json()
    for sums in books["totals"].values():
        assert sums["net"] == sums["charges"] - sums["fees"] - sums["refunds"] - sums["disputes"]
    assert balance_by_api(client) == {currency: sums["net"] for currency, sums in books["totals"].items()}
    charges = [c for c in client.charges.list({"limit": 100}).auto_paging_iter() if c.status == "succeeded"]
    total = books["totals"].get("eur", {"charges": 0, "refunds": 0})
    assert sum(c.amount for c in charges) == total["charges"]
    assert sum(c.amount_refunded for c in charges) == total["refunds"]
    assert sum(p["amount"] for p in books["payments"]) == total["charges"]
    for invoice in client.invoices.list({"status": "paid", "limit": 100}).auto_paging_iter():
        assert invoice.amount_paid == invoice.amount_due
        assert invoice.amount_remaining == 0
    assert requests.get(f"{box.public_url}/_sandbox/health", timeout=10).json()["failed_tasks"] == 0
