"""A card that is declined, and a payment page that is left: nothing is booked, and one can begin again at once."""

import pytest
from playwright.sync_api import expect

from tests.journeys.demo import until
from tests.journeys.reader import DECLINED_CARD, GOOD_CARD

WORDS = {
    "en": {
        "declined": "Your card was declined. Nothing was charged.",
        "came_back": "You came back from the payment page.",
        "nothing": "Nothing was charged.",
        "nobody": "Nobody has an account with it",
        "expired": "This page has expired",
    },
    "uk": {
        "declined": "Картку відхилено. Нічого не списано.",
        "came_back": "Ви повернулися зі сторінки оплати.",
        "nothing": "Нічого не списано.",
        "nobody": "Кабінету з нею немає",
        "expired": "Ця сторінка вже не діє",
    },
}


@pytest.mark.parametrize(("language", "has_scripts"), [("en", True), ("uk", False)])
def test_a_declined_card_books_nothing_and_the_same_address_succeeds_at_once(
    demo, new_reader, email, language, has_scripts
):
    words = WORDS[language]
    reader = new_reader(language, has_scripts=has_scripts)
    n_payments = demo.n_payments()
    reader.open("/contribute")
    reader.give(email)
    reader.pay(DECLINED_CARD)
    expect(reader.page.get_by_role("alert")).to_contain_text(words["declined"])
    assert demo.n_payments() == n_payments
    assert demo.state_of(email) == ["started"]
    assert reader.mails(email, "welcome") == reader.mails(email, "receipt") == []

    reader.press(".back a")
    reader.says(words["came_back"], words["nothing"])
    reader.give(email)
    reader.pay()
    reference = reader.is_thanked()
    assert demo.n_payments() == n_payments + 1
    assert len(demo.payments(reference)) == 1
    assert demo.state_of(email) == ["active"]


def test_another_card_on_the_same_page_works(demo, reader, email):
    reader.open("/contribute")
    reader.give(email)
    reader.pay(DECLINED_CARD)
    reader.pay(GOOD_CARD)
    assert len(demo.payments(reader.is_thanked())) == 1


def test_who_was_declined_has_no_account_and_is_told_so_by_mail(reader, email):
    reader.open("/contribute")
    reader.give(email)
    reader.pay(DECLINED_CARD)
    reader.asks_to_sign_in(email)
    assert WORDS["en"]["nobody"] in reader.read_mail(email, "sign_in")


def test_a_declined_card_in_one_browser_does_not_stand_in_the_way_in_another(demo, new_reader, email):
    reader, elsewhere = new_reader(), new_reader()
    reader.open("/contribute")
    reader.give(email)
    reader.pay(DECLINED_CARD)
    reference = elsewhere.becomes_patron(email)
    assert len(demo.payments(reference)) == 1
    assert sorted(demo.state_of(email)) == ["active", "started"]


@pytest.mark.parametrize("language", ["en", "uk"])
def test_a_closed_tab_is_abandoned_when_its_page_expires_and_the_reader_can_begin_anew(
    demo, new_reader, email, language
):
    words = WORDS[language]
    reader = new_reader(language)
    reader.open("/contribute")
    reader.give(email)
    left = reader.page.url
    reader.page.goto("about:blank")
    n_payments = demo.n_payments()
    demo.advance(seconds=61 * 60)
    until(lambda: demo.state_of(email) == ["abandoned"], what="abandoning")
    assert demo.n_payments() == n_payments
    assert [page["status"] for page in demo.payment_pages(email)] == ["expired"]

    reader.open("/contribute/thanks?session=" + left.rpartition("/")[2])
    assert reader.heading == words["nothing"]
    reader.open(left)
    assert reader.heading == words["expired"]
    reader.press("main a")
    reader.give(email)
    reader.pay()
    assert len(demo.payments(reader.is_thanked())) == 1
    assert demo.state_of(email) == ["abandoned", "active"]
