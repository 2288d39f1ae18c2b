"""Wrong input: a clear sentence at its field, nothing written, nothing lost; mended, it works."""

import pytest
from playwright.sync_api import expect

TOO_LONG_NAME = "Д" * 61


COUNT = """
SELECT (SELECT count(*) FROM contributions), (SELECT count(*) FROM provider_intents), (SELECT count(*) FROM people)
"""


def counts(demo):
    return demo.rows(COUNT)


def set_hidden(reader, name, value):
    reader.page.locator(f"input[name={name}]").evaluate("(field, value) => { field.value = value }", value)


# What is typed (field, value, rhythm), and the sentence that must stand beside it, in both languages.
AMOUNTS = [
    ("twelve", "monthly", "Please type an amount in figures", "Введіть, будь ласка, суму цифрами"),
    ("-5", "monthly", "Please type an amount in figures", "Введіть, будь ласка, суму цифрами"),
    ("", "monthly", "Please type an amount in figures", "Введіть, будь ласка, суму цифрами"),
    ("3.99", "monthly", "The least is £4.", "Найменша сума — 4\u00a0£."),
    ("47", "yearly", "The least is £48.", "Найменша сума — 48\u00a0£."),
    ("0", "once", "The least is £1.", "Найменша сума — 1\u00a0£."),
    ("10001", "once", "The most is £10,000 here.", "Найбільша сума тут — 10\u00a0000\u00a0£."),
    ("1e3", "once", "Please type an amount in figures", "Введіть, будь ласка, суму цифрами"),
]


@pytest.mark.parametrize("mistake", AMOUNTS, ids=lambda mistake: mistake[0] or "empty")
def test_an_amount_that_cannot_be_is_explained_beside_it(demo, new_reader, email, mistake):
    typed, rhythm, *explained = mistake
    before = counts(demo)
    for language, words in zip(("en", "uk"), explained, strict=True):
        reader = new_reader(language, has_scripts=False)
        reader.open("/contribute?currency=GBP")
        reader.fill(email, rhythm=rhythm, amount=typed)
        reader.press(reader.button)
        expect(reader.page.locator("#amount-error")).to_contain_text(words)
        expect(reader.page.locator("#amount")).to_have_value(typed)
        expect(reader.page.locator("#email")).to_have_value(email)
        expect(reader.page.locator(f"input[name=rhythm][value={rhythm}]")).to_be_checked()
    assert counts(demo) == before


ADDRESSES = [
    ("", "Please type your e-mail address."),
    ("no address", "Please type an e-mail address such as reader@example.org."),
    ("two@at@example.org", "Please type an e-mail address such as reader@example.org."),
    ("x" * 300 + "@example.org", "Please type an e-mail address such as reader@example.org."),
]


@pytest.mark.parametrize(("typed", "words"), ADDRESSES, ids=["empty", "words", "two_ats", "long"])
def test_an_address_that_cannot_be_is_explained_beside_it(demo, reader, email, typed, words):
    before = counts(demo)
    reader.open("/contribute")
    reader.fill(typed, cups=4)
    reader.press(reader.button)
    expect(reader.page.locator("#email-error")).to_contain_text(words)
    expect(reader.page.locator("#email")).to_have_value(typed)
    expect(reader.page.locator("input[name=cups][value='4']")).to_be_checked()
    assert counts(demo) == before


