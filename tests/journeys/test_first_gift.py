"""From an article to a patron: the whole way, in both languages, with and without scripts."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

WORDS = {
    "en": {
        "thanks": "Thank you. Your payment has arrived.",
        "give": "Give £8 a month",
        "patron": "You are a patron until",
        "next": "The next payment of £8.00 is on",
        "paid": "£8.00",
        "signed_out": "Sign in",
        "began": "Your payment arrived. Thank you.",
        "waiting": "We are waiting for the payment.",
    },
    "uk": {
        "thanks": "Дякуємо. Ваш платіж надійшов.",
        "give": "Підтримати на 200\u00a0₴ щомісяця",
        "patron": "Ви наш патрон до",
        "next": "Наступний платіж",
        "paid": "200,00\u00a0₴",
        "signed_out": "Увійти",
        "began": "Ваш платіж надійшов. Дякуємо.",
        "waiting": "Чекаємо на платіж.",
    },
}


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no_scripts"])
@pytest.mark.parametrize("language", ["en", "uk"])
def test_a_reader_becomes_a_patron_and_sees_it(demo, new_reader, email, language, has_scripts):
    words = WORDS[language]
    reader = new_reader(language, has_scripts=has_scripts)
    reader.open("/demo/article")
    reader.press(reader.page.locator(".appeal__choice").nth(1))
    assert urlsplit(reader.page.url).path == "/contribute"
    expect(reader.page.locator("input[name=cups][value='2']")).to_be_checked()
    assert reader.button.inner_text() == words["give"]

    reader.give(email)
    assert words["paid"] in reader.page.locator(".amount").inner_text()
    reader.pay()
    assert urlsplit(reader.page.url).path == "/contribute/thanks"
    reference = reader.is_thanked()
    assert reader.heading.replace("\n", " ") == words["thanks"]
    (payment,) = demo.payments(reference)
    assert payment["amount"] == {"en": 800, "uk": 20000}[language]
    assert payment["metadata"]["from_article"] == "dredging-money"
    assert payment["metadata"]["from_appeal"] == "demo-foot"

    welcome = reader.read_mail(email, "welcome")
    assert f"{demo.site}/signin" in welcome
    receipt = reader.read_mail(email, "receipt")
    assert words["paid"] in receipt

    reader.sign_in_by_code(email)
    reader.says(words["patron"], words["next"], words["began"], email)
    reader.press(".table a[href*='/account/receipts/']")
    assert words["paid"] in reader.page.locator(".sheet__amount").inner_text()
    reader.press(".sheet__back a[href='/account']")

    reader.press("form[action='/signout/everywhere'] button")
    assert urlsplit(reader.page.url).path == "/"
    reader.open("/account")
    assert urlsplit(reader.page.url).path == "/signin"
    reader.sign_in_by_link(email)
    reader.says(words["patron"])
    reader.press("form[action='/signout'] button")
    expect(reader.page.locator(".masthead__nav")).to_contain_text(words["signed_out"])


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no_scripts"])
@pytest.mark.parametrize("language", ["en", "uk"])
def test_waiting_is_shown_as_waiting_and_ends_by_itself(demo, new_reader, email, language, has_scripts):
    words = WORDS[language]
    reader = new_reader(language, has_scripts=has_scripts)
    reader.open("/contribute")
    reader.give(email)
    cannot_be_read = {"match": "GET /v1/checkout/sessions/*", "do": "503", "times": 500}
    with demo.fault(cannot_be_read, deliveries={"delay": 1, "delay_seconds": 4}):
        reader.pay()
        assert reader.heading == words["waiting"]
        assert reader.page.locator("[data-state=waiting]").is_visible()
    reader.is_thanked()
    assert reader.heading.replace("\n", " ") == words["thanks"]


def test_the_way_is_attributed_to_where_it_began_also_after_a_mistake_and_another_currency(demo, reader, email):
    reader.open("/contribute?article=harbour-toll&utm_source=newsletter&cups=4")
    reader.fill("not an address")
    reader.press(reader.button)
    reader.press(reader.page.locator(".currencies a").first)
    reader.give(email)
    reader.pay()
    (payment,) = demo.payments(reader.is_thanked())
    assert payment["metadata"]["from_article"] == "harbour-toll"
    assert payment["metadata"]["from_utm_source"] == "newsletter"
