"""What a subscription is made of: items one by one, added gifts, another rhythm, and invoices in between."""

import pytest
import stripe


def price(client, amount, interval=None):
    params = {"currency": "eur", "unit_amount": amount, "product_data": {"name": f"For {amount}"}}
    return client.prices.create(params | ({"recurring": {"interval": interval}} if interval else {})).id


@pytest.fixture
def patron(client):
    """A customer with a card that always works."""
    customer = client.customers.create({"email": "p@example.org"})
    method = client.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    return client.customers.update(customer.id, {"invoice_settings": {"default_payment_method": method.id}}).id


@pytest.fixture
def monthly(client, patron):
    """Ten euros a month."""
    return client.subscriptions.create({"customer": patron, "items": [{"price": price(client, 1000, "month")}]})


def test_another_rhythm_keeps_the_anchor_and_is_settled_at_once(client, control, monthly):
    control("advance", days=10)
    item = monthly["items"].data[0]
    changed = client.subscriptions.update(
        monthly.id,
        {"items": [{"id": item.id, "price": price(client, 10_000, "year")}], "expand": ["latest_invoice"]},
    )
    now = changed["items"].data[0]
    assert changed.billing_cycle_anchor == monthly.billing_cycle_anchor
    assert now.current_period_start == item.current_period_start
    assert 365 * 86400 <= now.current_period_end - now.current_period_start <= 366 * 86400
    back, charged = changed.latest_invoice.lines.data
    assert back.amount < 0 < charged.amount < 10_000
    details = back.parent.subscription_item_details
    assert (details.proration, details.subscription_item) == (True, item.id)
    assert details.proration_details.credited_items.invoice == monthly.latest_invoice
    assert changed.latest_invoice.status == "paid"
    assert changed.latest_invoice.amount_paid == back.amount + charged.amount


def test_items_are_added_changed_and_taken_away(client, monthly):
    more = client.subscription_items.create({"subscription": monthly.id, "price": price(client, 300, "month")})
    assert client.subscription_items.update(more.id, {"quantity": 2}).quantity == 2
    assert [item.quantity for item in client.subscription_items.list({"subscription": monthly.id}).data] == [1, 2]
    assert client.subscription_items.delete(more.id).deleted
    with pytest.raises(stripe.InvalidRequestError):
        client.subscription_items.retrieve(more.id)
    with pytest.raises(stripe.InvalidRequestError):
        client.subscription_items.delete(monthly["items"].data[0].id)


def test_a_gift_may_come_with_the_first_month(client, patron):
    sub = client.subscriptions.create(
        {
            "customer": patron,
            "items": [{"price": price(client, 1000, "month")}],
            "add_invoice_items": [{"price": price(client, 1500)}],
            "expand": ["latest_invoice"],
        }
    )
    gift, month = sub.latest_invoice.lines.data
    assert (gift.amount, gift.parent.invoice_item_details.subscription) == (1500, sub.id)
    assert (month.amount, month.parent.subscription_item_details.subscription) == (1000, sub.id)
    assert sub.latest_invoice.amount_paid == 2500


def test_an_invoice_in_between_takes_only_what_waits_for_its_subscription(client, patron, monthly):
    common = {"customer": patron, "currency": "eur"}
    client.invoice_items.create(common | {"amount": 100})
    client.invoice_items.create(common | {"amount": 200, "subscription": monthly.id})
    invoice = client.invoices.create(
        {"customer": patron, "subscription": monthly.id, "pending_invoice_items_behavior": "include"}
    )
    assert (invoice.amount_due, invoice.billing_reason) == (200, "manual")
    assert client.invoices.pay(invoice.id).status == "paid"
    assert client.subscriptions.retrieve(monthly.id).latest_invoice == monthly.latest_invoice


def test_an_item_on_a_draft_can_be_changed_and_the_totals_follow(client, patron):
    draft = client.invoices.create({"customer": patron, "currency": "eur"})
    item = client.invoice_items.create({"customer": patron, "invoice": draft.id, "amount": 500})
    client.invoice_items.update(item.id, {"amount": 700, "description": "Seven"})
    draft = client.invoices.retrieve(draft.id)
    assert [(line.amount, line.description) for line in draft.lines.data] == [(700, "Seven")]
    assert draft.amount_due == 700


def test_a_trial_can_be_prolonged_and_ended(client, control, monthly):
    now = control.get("clock")["now"]
    trial = client.subscriptions.update(
        monthly.id, {"trial_end": now + 10 * 86400, "proration_behavior": "none", "expand": ["items"]}
    )
    assert (trial.status, trial.trial_end, trial.billing_cycle_anchor) == (
        "trialing",
        now + 10 * 86400,
        now + 10 * 86400,
    )
    control("advance", days=11)
    paid = client.subscriptions.retrieve(monthly.id, {"expand": ["latest_invoice"]})
    assert (paid.status, paid.latest_invoice.amount_paid) == ("active", 1000)
    assert paid["items"].data[0].current_period_start == now + 10 * 86400


def test_who_ends_at_once_may_be_given_back_what_they_did_not_use(client, control, monthly):
    control("advance", days=15)
    ended = client.subscriptions.cancel(
        monthly.id, {"prorate": True, "invoice_now": True, "expand": ["latest_invoice"]}
    )
    assert (ended.status, ended.latest_invoice.billing_reason) == ("canceled", "subscription_update")
    assert -600 < ended.latest_invoice.total < -400
    assert client.customers.retrieve(monthly.customer).balance == ended.latest_invoice.total


def test_the_first_invoice_can_be_seen_before_anything_is_made(client, patron):
    wanted = {"items": [{"price": price(client, 1000, "month"), "quantity": 3}]}
    seen = client.invoices.create_preview({"customer": patron, "subscription_details": wanted})
    assert (seen.amount_due, seen.billing_reason) == (3000, "upcoming")
    assert client.subscriptions.list({"customer": patron}).data == []
    assert client.invoices.list({"customer": patron}).data == []
