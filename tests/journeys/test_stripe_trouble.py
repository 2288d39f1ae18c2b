"""Stripe slow or down: a clear page in time, the rest of the site quick, nothing half made, and again it works."""

import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import expect

from tests.journeys.demo import until

# The promise of the page: an answer within this many seconds, whatever Stripe does.
PROMISED_SECONDS = 10
WORDS = {
    "en": ("Nothing was charged", "Our payment service, Stripe, did not answer."),
    "uk": ("Нічого не списано", "Наш платіжний сервіс, Stripe, не відповів."),
}


def is_told_and_begins_again(demo, reader, email):
    """The page says that nothing was charged and keeps what was typed; pressing again works and makes one page."""
    reader.says(*WORDS[reader.language])
    expect(reader.page.locator("#email")).to_have_value(email)
    expect(reader.page.locator("input[name=cups][value='2']")).to_be_checked()
    assert demo.rows("SELECT 1 FROM people WHERE email = ?", email) == []
    until(lambda: presses_again(reader), what="the payment page")  # at once a slow first try may still be under way
    assert len([page for page in demo.payment_pages(email) if page["status"] == "open"]) == 1
    reader.pay()
    assert len(demo.payments(reader.is_thanked())) == 1
    assert demo.state_of(email) == ["active"]
    assert [page["payment_status"] for page in demo.payment_pages(email)] == ["paid"]


def presses_again(reader):
    reader.press(reader.button)
    return "/c/pay/" in reader.page.url


@pytest.mark.parametrize("language", ["en", "uk"])
@pytest.mark.parametrize("fault", ["503", "500", "html", "lost_reply"])
def test_stripe_is_down(demo, new_reader, email, language, fault):
    reader = new_reader(language, has_scripts=language == "en")
    reader.open("/contribute?currency=EUR&cups=2")
    with demo.fault({"match": "POST /v1/checkout/sessions", "do": fault, "times": 50}):
        reader.fill(email)
        began = time.monotonic()
        reader.press(reader.button)
        assert time.monotonic() - began < PROMISED_SECONDS
    is_told_and_begins_again(demo, reader, email)


def test_stripe_is_slow(demo, reader, email):
    """Eight seconds for every answer; meanwhile other readers notice nothing."""
    reader.open("/contribute?currency=EUR&cups=2")
    with demo.fault({"match": "POST /v1/checkout/sessions", "do": "slow", "seconds": 8, "times": 50}):
        reader.fill(email)
        with ThreadPoolExecutor(1) as others:
            slowest = others.submit(slowest_of_other_pages, demo.site)
            began = time.monotonic()
            reader.press(reader.button)
            took = time.monotonic() - began
            assert slowest.result() < took
    assert took < PROMISED_SECONDS
    if "/c/pay/" in reader.page.url:  # slow, but in time
        reader.pay()
        assert len(demo.payments(reader.is_thanked())) == 1
        return
    is_told_and_begins_again(demo, reader, email)


def slowest_of_other_pages(site):
    """The longest time in seconds that another page took while Stripe kept somebody waiting."""
    slowest = 0.0
    for _ in range(5):
        for path in ("/", "/contribute", "/demo/article"):
            began = time.monotonic()
            with urllib.request.urlopen(site + path, timeout=30) as answer:  # noqa: S310 - loopback
                answer.read()
            slowest = max(slowest, time.monotonic() - began)
    return slowest


def test_stripe_is_slow_when_the_reader_comes_back(demo, reader, email):
    reader.open("/contribute")
    reader.give(email)
    slow = {"match": "GET /v1/*", "do": "slow", "seconds": 8, "times": 50}
    with demo.fault(slow, deliveries={"delay": 1, "delay_seconds": 3}):
        began = time.monotonic()
        reader.pay()
        assert time.monotonic() - began < PROMISED_SECONDS
        assert "Nothing was charged" not in reader.page.locator("main").inner_text()
    reader.is_thanked()
