"""Stripe that fails, is slow or loses its answers; notices that come twice, late, out of order or not at all (F9-F11).

Over HTTP, with our web and our worker as processes of their own.
"""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from membership.db import db
from membership.kernel import clock
from membership.wiring import JOBS
from tests.faults.house import house, mails, nursery, sandbox, settings, web_url
from tests.faults.reader import Reader
from tests.faults.reckoning import differences, pages_of

__all__ = ["house", "mails", "nursery", "sandbox", "settings", "web_url"]

OPENING = "POST /v1/checkout/sessions"
READING = "GET /v1/*"
READING_THE_PAGE = "GET /v1/checkout/sessions/*"
FAULTS = ["lost_reply", "500", "503", "429", "409", "html", "slow", "hang"]
KINDS_OF_FAULT = ["lost_reply", "500", "429", "html", "slow"]
# A person waits so long for a page, and not longer.
PAGE_SECONDS = 10
HANGING = 20


def order(house, match: str, do: str, times: int = 1, seconds: float = 8) -> None:
    """Order a fault from the sandbox."""
    script = {"calls": [{"match": match, "do": do, "times": times, "seconds": seconds}]}
    requests.post(f"{house.sandbox.public_url}/_sandbox/faults", json=script, timeout=10).raise_for_status()


def press_until_it_opens(reader: Reader, fields: dict[str, str]) -> str:
    """The very same form again and again, as often as it takes."""

    def press():
        answer = reader.ask("POST", "/contribute", data=fields)
        assert answer.status_code in {303, 503}, answer.text[:300]
        return answer.headers.get("Location")

    return reader.keep_trying("the payment page", press)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_payment_page_that_fails_to_open_says_so_in_time_and_opens_once(house, fault):
    reader = Reader(house, "reader")
    fields = reader.form("/contribute") | {"email": reader.email, "rhythm": "monthly", "cups": "2"}
    order(house, OPENING, fault)
    began = time.monotonic()
    answer = reader.ask("POST", "/contribute", data=fields)
    assert time.monotonic() - began < PAGE_SECONDS
    assert answer.status_code == 503
    assert "Nothing was charged" in answer.text
    page = press_until_it_opens(reader, fields)
    assert press_until_it_opens(reader, fields) == page
    assert pages_of(house, reader) == ["open"]
    reader.wait_for_thanks(reader.pay(page))
    house.come_to_rest()
    assert differences(house, reader) == []


@pytest.mark.parametrize("fault", KINDS_OF_FAULT)
def test_a_changed_mind_while_closing_fails_leaves_one_page(house, fault):
    reader = Reader(house, "reader")
    reader.choose(cups=2, rhythm="monthly")
    fields = reader.form("/contribute") | {"email": reader.email, "rhythm": "monthly", "cups": "4"}
    order(house, "POST /v1/checkout/sessions/*/expire", fault)
    answer = reader.ask("POST", "/contribute", data=fields)
    assert answer.status_code == 503
    page = press_until_it_opens(reader, fields)
    assert pages_of(house, reader) == ["expired", "open"]
    reader.wait_for_thanks(reader.pay(page))
    house.come_to_rest()
    assert differences(house, reader, n_abandoned=1) == []


@pytest.mark.parametrize("fault", KINDS_OF_FAULT)
def test_a_thanks_page_that_cannot_read_waits_and_thanks_later(house, fault):
    reader = Reader(house, "reader")
    house.sandbox.deliverer.hold()
    thanks = reader.pay(reader.choose(cups=2, rhythm="yearly"))
    order(house, READING_THE_PAGE, fault)  # and not what a sweeper reads at that moment
    began = time.monotonic()
    answer = reader.ask("GET", thanks)
    assert time.monotonic() - began < PAGE_SECONDS
    assert answer.status_code == 200
    assert 'data-state="confirmed"' not in answer.text
    assert "Thank you" not in answer.text
    house.sandbox.deliverer.go_on()
    reader.wait_for_thanks(thanks)
    house.come_to_rest()
    assert differences(house, reader) == []


@pytest.mark.parametrize("fault", KINDS_OF_FAULT)
def test_a_worker_that_cannot_read_books_later(house, fault):
    reader = Reader(house, "reader")
    page = reader.choose(cups=2, rhythm="monthly")
    order(house, READING, fault, times=2, seconds=2)
    reader.pay(page)
    house.wait_for("the first notices", lambda: house.rows("SELECT id FROM inbox_events WHERE state = 'received'"))
    house.come_to_rest()
    assert differences(house, reader) == []


