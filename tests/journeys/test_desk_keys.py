"""The desk by keyboard: to the search, to the list of keys, to other desks; and all of it without scripts as well."""

import pytest
from playwright.sync_api import expect

from tests.journeys.inspection import faults_in_views
from tests.journeys.newsroom import Editor

WIDE = {"width": 1280, "height": 800}
PRESSED = "options => document.body.dispatchEvent(new KeyboardEvent('keydown', options))"


@pytest.fixture
def editor(new_reader):
    editor = Editor(new_reader(viewport=WIDE))
    editor.signs_in()
    editor.reader.open("/staff")
    return editor


def path_of(page) -> str:
    return page.evaluate("location.pathname")


def test_keys_lead_to_the_search_the_list_and_other_desks(editor):
    page, keyboard = editor.page, editor.page.keyboard
    keyboard.press("/")
    expect(page.locator(".desk-nav__wide [data-search]")).to_be_focused()
    keyboard.type("g?t/")
    expect(page.locator(".desk-nav__wide [data-search]")).to_have_value("g?t/")
    expect(page.locator("#keys-dialog")).to_be_hidden()
    page.locator("h1").click()
    keyboard.press("?")
    expect(page.locator("#keys-dialog")).to_be_visible()
    assert faults_in_views(page, "en keys of the desk") == []
    keyboard.press("g")
    keyboard.press("t")
    assert path_of(page) == "/staff", "nothing happens behind the list"
    keyboard.press("Escape")
    expect(page.locator("#keys-dialog")).to_be_hidden()
    keyboard.press("x")
    with page.expect_navigation():
        keyboard.press("g")
        keyboard.press("t")
    assert path_of(page) == "/staff/topics"
    keyboard.press("g")
    keyboard.press("Control+h")
    keyboard.press("z")
    assert path_of(page) == "/staff/topics"


def test_keys_are_places_on_the_keyboard_also_in_a_ukrainian_layout(editor):
    page = editor.page
    with page.expect_navigation():
        for key, code in (("п", "KeyG"), ("з", "KeyP")):
            page.evaluate(PRESSED, {"key": key, "code": code, "bubbles": True})
    assert path_of(page) == "/staff/people"


def test_keys_can_be_switched_off_and_stay_so(editor):
    page, keyboard = editor.page, editor.page.keyboard
    editor.reader.open("/staff/keys")
    page.get_by_role("button", name="Switch them off").click()
    expect(page.get_by_role("button", name="Switch them on")).to_be_visible()
    editor.reader.open("/staff")
    keyboard.press("?")
    keyboard.press("/")
    expect(page.locator("#keys-dialog")).to_be_hidden()
    expect(page.locator(".desk-nav__wide [data-search]")).not_to_be_focused()


def test_on_a_phone_the_menu_opens_without_scripts_and_the_keys_have_a_page(new_reader):
    reader = new_reader(has_scripts=False)
    Editor(reader).signs_in()
    reader.open("/staff")
    menu = reader.page.locator(".desk-nav__narrow")
    expect(menu.get_by_role("link", name="Health")).to_be_hidden()
    menu.locator("summary").click()
    reader.press(menu.get_by_role("link", name="Health"))
    assert path_of(reader.page) == "/staff/health"
    reader.press("[data-keys-open]")
    assert path_of(reader.page) == "/staff/keys"
    expect(reader.page.locator("main .keys")).to_contain_text("Failed payments")
    expect(reader.page.locator("main [data-keys-choice]")).to_be_hidden()
