"""Once, yearly, own amounts, covered fees, every currency: what the page says is what is charged."""

import re

import pytest

SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "UAH": "₴"}
CUP = {"EUR": 400, "USD": 500, "GBP": 400, "UAH": 10000}
# What is chosen, and what must be charged, in cups.
WISHES = [
    ({"rhythm": "monthly", "cups": 4}, 4, "month"),
    ({"rhythm": "yearly", "cups": 1}, 12, "year"),
    ({"rhythm": "once", "cups": 2}, 2, None),
]


def minor_units(text):
    """The only amount in a text that speaks English, in minor units."""
    (found,) = set(re.findall(r"[€$£₴]\s?(\d[\d,]*(?:\.\d\d)?)", text))
    whole, _, cents = found.replace(",", "").partition(".")
    return int(whole) * 100 + int(cents or 0)


def interval(demo, reference):
    books = demo.ask_sandbox("GET", "/_sandbox/books")
    found = [sub["interval"] for sub in books["subscriptions"] if sub["metadata"]["reference"] == reference]
    return found[0] if found else None


@pytest.mark.parametrize("currency", SIGNS)
def test_every_rhythm_in_every_currency_charges_what_the_button_said(demo, new_reader, fresh_email, currency):
    for wish, n_cups, every in WISHES:
        reader = new_reader()
        reader.open("/contribute")
        if currency != "GBP":
            reader.press(reader.page.locator(f".currencies a[href*='currency={currency}']"))
        email = fresh_email()
        reader.fill(email, **wish)
        said = reader.button.inner_text()
        assert SIGNS[currency] in said
        reader.press(reader.button)
        assert minor_units(reader.page.locator(".amount").inner_text()) == minor_units(said)
        reader.pay()
        reference = reader.is_thanked()
        (payment,) = demo.payments(reference)
        assert (payment["amount"], payment["currency"]) == (CUP[currency] * n_cups, currency.lower())
        assert minor_units(said) == payment["amount"]
        assert interval(demo, reference) == every


def test_another_currency_keeps_what_was_chosen(reader):
    reader.open("/contribute")
    reader.fill(rhythm="yearly", cups=4)
    reader.press(reader.page.locator(".currencies a[href*='currency=USD']"))
    assert reader.button.inner_text() == "Give $240 a year"


@pytest.mark.parametrize(
    ("accepts", "currency"),
    [("en-US", "USD"), ("en-GB", "GBP"), ("uk-UA", "UAH"), ("uk", "UAH"), ("de-AT", "EUR"), ("en", "EUR")],
)
def test_the_first_currency_is_the_one_that_the_reader_most_likely_counts_in(new_reader, accepts, currency):
    reader = new_reader("uk" if accepts.startswith("uk") else "en", locale=accepts)
    reader.open("/contribute")
    assert reader.page.locator("input[name=currency]").input_value() == currency
    assert SIGNS[currency] in reader.button.inner_text()


@pytest.mark.parametrize("typed", ["10", "12.50", "12,50", "1 000"])
def test_an_own_amount_is_what_is_charged(demo, reader, email, typed):
    reader.open("/contribute")
    reader.fill(email, rhythm="once", amount=typed)
    said = reader.button.inner_text()
    reader.press(reader.button)
    reader.pay()
    (payment,) = demo.payments(reader.is_thanked())
    assert payment["amount"] == minor_units(said)
    assert payment["amount"] == round(float(typed.replace(",", ".").replace(" ", "")) * 100)


def test_an_own_amount_needs_no_scripts(demo, new_reader, email):
    reader = new_reader(has_scripts=False)
    reader.open("/contribute")
    reader.fill(email, rhythm="monthly", amount="7")
    assert reader.button.inner_text() == "Continue to payment"
    reader.press(reader.button)
    reader.pay()
    (payment,) = demo.payments(reader.is_thanked())
    assert payment["amount"] == 700


@pytest.mark.parametrize(("rhythm", "cups"), [("monthly", 1), ("yearly", 2), ("once", 4)])
def test_a_covered_fee_is_what_the_page_said_and_stands_on_the_receipt(demo, reader, email, rhythm, cups):
    reader.open("/contribute")
    reader.fill(email, rhythm=rhythm, cups=cups)
    gift = minor_units(reader.button.inner_text())
    reader.add(fees=True)
    fee = minor_units(reader.page.locator("#covers_fees-hint").inner_text())
    assert minor_units(reader.button.inner_text()) == gift + fee
    reader.press(reader.button)
    assert minor_units(reader.page.locator(".amount").inner_text()) == gift + fee
    reader.pay()
    (payment,) = demo.payments(reader.is_thanked())
    assert payment["amount"] == gift + fee
    receipt = reader.read_mail(email, "receipt")
    assert f"£{fee / 100:.2f}" in receipt
    assert f"£{(gift + fee) / 100:.2f}" in receipt


def test_a_gift_of_less_than_a_cup_is_thanked_and_makes_no_patron(demo, reader, email):
    reader.becomes_patron(email, rhythm="once", amount="2")
    reader.sign_in_by_code(email)
    assert reader.heading == "You are not a patron yet."
    reader.says("£2.00")


def test_a_single_gift_makes_a_patron_for_a_month_a_cup_and_nothing_follows(demo, reader, email):
    reader.becomes_patron(email, rhythm="once", cups=2)
    reader.sign_in_by_code(email)
    assert reader.heading.startswith("You are a patron until")
    reader.says("A single gift, paid. Nothing follows.")
    assert "The next payment" not in reader.page.locator("main").inner_text()
