"""The sandbox as a program of its own, its control page, and the contract that others wrote."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import requests

from membership.sandbox.protocol.routes import operations

ROOT = Path(__file__).resolve().parents[2]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(*options, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", "membership.sandbox", *options],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_when_it_is_ready_and_ends_cleanly(number):
    port = free_port()
    program = start("--port", str(port))
    line = program.stdout.readline()
    url = f"http://127.0.0.1:{port}"
    assert line == f"Stripe sandbox ready on {url} (control page: {url}/_sandbox)\n"
    health = requests.get(f"{url}/_sandbox/health", timeout=10).json()
    assert (health["ok"], health["api_version"]) == (True, "2026-10-28.endive")
    program.send_signal(number)
    _, errors = program.communicate(timeout=20)
    assert (program.returncode, errors) == (0, "")


@pytest.mark.parametrize(
    ("options", "environment", "words"),
    [
        ((), {"STRIPE_SECRET_KEY": "sk_live_x"}, "live key"),
        ((), {"STRIPE_SECRET_KEY": "rk_live_x"}, "live key"),
        (("--host", "192.0.2.1"), {}, "loopback"),
        (("--webhook", "http://127.0.0.1:1/"), {}, "--webhook-secret"),
    ],
)
def test_it_refuses_what_would_be_dangerous(options, environment, words):
    program = start("--port", str(free_port()), *options, **environment)
    _, errors = program.communicate(timeout=20)
    assert program.returncode == 1
    assert words in errors
    assert len(errors.splitlines()) == 1


def test_a_taken_port_is_said_in_one_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        program = start("--port", str(taken.getsockname()[1]))
        _, errors = program.communicate(timeout=20)
    assert program.returncode == 1
    assert "in use" in errors
    assert len(errors.splitlines()) == 1


def test_all_probes_of_the_contract_pass(shared):
    port = free_port()
    program = start("--port", str(port))
    program.stdout.readline()
    probes = subprocess.run(
        [sys.executable, shared / "contract/stripe_probes.py", f"http://127.0.0.1:{port}", str(free_port())],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    program.send_signal(signal.SIGTERM)
    _, errors = program.communicate(timeout=20)
    wrong = [line for line in probes.stdout.splitlines() if not line.startswith("OK")]
    assert probes.returncode == 0, wrong
    assert errors == ""


def test_the_control_page_shows_and_does_everything(base, client, supporter):
    session = supporter()
    page = requests.get(f"{base}/_sandbox", timeout=10)
    assert page.text.count("<h1>") == 1
    assert "<script" not in page.text
    for text in (session.subscription, "invoice.paid", "€7.00", "Make the next payment fail"):
        assert text in page.text
    charge = client.charges.list().data[0].id
    sub = {"subscription": session.subscription}
    wanted = {"retry_days": "1, 2", "after_retries": "unpaid", "debit_days": "3", "webhook_retries": "live"}
    clock = client.test_helpers.test_clocks.create({"frozen_time": 1_800_000_000}).id
    for action, form, words in [
        ("advance", {"months": "1", "days": "1"}, "It is now"),
        ("advance_clock", {"clock": clock, "days": "1"}, "runs on"),
        ("fail_next", {"customer": session.customer}, "will fail"),
        ("edit_subscription", sub | {"amount": "900", "proration_behavior": "none"}, "is active"),
        ("edit_subscription", sub | {"cancel_at_period_end": "1"}, "is active"),
        ("edit_subscription", sub | {"pause_collection": "void"}, "is active"),
        ("edit_subscription", sub | {"paused": "1"}, "is paused"),
        ("edit_subscription", sub | {"paused": "0"}, "is active"),
        ("refund", {"charge": charge, "amount": "100"}, "Refunded €1.00"),
        ("dispute", {"charge": charge, "kind": "inquiry"}, "Disputed: dp_"),
        ("refund", {"charge": charge}, "Refunded €6.00"),
        ("cancel_subscription", sub, "Ended: sub_"),
        ("deliver", {}, "tried now"),
        ("one_fault", {"match": "GET /v1/nothing", "do": "html", "times": "2"}, "is ordered"),
        ("mixed_calls", {"seed": "4", "match": "GET /v1/nothing", "429": "10"}, "mixture for calls"),
        ("mixed_deliveries", {"seed": "4", "drop": "2", "delay_seconds": "60"}, "mixture for deliveries"),
        ("settings", wanted, "kept"),
    ]:
        after = requests.post(f"{base}/_sandbox/do/{action}", data=form, timeout=20)
        said = re.search(r'role="status">([^<]*)<', after.text)
        assert said, (action, after.text)
        assert words in said[1]
    changed = client.subscriptions.retrieve(session.subscription)
    assert (changed.status, changed["items"].data[0].price.unit_amount) == ("canceled", 900)
    ordered = requests.get(f"{base}/_sandbox/faults", timeout=10).json()
    assert ordered["calls"] == [{"match": "GET /v1/nothing", "do": "html", "times": 2, "seconds": 8.0}]
    assert (ordered["mix"]["shares"], ordered["deliveries"]["drop"]) == ({"429": 0.1}, 0.02)
    kept = requests.get(f"{base}/_sandbox/settings", timeout=10).json()
    assert (kept["retry_days"], kept["after_retries"], kept["webhook_retries"]) == ([1, 2], "unpaid", "live")
    assert requests.post(f"{base}/_sandbox/do/no_faults", timeout=10).status_code == 200
    refused = requests.post(f"{base}/_sandbox/do/refund", data={"charge": charge}, timeout=20)
    assert "already been refunded" in refused.text
    requests.post(f"{base}/_sandbox/do/reset", timeout=20)
    assert client.customers.list().data == []


def test_what_the_page_does_is_there_as_json_and_listed(base, client, supporter, control):
    session = supporter()
    listed = control.get("help")
    for name in ("advance", "faults", "settings", "dispute_step", "edit_subscription", "delete_customer", "reset"):
        assert listed[f"POST /_sandbox/{name}"]
    edited = control("edit_subscription", subscription=session.subscription, quantity=3, cancel_at_period_end=True)
    assert (edited["items"]["data"][0]["quantity"], edited["cancel_at_period_end"]) == (3, True)
    wrong = requests.post(f"{base}/_sandbox/edit_subscription", json={"subscription": "x", "colour": 1}, timeout=10)
    assert (wrong.status_code, wrong.json()["error"]["param"]) == (400, "colour")
    control("delete_customer", customer=session.customer)
    assert client.subscriptions.retrieve(session.subscription).status == "canceled"


def test_json_is_read_whatever_it_calls_itself(base, control):
    before = control.get("clock")["now"]
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    requests.post(f"{base}/_sandbox/advance", data='{"days": 2}', headers=form, timeout=10)
    assert control.get("clock")["now"] - before >= 2 * 86400
    broken = requests.post(f"{base}/_sandbox/advance", data="days=2", headers=form, timeout=10)
    assert broken.status_code == 400


def test_another_site_cannot_press_the_buttons(base):
    headers = {"Origin": "http://evil.example"}
    answer = requests.post(f"{base}/_sandbox/do/reset", headers=headers, timeout=10)
    assert answer.status_code == 403


def test_a_reset_keeps_endpoints_of_the_command_line_only(sandbox, client, control):
    client.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]})
    control("advance", days=400)
    control("reset")
    assert control.get("clock")["offset_seconds"] == 0
    assert client.webhook_endpoints.list().data == []


def test_a_reset_ends_a_move_of_the_clock_that_is_under_way(base, client, control):
    price = {"currency": "eur", "unit_amount": 700, "recurring": {"interval": "day"}}
    price["product"] = client.products.create({"name": "S"}).id
    customer = client.customers.create({}).id
    card = client.payment_methods.attach("pm_card_visa", {"customer": customer}).id
    client.subscriptions.create(
        {"customer": customer, "items": [{"price_data": price}], "default_payment_method": card}
    )
    mover = threading.Thread(target=requests.post, args=(f"{base}/_sandbox/advance",), kwargs={"json": {"days": 3000}})
    mover.start()
    while control.get("clock")["offset_seconds"] < 10 * 86400:
        assert mover.is_alive()
    control("reset")
    mover.join(timeout=60)
    assert control.get("clock")["offset_seconds"] == 0
    assert client.events.list().data == []


def test_every_call_says_what_it_does():
    for operation in operations():
        assert operation.template.startswith("/v1/")
    assert len(operations()) > 90


@pytest.mark.parametrize(
    "path", ["/c/pay/cs_test_nothing", "/i/in_nothing", "/receipts/ch_nothing", "/p/session/x", "/x"]
)
def test_an_address_that_leads_nowhere_is_a_friendly_404(base, path):
    answer = requests.get(base + path, timeout=10)
    assert answer.status_code == 404
    assert "<h1>" in answer.text
