"""Faults on demand."""

import time

import pytest
import requests
import stripe
from click.testing import CliRunner

from membership.sandbox.faults import CALL_FAULTS, DELIVERY_FAULTS
from membership.sandbox.run import sandbox_command

PATH = "POST /v1/customers"


def test_a_lost_reply_and_a_retry_with_the_same_key_make_one_object(client, control):
    control("faults", [{"match": PATH, "do": "lost_reply"}])
    with pytest.raises(stripe.APIConnectionError):
        client.customers.create({"email": "l@example.org"}, {"idempotency_key": "k"})
    again = client.customers.create({"email": "l@example.org"}, {"idempotency_key": "k"})
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert [c.id for c in client.customers.list().data] == [again.id]


def test_the_sdk_gets_over_a_lost_reply_by_itself(base, client, control, make_client):
    control("faults", [{"match": PATH, "do": "lost_reply", "times": 2}])
    made = make_client(base, max_network_retries=2).customers.create({"email": "l@example.org"})
    assert [c.id for c in client.customers.list().data] == [made.id]


def test_an_error_of_the_server_is_kept_for_its_key(client, control):
    control("faults", [{"match": PATH, "do": "500"}])
    for _ in range(2):
        with pytest.raises(stripe.APIError) as failed:
            client.customers.create({}, {"idempotency_key": "k"})
        assert failed.value.http_status == 500
    assert client.customers.create({}, {"idempotency_key": "another"}).id


@pytest.mark.parametrize(
    ("do", "error"),
    [("503", stripe.APIError), ("429", stripe.RateLimitError), ("409", stripe.APIError), ("html", stripe.APIError)],
)
def test_other_refusals_pass(client, control, do, error):
    control("faults", [{"match": "POST /v1/*", "do": do}])
    with pytest.raises(error):
        client.customers.create({}, {"idempotency_key": "k"})
    assert client.customers.create({}, {"idempotency_key": "k"}).id


def test_slow_is_slow_and_a_hang_ends_without_an_answer(client, control):
    control("faults", [{"match": PATH, "do": "slow", "seconds": 0.4}, {"match": PATH, "do": "hang", "seconds": 0.2}])
    start = time.monotonic()
    assert client.customers.create({}).id
    assert time.monotonic() - start >= 0.4
    with pytest.raises(stripe.APIConnectionError):
        client.customers.create({})
    assert len(client.customers.list().data) == 1


def test_faults_are_listed_used_up_and_cleared(client, control):
    control("faults", {"calls": [{"match": "GET /v1/customers", "do": "429", "times": 5}]})
    with pytest.raises(stripe.RateLimitError):
        client.customers.list()
    assert control.get("faults")["calls"][0]["times"] == 4
    control.delete("faults")
    assert client.customers.list().data == []


def test_a_fault_that_is_no_fault_is_refused(base):
    answer = requests.post(f"{base}/_sandbox/faults", json=[{"match": "x", "do": "explode"}], timeout=10)
    assert answer.status_code == 400


def endpoint(client, receiver):
    receiver.secret = client.webhook_endpoints.create(
        {"url": receiver.url, "enabled_events": ["customer.created"]}
    ).secret


def test_deliveries_are_doubled_or_dropped(client, control, receivers):
    receiver = receivers()
    endpoint(client, receiver)
    control("faults", {"deliveries": {"seed": 1, "duplicate": 1}})
    client.customers.create({})
    receiver.wait_for(lambda r: len(r.events) == 2)
    assert receiver.events[0]["id"] == receiver.events[1]["id"]
    control("faults", {"deliveries": {"seed": 1, "drop": 1}})
    lost = client.customers.create({}).id
    time.sleep(0.5)
    assert lost not in {e["data"]["object"]["id"] for e in receiver.events}
    forgotten = client.events.list({"delivery_success": False}).data
    assert [e.data.object.id for e in forgotten] == [lost]


def test_a_wrong_signature_is_followed_by_a_right_one(client, control, receivers):
    receiver = receivers()
    endpoint(client, receiver)
    control("faults", {"deliveries": {"wrong_signature": 1}})
    receiver.answer = 400
    client.customers.create({})
    receiver.wait_for(lambda r: r.refused)
    receiver.answer = 200
    receiver.wait_for(lambda r: r.events)


def test_reordered_deliveries_all_arrive(client, control, receivers):
    receiver = receivers()
    endpoint(client, receiver)
    control("faults", {"deliveries": {"seed": 7, "reorder": 0.5}})
    made = [client.customers.create({}).id for _ in range(20)]
    receiver.wait_for(lambda r: len(r.events) == 20)
    arrived = [e["data"]["object"]["id"] for e in receiver.events]
    assert sorted(arrived) == sorted(made)
    assert arrived != made


