"""What happens to subscriptions as time passes."""

import calendar as months
from datetime import UTC, datetime

import pytest
import requests
import stripe
from hypothesis import given
from hypothesis import strategies as st

from membership.sandbox.calendar import boundary


@given(
    st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - made aware by `timezones`
    st.integers(1, 60),
)
def test_monthly_periods_keep_to_the_day_of_the_anchor_or_the_month_end(start, n):
    anchor = int(start.timestamp())
    end = datetime.fromtimestamp(boundary(anchor, "month", 1, n), UTC)
    day = datetime.fromtimestamp(anchor, UTC).day
    assert end.day == min(day, months.monthrange(end.year, end.month)[1])
    assert (end.year * 12 + end.month) - (start.year * 12 + start.month) == n
    assert (end.hour, end.minute, end.second) == (start.hour, start.minute, start.second)


@given(st.integers(1_600_000_000, 1_900_000_000), st.sampled_from(["day", "week", "month", "year"]), st.integers(1, 3))
def test_periods_follow_one_another_without_gap_or_overlap(anchor, unit, count):
    ends = [boundary(anchor, unit, count, n) for n in range(6)]
    assert ends[0] == anchor
    assert ends == sorted(set(ends))


def test_the_thirty_first_stays_the_month_end():
    anchor = int(datetime(2027, 1, 31, 12, tzinfo=UTC).timestamp())
    days = [datetime.fromtimestamp(boundary(anchor, "month", 1, n), UTC).strftime("%m-%d") for n in range(5)]
    assert days == ["01-31", "02-28", "03-31", "04-30", "05-31"]


def period(sub):
    item = sub["items"].data[0]
    return item.current_period_start, item.current_period_end


def test_a_renewal_charges_the_next_period_and_moves_the_subscription(client, supporter, control):
    session = supporter(subscription_data={"metadata": {"m": "1"}})
    first = period(client.subscriptions.retrieve(session.subscription))
    control("advance", months=1, days=1)
    sub = client.subscriptions.retrieve(session.subscription, {"expand": ["latest_invoice"]})
    invoice = sub.latest_invoice
    assert period(sub)[0] == first[1]
    assert (invoice.billing_reason, invoice.status, invoice.created) == ("subscription_cycle", "paid", first[1])
    # Stripe writes the period that ended on the invoice and the one that is paid for on its lines.
    assert (invoice.period_start, invoice.period_end) == first
    assert (invoice.lines.data[0].period.start, invoice.lines.data[0].period.end) == period(sub)
    assert invoice.parent.subscription_details.metadata.to_dict() == {"m": "1"}


def test_the_news_of_a_renewal_come_in_stripes_order(client, supporter, control):
    supporter()
    n_before = len(client.events.list({"limit": 100}).data)
    control("advance", months=1, days=1)
    news = client.events.list({"limit": 100}).data[::-1][n_before:]
    assert [event.type for event in news] == [
        "invoice.created",
        "payment_intent.created",
        "invoice.finalized",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice.paid",
        "invoice.payment_succeeded",
        "invoice_payment.paid",
        "customer.subscription.updated",
    ]
    changed = news[-1].data.previous_attributes.to_dict()
    assert set(changed) == {"items", "latest_invoice"}
    assert {event.created for event in news} == {news[0].created}


def test_a_card_that_fails_at_renewal_is_retried_and_then_the_subscription_ends(client, supporter, control):
    session = supporter("4000 0000 0000 0341")
    control("advance", months=1, days=1)
    sub = client.subscriptions.retrieve(session.subscription, {"expand": ["latest_invoice"]})
    assert sub.status == "past_due"
    assert (sub.latest_invoice.status, sub.latest_invoice.attempt_count) == ("open", 1)
    assert sub.latest_invoice.next_payment_attempt - sub.latest_invoice.created == 3 * 86400
    control("advance", days=14)
    sub = client.subscriptions.retrieve(session.subscription, {"expand": ["latest_invoice"]})
    assert (sub.status, sub.cancellation_details.reason) == ("canceled", "payment_failed")
    assert (sub.latest_invoice.attempt_count, sub.latest_invoice.next_payment_attempt) == (4, None)
    failed = client.events.list({"type": "invoice.payment_failed", "limit": 100}).data
    assert len(failed) == 4


def test_after_the_last_retry_the_settings_decide(client, supporter, control):
    control("settings", retry_days=[1], after_retries="unpaid")
    session = supporter("4000 0000 0000 0341")
    control("advance", months=1, days=3)
    assert client.subscriptions.retrieve(session.subscription).status == "unpaid"
    control("advance", months=1)
    newest = client.invoices.list({"limit": 1}).data[0]
    assert (newest.status, newest.auto_advance) == ("draft", False)


