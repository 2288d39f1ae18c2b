"""Events and their delivery."""

import json
import time

import pytest
import requests
import stripe

from membership.sandbox.app import create_sandbox
from membership.sandbox.settings import Settings
from membership.sandbox.webhooks.retries import PAUSES, next_attempt, pause_after

SECRET = "whsec_of_these_tests"


@pytest.fixture
def boxes():
    made = []

    def make(*args, **more):
        made.append(create_sandbox(*args, **more))
        made[-1].start()
        return made[-1]

    yield make
    for box in made:
        box.close()


def test_the_sdk_verifies_what_is_sent_and_the_order_is_kept(boxes, receivers, make_client):
    receiver = receivers()
    box = boxes(webhooks=[(receiver.url, SECRET)])
    client = make_client(box.public_url)
    for i in range(30):
        client.customers.create({"email": f"e{i}@example.org"})
    receiver.wait_for(lambda r: len(r.events) == 30)
    assert [e["data"]["object"]["email"] for e in receiver.events] == [f"e{i}@example.org" for i in range(30)]
    assert receiver.refused == []
    event = receiver.events[0]
    assert event["api_version"] == stripe._api_version._ApiVersion.CURRENT
    assert event["request"]["id"].startswith("req_")
    assert client.events.retrieve(event["id"]).pending_webhooks in {0, 1}


def test_an_endpoint_gets_only_the_types_that_it_asked_for(sandbox, client, receivers):
    receiver = receivers()
    endpoint = client.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["product.created"]})
    receiver.secret = endpoint.secret
    client.customers.create({})
    client.products.create({"name": "P"})
    receiver.wait_for(lambda r: r.events)
    assert receiver.types() == ["product.created"]
    assert client.webhook_endpoints.retrieve(endpoint.id).to_dict().get("secret") is None
    client.webhook_endpoints.delete(endpoint.id)
    client.products.create({"name": "Q"})
    time.sleep(0.5)
    assert receiver.types() == ["product.created"]


def test_a_receiver_that_was_down_gets_everything_later_in_order(boxes, receivers, make_client):
    gone = receivers()
    port = gone.port
    gone.close()
    box = boxes(webhooks=[(gone.url, SECRET)])
    client = make_client(box.public_url)
    for i in range(5):
        client.customers.create({"email": f"e{i}@example.org"})
    time.sleep(0.3)
    undelivered = client.events.list({"delivery_success": False})
    assert len(undelivered.data) == 5
    assert client.events.list({"delivery_success": True}).data == []
    back = receivers(port=port)
    requests.post(f"{box.public_url}/_sandbox/deliver", timeout=10)
    back.wait_for(lambda r: len(r.events) == 5)
    assert [e["data"]["object"]["email"][1] for e in back.events] == list("01234")
    deadline = time.monotonic() + 10
    while client.events.list({"delivery_success": False}).data:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_event_that_is_refused_does_not_stop_the_others(boxes, receivers, make_client):
    receiver = receivers()
    box = boxes(webhooks=[(receiver.url, SECRET)])
    client = make_client(box.public_url)
    receiver.answer = 500
    client.customers.create({"email": "first@example.org"})
    receiver.wait_for(lambda r: r.bodies)
    receiver.answer = 200
    client.customers.create({"email": "second@example.org"})
    receiver.wait_for(lambda r: len(r.events) == 2)
    assert {e["data"]["object"]["email"] for e in receiver.events} == {"first@example.org", "second@example.org"}


def settled(box):
    """Whether no delivery waits: what the receiver has seen is written down a moment later."""
    return requests.get(f"{box.public_url}/_sandbox/events?limit=1", timeout=10).json()["waiting"] == 0


@pytest.mark.parametrize(("mode", "n_attempts", "hours"), [("test", 4, (3, 4)), ("live", 11, (71, 73))])
def test_stripe_gives_up_in_the_end(mode, n_attempts, hours, boxes, receivers, make_client):
    receiver = receivers()
    receiver.answer = 500
    box = boxes(webhooks=[(receiver.url, SECRET)], settings=Settings(webhook_retries=mode))
    client = make_client(box.public_url)
    client.customers.create({"email": "first@example.org"})
    receiver.wait_for(lambda r: len(r.bodies) == 1)
    assert hours[0] * 3600 < sum(PAUSES[mode]) < hours[1] * 3600
    requests.post(f"{box.public_url}/_sandbox/advance", json={"seconds": int(sum(PAUSES[mode])) + 60}, timeout=20)
    receiver.wait_for(lambda r: len(r.bodies) == n_attempts and settled(box))
    state = requests.get(f"{box.public_url}/_sandbox/events", timeout=10).json()["data"][0]["deliveries"][0]
    assert (state["state"], state["attempts"]) == ("failed", n_attempts)
    receiver.answer = 200
    client.customers.create({"email": "second@example.org"})
    receiver.wait_for(lambda r: len(r.events) == 1 and settled(box))
    lost = client.events.list({"delivery_success": False}).data
    assert [event.data.object.email for event in lost] == ["first@example.org"]
    assert lost[0].pending_webhooks == 1
    requests.post(f"{box.public_url}/_sandbox/deliver", timeout=10)
    receiver.wait_for(lambda r: len(r.events) == 2)


