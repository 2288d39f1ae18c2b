"""Double clicks, two tabs, the back button: one payment page at the end, one charge."""

from collections import Counter
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect


def pages_by_status(demo, email):
    return Counter(page["status"] for page in demo.payment_pages(email))


def is_paid_once(demo, reader, email, amount):
    (payment,) = demo.payments(reader.is_thanked())
    assert payment["amount"] == amount
    paid = [page for page in demo.payment_pages(email) if page["payment_status"] == "paid"]
    assert len(paid) == 1
    assert pages_by_status(demo, email)["open"] == 0
    assert len(demo.rows("SELECT 1 FROM people WHERE email = ?", email)) == 1


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no_scripts"])
def test_a_double_click_opens_one_payment_page(demo, new_reader, email, has_scripts):
    reader = new_reader(has_scripts=has_scripts)
    reader.open("/contribute")
    reader.fill(email)
    reader.button.dblclick(no_wait_after=True)
    reader.page.wait_for_url("**/c/pay/**")
    reader.look()
    assert pages_by_status(demo, email) == {"open": 1}
    reader.pay()
    is_paid_once(demo, reader, email, 400)


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no_scripts"])
def test_a_double_click_on_the_payment_page_charges_once(demo, new_reader, email, has_scripts):
    reader = new_reader(has_scripts=has_scripts)
    reader.open("/contribute")
    reader.give(email)
    reader.page.fill("#cardNumber", "4242 4242 4242 4242")
    reader.page.fill("#cardExpiry", "12 / 34")
    reader.page.fill("#cardCvc", "123")
    reader.page.locator("button[type=submit]").dblclick(no_wait_after=True)
    reader.page.wait_for_url("**/contribute/thanks**")
    is_paid_once(demo, reader, email, 400)


def test_two_tabs_with_the_same_wish_share_one_payment_page(demo, reader, email):
    other = reader.another_tab()
    reader.open("/contribute")
    other.open("/contribute")
    reader.give(email, cups=2)
    other.give(email, cups=2)
    assert other.page.url == reader.page.url
    reader.pay()
    is_paid_once(demo, reader, email, 800)
    other.pay()
    assert urlsplit(other.page.url).path == "/contribute/thanks"
    is_paid_once(demo, other, email, 800)


def test_a_tab_that_still_shows_the_form_leads_to_the_thanks_once_the_other_has_paid(demo, reader, email):
    other = reader.another_tab()
    reader.open("/contribute")
    other.open("/contribute")
    reader.give(email)
    reader.pay()
    reader.is_thanked()
    other.fill(email, cups=4)
    other.press(other.button)
    assert urlsplit(other.page.url).path == "/contribute/thanks"
    is_paid_once(demo, other, email, 400)


def test_two_tabs_with_different_wishes_leave_the_last_one_open(demo, reader, email):
    other = reader.another_tab()
    reader.open("/contribute")
    other.open("/contribute")
    reader.give(email, cups=1)
    other.give(email, cups=4)
    assert pages_by_status(demo, email) == {"open": 1, "expired": 1}
    reader.open(reader.page.url)
    assert reader.heading == "This page has expired"
    other.pay()
    is_paid_once(demo, other, email, 1600)


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no_scripts"])
def test_back_and_another_amount_closes_the_first_page(demo, new_reader, email, has_scripts):
    reader = new_reader(has_scripts=has_scripts)
    reader.open("/contribute")
    reader.give(email, cups=1)
    reader.page.go_back()
    expect(reader.page.locator("#email")).to_have_value(email)
    expect(reader.button).to_have_text("Give £4 a month", use_inner_text=True)
    reader.give(email, cups=2)
    assert pages_by_status(demo, email) == {"open": 1, "expired": 1}
    reader.page.go_back()
    reader.give(email, rhythm="once", amount="7.50")
    assert pages_by_status(demo, email) == {"open": 1, "expired": 2}
    reader.pay()
    is_paid_once(demo, reader, email, 750)


def test_back_from_the_thanks_does_not_lead_to_a_page_that_can_be_paid(demo, reader, email):
    reader.becomes_patron(email)
    reader.page.go_back()
    assert urlsplit(reader.page.url).path == "/contribute/thanks"
    is_paid_once(demo, reader, email, 400)


def test_afterwards_a_new_gift_can_be_begun(demo, reader, email):
    reader.becomes_patron(email)
    reader.open("/contribute")
    reader.give(email, rhythm="once", cups=2)
    reader.pay()
    (payment,) = demo.payments(reader.is_thanked())
    assert payment["amount"] == 800
    assert demo.state_of(email) == ["active", "paid"]


@pytest.mark.parametrize(
    "wish",
    [
        {"rhythm": "yearly", "cups": 4},
        {"rhythm": "once", "cups": 2},
        {"rhythm": "once", "amount": "7.50"},
        {"rhythm": "monthly", "amount": "12"},
    ],
    ids=str,
)
def test_who_goes_back_by_the_link_finds_what_they_chose(demo, reader, email, wish):
    reader.open("/contribute")
    reader.fill(email, **wish)
    reader.add(fees=True)
    chosen = reader.button.inner_text()
    reader.press(reader.button)
    to_pay = reader.page.locator(".amount").inner_text()
    reader.press(".back a")
    assert reader.button.inner_text() == chosen
    reader.give(email)
    assert reader.page.locator(".amount").inner_text() == to_pay
    assert pages_by_status(demo, email) == {"open": 1}
