"""How the sandbox speaks HTTP."""

import threading

import pytest
import requests
import stripe
from stripe import _api_version

from membership.sandbox.protocol import forms
from membership.sandbox.protocol.errors import ApiError
from membership.sandbox.world import merge_metadata, previous

AUTH = {"Authorization": "Bearer sk_test_tests"}


def test_the_pinned_version_is_that_of_the_sdk(base):
    answer = requests.get(f"{base}/v1/customers", headers=AUTH, timeout=10)
    assert answer.headers["Stripe-Version"] == _api_version._ApiVersion.CURRENT
    assert answer.headers["Request-Id"].startswith("req_")
    assert "Date" in answer.headers


def test_another_version_is_refused_rather_than_answered_wrongly(base):
    answer = requests.get(f"{base}/v1/customers", headers=AUTH | {"Stripe-Version": "2024-06-20"}, timeout=10)
    assert answer.status_code == 400
    assert "2024-06-20" in answer.json()["error"]["message"]


@pytest.mark.parametrize("key", ["", "nonsense", "sk_live_abc", "pk_test_abc"])
def test_only_secret_test_keys_open_the_door(base, key):
    answer = requests.get(f"{base}/v1/customers", headers={"Authorization": f"Bearer {key}"}, timeout=10)
    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("key", ["sk_test_abc", "rk_test_abc"])
def test_a_key_may_come_as_basic_user_name(base, key):
    assert requests.get(f"{base}/v1/customers", auth=(key, ""), timeout=10).status_code == 200


def test_nested_forms_become_trees():
    tree = forms.parse("a[b][0][c]=1&a[b][1][c]=2&expand[]=x&expand[]=y&plain=%C3%A9&empty=")
    assert tree == {"a": {"b": [{"c": "1"}, {"c": "2"}]}, "expand": ["x", "y"], "plain": "é", "empty": ""}


def test_a_form_that_contradicts_itself_is_refused():
    with pytest.raises(ApiError):
        forms.parse("a=1&a[b]=2")


@pytest.mark.parametrize(
    ("path", "data", "code", "param"),
    [
        ("customers", {"emial": "x"}, "parameter_unknown", "emial"),
        ("customers", {"address[planet]": "x"}, "parameter_unknown", "address[planet]"),
        ("customers", {"api_key": "x"}, "parameter_unknown", "api_key"),
        ("payment_intents", {"currency": "eur"}, "parameter_missing", "amount"),
        ("payment_intents", {"currency": "eur", "amount": "7.5"}, "parameter_invalid_integer", "amount"),
        ("payment_intents", {"currency": "eur", "amount": "20"}, "amount_too_small", "amount"),
        ("checkout/sessions", {"mode": "gift"}, None, "mode"),
        ("checkout/sessions", {"mode": "payment", "locale": "uk"}, None, "locale"),
        ("customers", {"tax[ip_address]": "::1"}, "parameter_unknown", "tax[ip_address]"),
        ("prices", {"currency": "eur", "product": "prod_no"}, "resource_missing", "product"),
    ],
)  # fmt: skip
def test_a_bad_parameter_is_refused_by_name(base, path, data, code, param):
    answer = requests.post(f"{base}/v1/{path}", data=data, headers=AUTH, timeout=10)
    error = answer.json()["error"]
    assert (answer.status_code, error.get("code"), error["param"]) == (400, code, param)


def test_an_unknown_address_says_so(base):
    answer = requests.get(f"{base}/v1/unicorns", headers=AUTH, timeout=10)
    assert answer.status_code == 404
    assert "/v1/unicorns" in answer.json()["error"]["message"]


def test_an_unknown_id_is_404_in_the_address_and_400_as_a_parameter(client):
    with pytest.raises(stripe.InvalidRequestError) as in_address:
        client.customers.retrieve("cus_nobody")
    with pytest.raises(stripe.InvalidRequestError) as as_parameter:
        client.billing_portal.sessions.create({"customer": "cus_nobody"})
    assert (in_address.value.http_status, in_address.value.code) == (404, "resource_missing")
    assert (as_parameter.value.http_status, as_parameter.value.code) == (400, "resource_missing")


def test_metadata_merges_and_empty_values_delete():
    assert merge_metadata({"a": "1", "b": "2"}, {"a": "", "c": "3"}) == {"b": "2", "c": "3"}
    assert merge_metadata({"a": "1"}, "") == {}
    assert merge_metadata({"a": "1"}, None) == {"a": "1"}


def test_previous_attributes_hold_only_what_changed():
    before = {"status": "active", "items": {"data": [1], "url": "u"}, "metadata": {}}
    after = {"status": "past_due", "items": {"data": [2], "url": "u"}, "metadata": {"a": "1"}}
    assert previous(before, after) == {"status": "active", "items": {"data": [1]}, "metadata": {}}