def test_attempts_follow_their_plan():
    assert next_attempt("live", 1, 1000.0, 1001.0) == 1300.0
    assert next_attempt("live", 11, 0.0, 0.0) is None
    assert next_attempt("patient", 1, 1000.0, 1500.0) == 1501.0


def test_pauses_double_up_to_a_minute():
    assert [pause_after(n) for n in (1, 2, 3, 6, 7, 30)] == [1, 2, 4, 32, 60, 60]


def test_a_replay_sends_the_same_event_again(boxes, receivers, make_client):
    receiver = receivers()
    box = boxes(webhooks=[(receiver.url, SECRET)])
    make_client(box.public_url).customers.create({})
    receiver.wait_for(lambda r: r.events)
    answer = requests.post(f"{box.public_url}/_sandbox/events/{receiver.events[0]['id']}/replay", timeout=10)
    assert answer.json()["endpoints"] == 1
    receiver.wait_for(lambda r: len(r.events) == 2)
    assert receiver.events[0] == receiver.events[1]


def test_clock_listeners_hear_of_the_time_before_anybody_hears_of_what_happened(boxes, receivers, make_client, fill):
    receiver = receivers()
    listener = receiver.url.replace("/hook", "/clock")
    box = boxes(webhooks=[(receiver.url, SECRET)], clock_listeners=[listener])
    client = make_client(box.public_url)
    price = {"currency": "eur", "unit_amount": 700, "recurring": {"interval": "month"}, "product_data": {"name": "S"}}
    session = client.checkout.sessions.create(
        {
            "mode": "subscription",
            "success_url": "http://127.0.0.1/",
            "line_items": [{"price_data": price, "quantity": 1}],
        }
    )
    fill(session.url)
    receiver.wait_for(lambda r: "checkout.session.completed" in r.types())
    n_before = len(receiver.bodies)
    answer = requests.post(f"{box.public_url}/_sandbox/advance", data=json.dumps({"months": 2}), timeout=60).json()
    receiver.wait_for(lambda r: r.types().count("customer.subscription.updated") == 2)
    path, body = receiver.bodies[n_before]
    assert (path, body) == ("/clock", {"offset_seconds": answer["offset_seconds"]})
    assert all(path == "/hook" for path, _ in receiver.bodies[n_before + 1 :])
    renewal = next(e for e in receiver.events if e["type"] == "customer.subscription.updated")
    assert renewal["created"] < answer["now"]


def test_a_listener_that_is_down_does_not_stop_time(boxes, receivers, capfd):
    gone = receivers()
    gone.close()
    box = boxes(clock_listeners=[gone.url], secret=SECRET)
    answer = requests.post(f"{box.public_url}/_sandbox/advance", data=json.dumps({"days": 1}), timeout=30)
    assert 86390 <= answer.json()["offset_seconds"] <= 86400
    assert "did not take the new time" in capfd.readouterr().err


def test_state_and_clock_survive_a_restart(tmp_path, boxes, make_client, receivers):
    receiver = receivers()
    data = tmp_path / "sandbox.db"
    first = create_sandbox(data, webhooks=[(receiver.url, SECRET)])
    first.start()
    made = make_client(first.public_url).customers.create({"email": "r@example.org"}, {"idempotency_key": "k"})
    requests.post(f"{first.public_url}/_sandbox/advance", data=json.dumps({"days": 3}), timeout=10)
    offset = first.clock.offset
    first.close()
    second = boxes(data, webhooks=[(receiver.url, SECRET)])
    client = make_client(second.public_url)
    assert second.clock.offset == offset
    assert client.customers.retrieve(made.id).email == "r@example.org"
    assert len(client.webhook_endpoints.list().data) == 1


def test_events_are_only_of_types_that_the_sdk_knows(client, supporter, control, fill, shared):
    known = set(json.loads((shared / "data/stripe/sdk-16.1.0-shapes.json").read_text())["event_types"])
    session = supporter("4000 0000 0000 0341")
    supporter("4000 0000 0000 0259")
    control("advance", months=1, days=1)
    control("refund", charge=client.charges.list({"customer": session.customer}).data[-1].id)
    control("advance", days=20)
    seen = {event.type for event in client.events.list({"limit": 100}).auto_paging_iter()}
    assert len(seen) > 20
    assert seen <= known


def test_every_event_type_in_the_code_is_one_that_the_sdk_knows(shared):
    import re
    from pathlib import Path

    import membership.sandbox

    known = set(json.loads((shared / "data/stripe/sdk-16.1.0-shapes.json").read_text())["event_types"])
    folder = Path(membership.sandbox.__file__).parent
    written = set()
    for file in folder.rglob("*.py"):
        written |= set(re.findall(r'emit\(\s*"([a-z_.]+)"', file.read_text()))
    assert len(written) > 40
    assert written <= known
