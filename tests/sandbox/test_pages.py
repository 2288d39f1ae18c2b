"""The pages that people see: on a phone and on a desk, light and dark, under a strict policy, in two languages."""

import pytest
import requests

from membership.sandbox.money import written
from tests.journeys.inspection import faults_of, overflow, violations

VIEWS = [(320, "dark"), (360, "light"), (1280, "dark"), (1280, "light")]


@pytest.fixture
def inspect(chromium):
    """Everything that is wrong with the page at an address, in all views."""

    def look(url, language, status=200):
        answer = requests.get(url, headers={"Accept-Language": language}, timeout=10)
        found = faults_of(answer.text, {name.lower(): value for name, value in answer.headers.items()})
        if answer.status_code != status:
            found.append(f"answered with {answer.status_code}")
        page = chromium.new_page(locale=language, reduced_motion="reduce")
        if status == 200:
            page.on("console", lambda message: found.append(f"console: {message.text}"))
        page.goto(url)
        for width, scheme in VIEWS:
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme=scheme)
            found += [f"{width} px, {scheme}: {fault}" for fault in overflow(page) + violations(page)]
        page.close()
        return found

    return look


@pytest.mark.parametrize("language", ["en-GB", "uk-UA"])
def test_every_page_is_in_order(client, open_session, supporter, control, inspect, language):
    well, ill = supporter(), supporter("4000 0000 0000 0341")
    control("advance", months=1, days=1)
    charge = client.charges.list({"customer": well.customer}).data[0]
    asked = client.payment_intents.create(
        {
            "amount": 1200,
            "currency": "kwd",
            "payment_method": "pm_card_threeDSecure2Required",
            "confirm": True,
            "return_url": "http://127.0.0.1/",
        }
    )
    portals = [
        client.billing_portal.sessions.create({"customer": who.customer, "return_url": "http://127.0.0.1/"}).url
        for who in (well, ill)
    ]
    urls = [
        open_session().url,
        open_session("payment", 2500, allowed_payment_method_types=["card", "sepa_debit"], submit_type="donate").url,
        open_session("setup", currency="eur").url,
        *portals,
        client.invoices.list({"status": "open"}).data[0].hosted_invoice_url,
        client.invoices.retrieve(well.invoice).hosted_invoice_url,
        charge.receipt_url,
        f"{asked.next_action.redirect_to_url.url}",
    ]
    assert {url: faults for url in urls if (faults := inspect(url, language))} == {}


def test_the_control_page_is_in_order_when_everything_is_on_it(base, client, supporter, control, inspect):
    session = supporter()
    control("dispute", charge=client.charges.list({"customer": session.customer}).data[0].id)
    client.test_helpers.test_clocks.create({"frozen_time": 1_800_000_000, "name": "A clock of its own"})
    control("faults", {"mix": {"shares": {"429": 0.01}, "match": "GET /v1/nothing"}, "deliveries": {"drop": 0.1}})
    assert inspect(f"{base}/_sandbox", "en-GB") == []


def test_a_page_that_is_not_there_is_in_order_too(base, inspect):
    assert inspect(f"{base}/i/in_nothing", "en-GB", status=404) == []


def test_the_portal_pauses_and_goes_on(client, supporter, control):
    session = supporter()
    portal = client.billing_portal.sessions.create({"customer": session.customer, "return_url": "http://127.0.0.1/"})
    address = f"{portal.url}/pause/{session.subscription}"
    assert "While it is paused nothing is charged" in requests.post(address, timeout=10).text
    control("advance", months=2)
    assert len(client.invoices.list().data) == 1
    portal = client.billing_portal.sessions.create({"customer": session.customer, "return_url": "http://127.0.0.1/"})
    assert "Go on and pay €7.00 now" in requests.get(portal.url, timeout=10).text
    requests.post(f"{portal.url}/pause/{session.subscription}", data={"resume": "1"}, timeout=10)
    assert client.subscriptions.retrieve(session.subscription).status == "active"
    assert len(client.invoices.list().data) == 2


def test_a_portal_without_pauses_offers_none(client, supporter):
    session = supporter()
    off = client.billing_portal.configurations.create({"features": {"subscription_pause": {"enabled": False}}})
    portal = client.billing_portal.sessions.create({"customer": session.customer, "configuration": off.id})
    assert "Pause" not in requests.get(portal.url, timeout=10).text
    assert requests.post(f"{portal.url}/pause/{session.subscription}", timeout=10).status_code == 404


@pytest.mark.parametrize(
    ("amount", "currency", "language", "text"),
    [
        (12340, "kwd", "en", "KWD\N{NO-BREAK SPACE}12.340"),
        (500, "jpy", "en", "¥500"),
        (40000, "uah", "uk", "400,00\N{NO-BREAK SPACE}₴"),
        (700, "eur", "uk", "7,00\N{NO-BREAK SPACE}€"),
        (-2550, "pln", "en", "-PLN\N{NO-BREAK SPACE}25.50"),
    ],
)
def test_amounts_are_written_with_the_digits_of_their_currency(amount, currency, language, text):
    assert written(amount, currency, language) == text