def test_the_summary_leads_to_every_field_at_once_and_mending_them_works(demo, reader, email):
    before = counts(demo)
    reader.open("/contribute")
    reader.fill("nobody", rhythm="once", amount="a lot")
    reader.add(fees=True, name=TOO_LONG_NAME)
    reader.press(reader.button)
    summary = reader.page.locator(".error-summary")
    expect(summary).to_be_focused()
    expect(summary.locator("h2")).to_have_text("3 things need your attention")
    assert counts(demo) == before
    mended = {"email": email, "amount": "12.50", "public_name": "Олена з порту"}
    for link in summary.locator("a").all():
        field = reader.page.locator(link.get_attribute("href"))
        link.click()
        expect(field).to_be_focused()
        expect(field).to_have_attribute("aria-invalid", "true")
        field.fill(mended.pop(field.get_attribute("id")))
    assert mended == {}
    reader.press(reader.button)
    reader.pay()
    (payment,) = demo.payments(reader.is_thanked())
    assert payment["amount"] > 1250
    reader.sign_in_by_code(email)
    reader.says("Олена з порту")


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no_scripts"])
def test_a_name_that_is_too_long_is_kept_and_explained(demo, new_reader, email, has_scripts):
    before = counts(demo)
    reader = new_reader("uk", has_scripts=has_scripts)
    reader.open("/contribute")
    reader.fill(email)
    reader.add(name=TOO_LONG_NAME)
    reader.press(reader.button)
    expect(reader.page.locator("#public_name-error")).to_be_visible()
    expect(reader.page.locator("#public_name")).to_have_value(TOO_LONG_NAME)
    assert counts(demo) == before


TAMPERED = [
    ("currency", "XAU", "We do not take this currency."),
    ("currency", "", "We do not take this currency."),
    ("form_token", "tampered", "so we asked for nothing"),
    ("form_token", "", "so we asked for nothing"),
]


@pytest.mark.parametrize("change", TAMPERED, ids=lambda change: f"{change[0]}={change[1]}")
def test_a_hidden_field_that_was_tampered_with_writes_nothing_and_pressing_again_works(demo, reader, email, change):
    field, value, words = change
    before = counts(demo)
    reader.open("/contribute")
    reader.fill(email, rhythm="once", cups=2)
    set_hidden(reader, field, value)
    reader.press(reader.button)
    reader.says(words)
    expect(reader.page.locator("#email")).to_have_value(email)
    expect(reader.page.locator("input[name=cups][value='2']")).to_be_checked()
    assert counts(demo) == before
    reader.press(reader.button)
    reader.pay()
    (payment,) = demo.payments(reader.is_thanked())
    assert payment["amount"] == 800


@pytest.mark.parametrize("way", ["tampered", "missing", "no_cookie"])
@pytest.mark.parametrize("language", ["en", "uk"])
def test_without_the_protecting_token_nothing_is_done_and_the_page_says_how_to_go_on(
    demo, new_reader, email, language, way
):
    before = counts(demo)
    reader = new_reader(language)
    reader.open("/contribute")
    reader.fill(email)
    match way:
        case "tampered":
            set_hidden(reader, "csrf_token", "tampered")
        case "missing":
            reader.page.locator("input[name=csrf_token]").evaluate("field => field.remove()")
        case "no_cookie":
            reader.context.clear_cookies()
    reader.press(reader.button)
    reader.says({"en": "Nothing was done.", "uk": "Нічого не змінилося."}[language])
    assert counts(demo) == before
    reader.open("/contribute")
    reader.give(email)


@pytest.mark.parametrize("name", ["rhythm", "cups"])
def test_a_choice_that_is_not_offered_is_refused(demo, reader, email, name):
    before = counts(demo)
    reader.open("/contribute")
    reader.fill(email)
    reader.page.locator(f"input[name={name}]:checked").evaluate("field => { field.value = '999' }")
    reader.press(reader.button)
    expect(reader.page.locator(f"#{name}-error")).to_be_visible()
    assert counts(demo) == before


@pytest.mark.parametrize("language", ["en", "uk"])
def test_mistakes_at_sign_in_are_explained(new_reader, email, language):
    reader = new_reader(language)
    reader.asks_to_sign_in("nobody at home")
    expect(reader.page.locator("#email-error")).to_be_visible()
    expect(reader.page.locator("#email")).to_have_value("nobody at home")
    reader.page.fill("#email", email)
    reader.press("main form button")
    for wrong in ("123", "abcdefgh", "00000000"):
        reader.page.fill("#code", wrong)
        reader.press("main form button")
        expect(reader.page.locator("#code-error")).to_be_visible()