def endings(client, n=40):
    """How `n` calls ended: "made", or the kind of error."""
    found = []
    for _ in range(n):
        try:
            client.customers.create({})
            found.append("made")
        except stripe.StripeError as error:
            found.append(f"{type(error).__name__} {error.http_status}")
    return found


def test_a_mixture_meets_the_same_calls_for_the_same_seed(client, control):
    mix = {"seed": 5, "match": "POST /v1/*", "shares": {"500": 0.1, "429": 0.1, "lost_reply": 0.1, "truncated": 0.1}}
    told = []
    for seed in (5, 5, 6):
        control("reset")
        control("faults", {"mix": mix | {"seed": seed}})
        told.append(endings(client))
        control.delete("faults")
    assert told[0] == told[1] != told[2]
    assert {"made", "RateLimitError 429", "APIError 500"} < set(told[0])
    n_made = told[2].count("made") + sum("429" not in e and "500" not in e for e in told[2] if e != "made")
    assert len(client.customers.list({"limit": 100}).data) == n_made


def test_a_truncated_answer_is_of_a_call_that_was_carried_out(client, control):
    control("faults", [{"match": PATH, "do": "truncated"}])
    with pytest.raises(stripe.APIError, match="Invalid response body"):
        client.customers.create({}, {"idempotency_key": "k"})
    again = client.customers.create({}, {"idempotency_key": "k"})
    assert [c.id for c in client.customers.list().data] == [again.id]


@pytest.mark.parametrize("shares", [{"500": 0.6, "429": 0.6}, {"500": -0.1}, {"explode": 0.1}])
def test_a_mixture_that_cannot_be_is_refused(base, shares):
    answer = requests.post(f"{base}/_sandbox/faults", json={"mix": {"shares": shares}}, timeout=10)
    assert answer.status_code == 400


def test_deliveries_of_the_same_story_meet_the_same_faults(client, control, receivers):
    receiver = receivers()
    dropped = []
    for seed in (3, 3, 4):
        control("reset")
        endpoint(client, receiver)
        control("faults", {"deliveries": {"seed": seed, "drop": 0.3}})
        made = [client.customers.create({}).id for _ in range(20)]
        receiver.wait_for(lambda _: control.get("events?limit=1")["waiting"] == 0)
        lost = {e.data.object.id for e in client.events.list({"delivery_success": False, "limit": 100}).data}
        dropped.append([made.index(name) for name in made if name in lost])
    assert dropped[0] == dropped[1] != dropped[2]
    assert 2 <= len(dropped[0]) <= 12


def test_forgotten_events_are_neither_sent_nor_listed_and_the_same_for_the_same_seed(client, control, receivers):
    receiver = receivers()
    forgotten = []
    for seed in (3, 3, 4):
        control("reset")
        endpoint(client, receiver)
        control("faults", {"deliveries": {"seed": seed, "forget": 0.3}})
        made = [client.customers.create({}).id for _ in range(20)]
        receiver.wait_for(lambda _: control.get("events?limit=1")["waiting"] == 0)
        listed = {e.data.object.id for e in client.events.list({"limit": 100}).data}
        forgotten.append([made.index(name) for name in made if name not in listed])
        assert listed & set(made) == {e["data"]["object"]["id"] for e in receiver.events} & set(made)
    assert forgotten[0] == forgotten[1] != forgotten[2]
    assert 2 <= len(forgotten[0]) <= 12


def test_a_delivery_that_is_days_late_comes_when_the_clock_is_moved(client, control, receivers):
    receiver = receivers()
    endpoint(client, receiver)
    control("faults", {"deliveries": {"delay": 1, "delay_seconds": 72 * 3600}})
    client.customers.create({})
    receiver.wait_for(lambda _: control.get("events")["data"][0]["deliveries"][0]["last_error"])
    control("advance", days=2)
    time.sleep(0.5)
    assert receiver.events == []
    control("advance", days=1)
    receiver.wait_for(lambda r: len(r.events) == 1)


def test_every_fault_is_explained_by_help_and_on_the_control_page(base):
    told = CliRunner().invoke(sandbox_command, ["--help"]).output
    page = requests.get(f"{base}/_sandbox", timeout=10).text
    for name, words in (CALL_FAULTS | DELIVERY_FAULTS).items():
        assert f"{name:<15} {words}" in told
        assert name in page
        assert words in page