def test_a_new_card_on_the_invoice_page_mends_it(client, supporter, control, fill):
    session = supporter("4000 0000 0000 0341")
    control("advance", months=1, days=1)
    invoice = client.invoices.list({"limit": 1}).data[0]
    assert fill(invoice.hosted_invoice_url, "4000 0000 0000 0002").status_code == 402
    assert fill(invoice.hosted_invoice_url).status_code == 303
    assert client.subscriptions.retrieve(session.subscription).status == "active"
    control("advance", months=1)
    assert client.invoices.list({"limit": 1}).data[0].status == "paid"
    assert requests.get(invoice.invoice_pdf, timeout=10).content.startswith(b"%PDF")


def test_the_next_payment_of_a_customer_can_be_made_to_fail(client, supporter, control):
    session = supporter()
    control("fail_next", customer=session.customer)
    control("advance", months=1, days=1)
    assert client.subscriptions.retrieve(session.subscription).status == "past_due"
    control("advance", days=3)
    assert client.subscriptions.retrieve(session.subscription).status == "active"


def test_a_subscription_may_end_with_its_period_and_that_may_be_taken_back(client, supporter, control):
    stays, goes = supporter().subscription, supporter().subscription
    for name in (stays, goes):
        sub = client.subscriptions.update(name, {"cancel_at_period_end": True})
        assert (sub.cancel_at, sub.cancellation_details.reason) == (period(sub)[1], "cancellation_requested")
    back = client.subscriptions.update(stays, {"cancel_at_period_end": False})
    assert (back.cancel_at, back.canceled_at, back.cancellation_details.reason) == (None, None, None)
    control("advance", months=1, days=1)
    assert client.subscriptions.retrieve(stays).status == "active"
    gone = client.subscriptions.retrieve(goes)
    assert (gone.status, gone.ended_at) == ("canceled", period(gone)[1])
    assert len(client.invoices.list({"subscription": goes}).data) == 1


def test_paused_collection_voids_invoices_until_the_day_it_resumes(client, supporter, control):
    session = supporter()
    end = period(client.subscriptions.retrieve(session.subscription))[1]
    client.subscriptions.update(
        session.subscription, {"pause_collection": {"behavior": "void", "resumes_at": end + 10 * 86400}}
    )
    control("advance", months=1, days=1)
    assert client.invoices.list({"limit": 1}).data[0].status == "void"
    assert client.subscriptions.retrieve(session.subscription).status == "active"
    control("advance", months=1)
    assert client.subscriptions.retrieve(session.subscription).pause_collection is None
    assert [i.status for i in client.invoices.list().data] == ["paid", "void", "paid"]


def test_a_subscription_paused_on_demand_is_charged_again_when_resumed(client, supporter, control):
    session = supporter()
    paused = client.subscriptions.pause(session.subscription, {"type": "subscription"})
    assert (paused.status, paused.status_details.paused.subscription.type) == ("paused", "pause_requested")
    control("advance", months=3)
    assert len(client.invoices.list().data) == 1
    resumed = client.subscriptions.resume(session.subscription)
    assert resumed.status == "active"
    assert len(client.invoices.list().data) == 2


def test_an_unpaid_beginning_expires_after_23_hours(client, control):
    customer = client.customers.create({"email": "d@example.org"})
    price = client.prices.create(
        {"currency": "eur", "unit_amount": 500, "recurring": {"interval": "month"}, "product_data": {"name": "S"}}
    )
    params = {"customer": customer.id, "items": [{"price": price.id}], "payment_behavior": "default_incomplete"}
    sub = client.subscriptions.create(params)
    control("advance", seconds=23 * 3600 + 1)
    expired = client.subscriptions.retrieve(sub.id, {"expand": ["latest_invoice"]})
    assert (expired.status, expired.latest_invoice.status) == ("incomplete_expired", "void")


def test_an_error_takes_the_whole_beginning_back(client):
    customer = client.customers.create({"email": "d@example.org"})
    method = client.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer.id})
    items = [{"price_data": {"currency": "eur", "unit_amount": 500, "recurring": {"interval": "month"}, "product": client.products.create({"name": "S"}).id}}]  # fmt: skip  # noqa: E501
    with pytest.raises(stripe.CardError):
        client.subscriptions.create(
            {
                "customer": customer.id,
                "items": items,
                "default_payment_method": method.id,
                "payment_behavior": "error_if_incomplete",
            }
        )
    assert client.subscriptions.list({"status": "all"}).data == []
    assert client.invoices.list().data == []