def test_the_same_key_gives_the_same_object_and_says_that_it_is_a_replay(client):
    first = client.customers.create({"email": "i@example.org"}, {"idempotency_key": "k"})
    again = client.customers.create({"email": "i@example.org"}, {"idempotency_key": "k"})
    assert again.id == first.id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert again.last_response.headers["Request-Id"] != again.last_response.headers["Original-Request"]
    assert len(client.customers.list().data) == 1


def test_a_key_with_other_parameters_is_refused(client):
    client.customers.create({"email": "i@example.org"}, {"idempotency_key": "k"})
    with pytest.raises(stripe.IdempotencyError):
        client.customers.create({"email": "other@example.org"}, {"idempotency_key": "k"})


def test_a_key_is_forgotten_after_a_day_of_sandbox_time(client, control):
    first = client.customers.create({"email": "i@example.org"}, {"idempotency_key": "k"})
    control("advance", days=1, seconds=1)
    assert client.customers.create({"email": "i@example.org"}, {"idempotency_key": "k"}).id != first.id


def test_a_refused_parameter_leaves_the_key_free(client):
    with pytest.raises(stripe.InvalidRequestError):
        client.customers.create({"emial": "x"}, {"idempotency_key": "k"})
    assert client.customers.create({"email": "x@example.org"}, {"idempotency_key": "k"}).id


def test_a_declined_card_is_replayed_as_declined(client):
    params = {"amount": 500, "currency": "eur", "payment_method": "pm_card_chargeDeclined", "confirm": True}
    for _ in range(2):
        with pytest.raises(stripe.CardError) as declined:
            client.payment_intents.create(params, {"idempotency_key": "k"})
        assert declined.value.http_status == 402
    assert len(client.charges.list().data) == 1


def test_threads_that_race_with_one_key_make_one_object(base, client, make_client):
    start, ids, conflicts = threading.Barrier(12), [], []

    def race():
        start.wait()
        try:
            ids.append(make_client(base).customers.create({"email": "r@example.org"}, {"idempotency_key": "race"}).id)
        except (stripe.IdempotencyError, stripe.APIError, stripe.InvalidRequestError) as error:
            conflicts.append((error.http_status, error.json_body["error"]["code"]))

    threads = [threading.Thread(target=race) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ids)) == 1
    assert set(conflicts) <= {(409, "idempotency_key_in_use")}
    assert len(client.customers.list().data) == 1


def test_lists_are_newest_first_and_pages_join_up(client):
    made = [client.customers.create({"email": f"p{i}@example.org"}).id for i in range(23)]
    assert [c.id for c in client.customers.list({"limit": 5}).auto_paging_iter()] == made[::-1]
    middle = client.customers.list({"limit": 3, "ending_before": made[10]})
    assert [c.id for c in middle.data] == [made[13], made[12], made[11]]
    assert middle.has_more


@pytest.mark.parametrize("limit", [0, 101])
def test_a_page_has_one_to_a_hundred_entries(client, limit):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.customers.list({"limit": limit})
    assert refused.value.param == "limit"


def test_a_cursor_that_names_nothing_is_refused(client):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.customers.list({"starting_after": "cus_nobody"})
    assert refused.value.param == "starting_after"


def test_expansion_reaches_through_lists_and_lazy_fields(client, supporter):
    session = supporter()
    sub = client.subscriptions.retrieve(
        session.subscription,
        {"expand": ["latest_invoice.payments.data", "customer", "items.data.price.product"]},
    )
    assert sub.latest_invoice.payments.data[0].status == "paid"
    invoice = client.invoices.retrieve(sub.latest_invoice.id, {"expand": ["payments.data.payment.payment_intent"]})
    assert invoice.payments.data[0].payment.payment_intent.status == "succeeded"
    assert sub.customer.email == "q@example.org"
    assert sub["items"].data[0].price.product.name == "Supporter"
    # What was expanded for one answer is not kept.
    plain = client.subscriptions.retrieve(session.subscription)
    assert plain.customer == sub.customer.id
    assert plain["items"].data[0].price.product.startswith("prod_")


@pytest.mark.parametrize("path", ["email", "nothing", "a.b.c.d.e"])
def test_what_cannot_be_expanded_is_refused(client, path):
    customer = client.customers.create({})
    if path == "email":
        customer = client.customers.update(customer.id, {"email": "no-object@example.org"})
    with pytest.raises(stripe.InvalidRequestError):
        client.customers.retrieve(customer.id, {"expand": [path]})
