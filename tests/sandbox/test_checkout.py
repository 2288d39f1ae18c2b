"""The hosted payment page."""

import re
import threading
import time

import pytest
import requests
import stripe


def test_paying_makes_customer_subscription_and_paid_invoice(client, open_session, fill):
    session = open_session(client_reference_id="m1", metadata={"a": "1"}, subscription_data={"metadata": {"b": "2"}})
    assert (session.status, session.payment_status, session.amount_total) == ("open", "unpaid", 700)
    assert session.subscription is None
    answer = fill(session.url)
    assert answer.headers["Location"] == f"http://127.0.0.1/ok?s={session.id}"
    done = client.checkout.sessions.retrieve(session.id, {"expand": ["subscription", "invoice", "customer"]})
    assert (done.status, done.payment_status, done.client_reference_id) == ("complete", "paid", "m1")
    assert (done.customer.email, done.customer_details.name) == ("q@example.org", "Q")
    assert (done.subscription.status, done.subscription.metadata.to_dict()) == ("active", {"b": "2"})
    assert (done.invoice.status, done.invoice.billing_reason) == ("paid", "subscription_create")
    assert done.invoice.parent.subscription_details.metadata.to_dict() == {"b": "2"}
    assert done.metadata.to_dict() == {"a": "1"}


def test_a_refund_finds_its_way_back_to_the_invoice(client, supporter):
    session = supporter()
    charge = client.charges.list({"customer": session.customer}).data[0]
    payments = client.invoice_payments.list(
        {"payment": {"type": "payment_intent", "payment_intent": charge.payment_intent}}
    )
    assert [payment.invoice for payment in payments.data] == [session.invoice]


def test_a_one_time_payment_needs_no_customer(client, open_session, fill):
    session = open_session("payment", 2500, payment_intent_data={"metadata": {"r": "1"}, "description": "One gift"})
    assert fill(session.url).status_code == 303
    done = client.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})
    assert done.customer is None
    assert (done.payment_intent.status, done.payment_intent.metadata.to_dict()) == ("succeeded", {"r": "1"})
    assert (done.payment_intent.latest_charge.amount, done.payment_intent.latest_charge.description) == (
        2500,
        "One gift",
    )


def test_a_known_customer_pays_under_their_own_address(client, open_session, fill):
    customer = client.customers.create({"email": "own@example.org"})
    session = open_session("payment", customer=customer.id)
    assert 'value="own@example.org" readonly' in requests.get(session.url, timeout=10).text
    fill(session.url, email="other@example.org")
    done = client.checkout.sessions.retrieve(session.id)
    assert (done.customer, done.customer_details.email) == (customer.id, "own@example.org")


def test_a_declined_card_charges_nothing_and_keeps_what_was_typed(client, open_session, fill, control):
    session = open_session()
    answer = fill(session.url, "4000 0000 0000 0002", email="typed@example.org")
    assert answer.status_code == 402
    assert "Nothing was charged" in answer.text
    assert 'value="typed@example.org"' in answer.text
    assert "4000 0000 0000 0002" not in re.sub(r"<dt>.*?</dt>", "", answer.text)
    still = client.checkout.sessions.retrieve(session.id)
    assert (still.status, still.subscription, still.customer) == ("open", None, None)
    assert control.get("books")["totals"] == {}
    assert fill(session.url).status_code == 303
    assert client.checkout.sessions.retrieve(session.id).payment_status == "paid"
    assert [c.status for c in client.charges.list().data] == ["succeeded", "failed"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("cardNumber", "4111"), ("cardExpiry", "13 / 40"), ("cardExpiry", "01 / 20"), ("cardCvc", "x"), ("email", "no")],
)
def test_what_is_mistyped_is_named_and_tried_on_no_card(client, open_session, fill, field, value):
    session = open_session()
    number = value if field == "cardNumber" else "4242424242424242"
    answer = fill(session.url, number, **({} if field == "cardNumber" else {field: value}))
    assert answer.status_code == 422
    assert f'aria-describedby="{field}-error"' in answer.text
    assert client.charges.list().data == []


def test_a_double_submit_charges_once(client, open_session, fill):
    session, start, answers = open_session(), threading.Barrier(6), []

    def submit():
        start.wait()
        answers.append(requests.post(session.url, data=FORM, allow_redirects=False, timeout=20).headers["Location"])

    threads = [threading.Thread(target=submit) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) == {f"http://127.0.0.1/ok?s={session.id}"}
    assert len(client.charges.list().data) == 1
    assert len(client.subscriptions.list().data) == 1


FORM = {
    "email": "q@example.org",
    "cardNumber": "4242424242424242",
    "cardExpiry": "1234",
    "cardCvc": "123",
    "billingName": "Q",
}


def test_a_completed_session_only_leads_on(supporter, base):
    session = supporter()
    answer = requests.get(f"{base}/c/pay/{session.id}", allow_redirects=False, timeout=10)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"http://127.0.0.1/ok?s={session.id}")