def test_a_trial_costs_nothing_until_it_ends(client, supporter, control):
    session = supporter(subscription_data={"trial_period_days": 10})
    assert session.payment_status == "no_payment_required"
    sub = client.subscriptions.retrieve(session.subscription)
    assert (sub.status, sub.trial_end - sub.trial_start) == ("trialing", 10 * 86400)
    control("advance", days=11)
    sub = client.subscriptions.retrieve(session.subscription, {"expand": ["latest_invoice"]})
    assert (sub.status, sub.latest_invoice.amount_paid, period(sub)[0]) == ("active", 700, sub.trial_end)
    assert "customer.subscription.trial_will_end" in {e.type for e in client.events.list({"limit": 100}).data}


def change(client, sub_id, amount, **more):
    sub = client.subscriptions.retrieve(sub_id)
    item = sub["items"].data[0]
    price = {
        "currency": "eur",
        "unit_amount": amount,
        "recurring": {"interval": "month"},
        "product": item.price.product,
    }
    return client.subscriptions.update(sub_id, {"items": [{"id": item.id, "price_data": price}], **more})


def test_another_amount_without_proration_counts_from_the_next_renewal(client, supporter, control):
    session = supporter()
    changed = change(client, session.subscription, 1200, proration_behavior="none")
    assert changed["items"].data[0].price.unit_amount == 1200
    assert len(client.invoices.list().data) == 1
    control("advance", months=1, days=1)
    assert client.invoices.list({"limit": 1}).data[0].total == 1200


def test_proration_settles_the_rest_of_the_period_to_the_cent(client, supporter, control):
    session = supporter(amount=3000)
    control("advance", days=10)
    preview_before = client.invoices.create_preview({"subscription": session.subscription}).total
    change(client, session.subscription, 6000)
    preview = client.invoices.create_preview({"subscription": session.subscription})
    control("advance", months=1)
    invoice = client.invoices.list({"limit": 1}).data[0]
    credit, debit = (line.amount for line in invoice.lines.data[1:])
    assert preview_before == 3000
    assert preview.total == invoice.total == 6000 + credit + debit
    assert -credit * 2 - 1 <= debit <= -credit * 2 + 1
    assert 1800 < -credit < 2200


def test_a_preview_keeps_nothing(client, supporter):
    session = supporter()
    item = client.subscriptions.retrieve(session.subscription)["items"].data[0]
    price = {"currency": "eur", "unit_amount": 900, "recurring": {"interval": "month"}, "product": item.price.product}
    details = {"items": [{"id": item.id, "price_data": price}], "proration_behavior": "none"}
    preview = client.invoices.create_preview({"subscription": session.subscription, "subscription_details": details})
    assert preview.total == 900
    after = client.subscriptions.retrieve(session.subscription)
    assert after["items"].data[0].price.unit_amount == 700
    assert len(client.invoices.list().data) == 1


def test_deleting_a_customer_ends_what_they_pay(client, supporter):
    session = supporter()
    client.customers.delete(session.customer)
    assert client.subscriptions.retrieve(session.subscription).status == "canceled"
    assert client.customers.list().data == []
    assert client.customers.retrieve(session.customer).deleted


def test_the_portal_stops_a_subscription_and_changes_the_card(client, supporter, control, fill):
    session = supporter("4000 0000 0000 0341")
    portal = client.billing_portal.sessions.create({"customer": session.customer, "return_url": "http://127.0.0.1/me"})
    page = requests.get(portal.url, timeout=10).text
    assert "ending in" in page or "0341" in page
    requests.post(f"{portal.url}/cancel/{session.subscription}", timeout=10)
    assert client.subscriptions.retrieve(session.subscription).cancel_at_period_end
    requests.post(f"{portal.url}/cancel/{session.subscription}", data={"undo": "1"}, timeout=10)
    assert not client.subscriptions.retrieve(session.subscription).cancel_at_period_end
    card = {"cardNumber": "4242424242424242", "cardExpiry": "12/34", "cardCvc": "123"}
    assert requests.post(f"{portal.url}/card", data=card, timeout=10).status_code == 200
    control("advance", months=1, days=1)
    assert client.subscriptions.retrieve(session.subscription).status == "active"
    assert requests.get(portal.url, timeout=10).status_code == 404


@pytest.mark.parametrize("what", ["void_invoice", "pay"])
def test_an_invoice_whose_debit_is_on_its_way_is_neither_withdrawn_nor_paid_once_more(
    client, open_session, fill, control, what
):
    session = open_session("subscription", 500, allowed_payment_method_types=["card", "sepa_debit"])
    fill(session.url, "", iban="AT61 1904 3002 3457 3201")
    invoice_id = client.checkout.sessions.retrieve(session.id).invoice
    with pytest.raises(stripe.InvalidRequestError):
        getattr(client.invoices, what)(invoice_id)
    control("advance", days=6)
    assert client.invoices.retrieve(invoice_id).status == "paid"
    assert control.get("books")["totals"]["eur"]["charges"] == 500
