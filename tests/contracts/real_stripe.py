"""Stripe's own test mode, for whoever has a key: the same contract tests, asked of Stripe itself.

Without STRIPE_TEST_KEY nothing here is used, and no test is skipped for it.
"""

import os
import uuid

TEST_KEY = os.environ.get("STRIPE_TEST_KEY", "")
# Stripe remembers idempotency keys for a day, so that those of one run must differ from those of the next.
RUN = uuid.uuid4().hex[:12]


def check_key():
    """No live key, ever: the tests charge cards."""
    assert TEST_KEY.startswith(("sk_test_", "rk_test_")), "STRIPE_TEST_KEY must be a key of Stripe's test mode."


def key(name):
    """An idempotency key of this run."""
    return f"{RUN}-{name}"


def pay_in_a_browser(chromium, url, card="4242 4242 4242 4242"):
    """Pay on Stripe's own page, as far as it asks."""
    typed = {
        "email": "reader@example.org",
        "cardNumber": card,
        "cardExpiry": "12 / 34",
        "cardCvc": "123",
        "billingName": "A Reader",
        "billingPostalCode": "10115",
    }
    page = chromium.new_page()
    page.goto(url)
    page.locator("button[type=submit]").first.wait_for()
    if page.locator("[data-testid=card-accordion-item-button]").count():
        page.locator("[data-testid=card-accordion-item-button]").click(force=True)
    page.locator("[name=cardNumber]").wait_for()
    for name, text in typed.items():
        field = page.locator(f"[name={name}]")
        if field.count() and field.is_visible():
            field.fill(text)
    page.locator("button[type=submit]").first.click()
    page.wait_for_url(lambda address: "checkout.stripe.com" not in address, timeout=60_000, wait_until="commit")
    page.close()