def test_the_bank_may_ask_for_a_confirmation(client, open_session, fill):
    session = open_session()
    answer = fill(session.url, "4000 0025 0000 3155")
    confirm = session.url + "/confirm"
    assert confirm.endswith(answer.headers["Location"])
    assert requests.get(confirm, timeout=10).status_code == 200
    assert requests.post(confirm, data={"decision": "no"}, timeout=10).status_code == 402
    assert client.charges.list({"limit": 1}).data == []
    fill(session.url, "4000 0025 0000 3155")
    done = requests.post(confirm, data={"decision": "yes"}, allow_redirects=False, timeout=10)
    assert done.headers["Location"].startswith("http://127.0.0.1/ok")
    assert client.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_a_card_confirmed_once_renews_without_its_owner(client, open_session, fill, control):
    session = open_session()
    fill(session.url, "4000 0025 0000 3155")
    requests.post(session.url + "/confirm", data={"decision": "yes"}, allow_redirects=False, timeout=10)
    control("advance", months=1, days=1)
    assert [i.status for i in client.invoices.list().data] == ["paid", "paid"]


def test_a_session_expires_when_its_time_has_come(client, open_session, control, receivers):
    receiver = receivers()
    secret = client.webhook_endpoints.create(
        {"url": receiver.url, "enabled_events": ["checkout.session.expired"]}
    ).secret
    receiver.secret = secret
    session = open_session(expires_at=int(time.time()) + 1800)
    control("advance", seconds=1801)
    receiver.wait_for(lambda r: r.types() == ["checkout.session.expired"])
    assert client.checkout.sessions.retrieve(session.id).status == "expired"
    assert requests.get(session.url, timeout=10).status_code == 410
    with pytest.raises(stripe.InvalidRequestError):
        client.checkout.sessions.expire(session.id)


@pytest.mark.parametrize("seconds", [60, 25 * 3600])
def test_a_session_lives_for_half_an_hour_to_a_day(open_session, seconds):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        open_session(expires_at=int(time.time()) + seconds)
    assert refused.value.param == "expires_at"


def test_setup_mode_saves_a_card_and_charges_nothing(client, open_session, fill):
    customer = client.customers.create({"email": "s@example.org"})
    session = open_session("setup", currency="eur", customer=customer.id)
    assert fill(session.url).status_code == 303
    done = client.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent"]})
    assert (done.payment_status, done.setup_intent.status) == ("no_payment_required", "succeeded")
    assert len(client.payment_methods.list({"customer": customer.id}).data) == 1
    assert client.charges.list().data == []


def test_a_debit_arrives_some_days_later_or_comes_back(client, open_session, fill, control):
    kinds = {"allowed_payment_method_types": ["card", "sepa_debit"]}
    good, bad = open_session("payment", **kinds), open_session("payment", **kinds)
    fill(good.url, "", iban="AT61 1904 3002 3457 3201")
    fill(bad.url, "", iban="AT86 1904 3002 3547 3202")
    for session in (good, bad):
        found = client.checkout.sessions.retrieve(session.id)
        assert (found.status, found.payment_status) == ("complete", "unpaid")
    assert control.get("books")["totals"] == {}
    control("advance", days=6)
    assert client.checkout.sessions.retrieve(good.id).payment_status == "paid"
    assert client.checkout.sessions.retrieve(bad.id).payment_status == "unpaid"
    types = {event.type for event in client.events.list({"limit": 100}).data}
    assert {"checkout.session.async_payment_succeeded", "checkout.session.async_payment_failed"} <= types


@pytest.mark.parametrize(
    ("language", "word"), [("uk-UA,uk;q=0.9,en;q=0.5", "Номер картки"), ("en", "Card number"), ("fr", "Card number")]
)
def test_the_page_speaks_the_language_of_the_browser(open_session, language, word):
    page = requests.get(open_session().url, headers={"Accept-Language": language}, timeout=10)
    assert word in page.text
    assert f'lang="{"uk" if language.startswith("uk") else "en"}"' in page.text


def test_the_page_says_what_is_paid_how_often_and_the_way_back(open_session):
    page = requests.get(open_session().url, headers={"Accept-Language": "en"}, timeout=10)
    assert page.text.count("<h1>") == 1
    for text in ("€7.00", "per month", "Supporter", 'href="http://127.0.0.1/no"', "sandbox", "4000 0000 0000 0341"):
        assert text in page.text
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert policy.endswith("form-action 'self' http://127.0.0.1")
    assert "<script" not in page.text
    assert "style=" not in page.text
    sheet = requests.get(re.sub(r"/c/pay/.*", "/_sandbox/static/sandbox.css", page.url), timeout=10)
    assert sheet.headers["Content-Type"].startswith("text/css")