def test_two_tabs_with_two_wishes_while_stripe_is_slow_leave_one_page(house):
    reader = Reader(house, "reader")
    fields = reader.form("/contribute") | {"email": reader.email, "rhythm": "monthly"}
    order(house, OPENING, "slow", seconds=2)
    with ThreadPoolExecutor(2) as tabs:
        first = tabs.submit(reader.ask, "POST", "/contribute", data=fields | {"cups": "2"})
        wish = "SELECT id FROM contributions WHERE email = :email"  # written down before Stripe is asked
        house.wait_for("the first wish", lambda: house.rows(wish, email=reader.email))
        second = tabs.submit(reader.ask, "POST", "/contribute", data=fields | {"cups": "4"})
        first.result()
        assert second.result().status_code == 303
    house.come_to_rest()
    assert pages_of(house, reader).count("open") == 1
    reader.wait_for_thanks(reader.pay(second.result().headers["Location"]))


@pytest.mark.parametrize("seed", [1, 2])
def test_notices_twice_late_out_of_order_or_replayed_end_in_the_same_books(house, seed):
    chances = {
        "duplicate": 0.4,
        "reorder": 0.4,
        "delay": 0.3,
        "delay_seconds": 1.5,
        "drop": 0.3,
        "wrong_signature": 0.2,
    }
    script = {"deliveries": {"seed": seed} | chances}
    requests.post(f"{house.sandbox.public_url}/_sandbox/faults", json=script, timeout=10).raise_for_status()
    readers = []
    for rhythm in ("monthly", "once", "yearly", "monthly"):
        reader = Reader(house, f"reader{len(readers)}")
        reader.pay(reader.choose(cups=2, rhythm=rhythm))  # and the tab is closed
        readers.append((reader, "paid" if rhythm == "once" else "active"))
    house.wait_for("every delivery", lambda: not house.n_deliveries())
    requests.delete(f"{house.sandbox.public_url}/_sandbox/faults", timeout=10)
    for event in requests.get(f"{house.sandbox.public_url}/_sandbox/events?limit=1000", timeout=10).json()["data"]:
        if any(delivery["state"] == "dropped" for delivery in event["deliveries"]):
            requests.post(f"{house.sandbox.public_url}/_sandbox/events/{event['id']}/replay", timeout=10)
    house.come_to_rest()
    assert [differences(house, reader, state=state) for reader, state in readers] == [[]] * len(readers)


def test_without_any_notice_a_payment_is_found_by_reading(house):
    # Nor is the list of notices to be had, which a worker that has just started looks through.
    no_list = {"match": "GET /v1/events*", "do": "500", "times": 10_000, "seconds": 0}
    script = {"calls": [no_list], "deliveries": {"drop": 1}}
    requests.post(f"{house.sandbox.public_url}/_sandbox/faults", json=script, timeout=10).raise_for_status()
    returned, closed = Reader(house, "returned"), Reader(house, "closed")
    returned.wait_for_thanks(returned.pay(returned.choose(cups=2, rhythm="monthly")))
    closed.pay(closed.choose(cups=2, rhythm="monthly"))
    JOBS["contributions.abandon_overdue"].function(clock.now().replace(year=clock.now().year + 1))
    db.session.rollback()
    house.come_to_rest()
    assert house.rows("SELECT id FROM inbox_events") == []
    assert [differences(house, reader) for reader in (returned, closed)] == [[], []]


def test_a_hanging_stripe_does_not_starve_the_other_pages(house):
    readers = [Reader(house, f"reader{number}") for number in range(HANGING)]
    forms = [
        reader.form("/contribute") | {"email": reader.email, "rhythm": "monthly", "cups": "1"} for reader in readers
    ]
    order(house, "* /v1/*", "hang", times=1000, seconds=9)

    def press(reader, fields):
        began = time.monotonic()
        answer = reader.ask("POST", "/contribute", data=fields)
        return answer.status_code, time.monotonic() - began

    onlooker, slowest = Reader(house, "onlooker"), 0.0
    with ThreadPoolExecutor(HANGING) as tabs:
        pressed = [tabs.submit(press, reader, fields) for reader, fields in zip(readers, forms, strict=True)]
        while not all(press.done() for press in pressed):
            for path in ("/", "/contribute", "/signin", "/healthz"):
                began = time.monotonic()
                assert onlooker.ask("GET", path).status_code == 200
                slowest = max(slowest, time.monotonic() - began)
    outcomes = [press.result() for press in pressed]
    assert {status for status, _ in outcomes} == {503}
    assert max(seconds for _, seconds in outcomes) < PAGE_SECONDS
    assert slowest < 2
    requests.delete(f"{house.sandbox.public_url}/_sandbox/faults", timeout=10)
    readers[0].wait_for_thanks(readers[0].pay(readers[0].choose(cups=1, rhythm="monthly")))
    house.come_to_rest()
    assert {page for reader in readers[1:] for page in pages_of(house, reader)} <= {"expired"}
    assert differences(house, readers[0]) == []
