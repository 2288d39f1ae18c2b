"""Who supports already is not asked twice; who follows somebody else's link is told what to do."""

import pytest
from playwright.sync_api import expect

WORDS = {
    "en": {
        "gives": "You already give 4 pounds a month. Thank you.",
        "elsewhere": "Type the code on the first device",
        "used": "This link is used up",
    },
    "uk": {
        "gives": "Ви вже нас підтримуєте: 100 гривень на місяць. Дякуємо.",
        "elsewhere": "Введіть код на першому пристрої",
        "used": "Це посилання вже не діє",
    },
}


@pytest.mark.parametrize("language", ["en", "uk"])
def test_a_signed_in_patron_sees_what_they_give_and_no_second_form(new_reader, email, language):
    reader = new_reader(language)
    reader.becomes_patron(email)
    reader.sign_in_by_code(email)
    reader.open("/contribute")
    reader.says(WORDS[language]["gives"])
    expect(reader.page.locator("form.give")).to_have_count(0)
    reader.press("main a.button")
    assert reader.page.url.endswith("/change")  # more or fewer cups instead of a second support


@pytest.mark.parametrize("language", ["en", "uk"])
def test_a_link_in_another_browser_signs_nobody_in_and_says_to_use_the_code(new_reader, email, language):
    reader, stranger = new_reader(language), new_reader(language)
    reader.becomes_patron(email)
    reader.asks_to_sign_in(email)
    reader.read_mail(email, "sign_in")
    link = reader.page.locator(".mail-text a[href*='/signin/link/']").get_attribute("href")
    stranger.open(link)
    assert stranger.heading == WORDS[language]["elsewhere"]
    expect(stranger.page.locator("main form")).to_have_count(0)
    stranger.open("/account")
    assert "/signin" in stranger.page.url

    reader.open(link)  # the stranger's look has used nothing up
    reader.press("main form button")
    assert reader.page.url.endswith("/account")
    reader.press("form[action='/signout'] button")
    reader.open(link)
    assert reader.heading == WORDS[language]["used"]


def test_a_patron_may_give_once_more(demo, reader, email):
    reader.becomes_patron(email)
    reader.becomes_patron(email, rhythm="once", cups=4)
    reader.sign_in_by_code(email)
    reader.says("£4 a month", "£16 once")


def test_a_session_in_another_browser_ends_with_signing_out_everywhere(new_reader, email):
    here, there = new_reader(), new_reader()
    here.becomes_patron(email)
    here.sign_in_by_code(email)
    there.sign_in_by_link(email)
    here.open("/account")
    here.says("Another device")
    here.press("form[action='/signout/everywhere'] button")
    there.open("/account")
    assert "/signin" in there.page.url
