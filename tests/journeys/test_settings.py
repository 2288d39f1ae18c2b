"""An owner changes what a cup costs and the newsroom's colour; readers see it at once, and one tap takes it back."""

import pytest
from playwright.sync_api import expect

from membership.front.seed import EDITOR
from tests.journeys.inspection import faults_in_views

PAGES = ("prices", "goal", "ways", "names", "languages", "colours", "late")
BLUE, BLUE_IN_THE_DARK = "#1d4f8f", "#9cc4f5"
RED, BLUE_DRAWN, BLUE_DRAWN_IN_THE_DARK = "rgb(138, 51, 35)", "rgb(29, 79, 143)", "rgb(156, 196, 245)"


class Owner:
    """Somebody who may change settings, at the desk of settings."""

    def __init__(self, reader) -> None:
        self.reader, self.page = reader, reader.page
        reader.sign_in_by_code(EDITOR)

    def changes(self, subject, **typed) -> None:
        """Type into the form, look at what that means, and save it."""
        self.looks(subject, **typed)
        expect(self.page.locator("#ahead")).to_be_visible()
        self.reader.press(f"form[action='/staff/settings/{subject}/save'] button[type=submit]")
        self.reader.says("Saved. It counts from now on.")

    def looks(self, subject, **typed) -> None:
        """Type into the form, and see what changes."""
        self.reader.open(f"/staff/settings/{subject}")
        for name, words in typed.items():
            self.page.fill(f"[id='{name}']", words)
        self.reader.press(".settings__form > button.button--primary")

    def takes_back(self) -> None:
        """One tap, on the page that says that it is saved."""
        self.reader.press(self.page.get_by_role("button", name="Take the change back"))
        self.reader.says("It is as it was before.")


def has_button(reader, colour) -> None:
    """The button of the ask is drawn in this colour, once it has changed."""
    expect(reader.button).to_have_css("background-color", colour)


def sees(reader, *amounts) -> None:
    """On /contribute in euros these are the amounts of the cards."""
    reader.open("/contribute?currency=EUR")
    for amount in amounts:
        expect(reader.page.locator(".cards__row").last).to_contain_text(amount)


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no_scripts"])
def test_a_new_price_and_a_new_colour_reach_readers_at_once_and_are_taken_back(own_demo, new_reader, has_scripts):
    owner = Owner(new_reader(house=own_demo, has_scripts=has_scripts, viewport={"width": 1280, "height": 800}))
    english, ukrainian = new_reader("en", house=own_demo), new_reader("uk", house=own_demo)
    for reader, amount in ((english, "€8"), (ukrainian, "8 €".replace(" ", "\u00a0"))):
        sees(reader, amount)
    has_button(english, RED)

    owner.changes("prices", **{"EUR-cup_minor": "5.50"})
    for reader, amount in ((english, "€11"), (ukrainian, "11 €".replace(" ", "\u00a0"))):
        sees(reader, amount)
    owner.takes_back()
    for reader, amount in ((english, "€8"), (ukrainian, "8 €".replace(" ", "\u00a0"))):
        sees(reader, amount)

    owner.changes("colours", **{"light-accent": BLUE, "dark-accent": BLUE_IN_THE_DARK})
    for reader in (english, ukrainian):
        reader.open("/contribute")
        has_button(reader, BLUE_DRAWN)
    english.page.emulate_media(color_scheme="dark")
    has_button(english, BLUE_DRAWN_IN_THE_DARK)
    english.page.emulate_media(color_scheme="light")
    owner.reader.open("/staff/settings/colours?saved=1")
    owner.takes_back()
    english.open("/contribute")
    has_button(english, RED)


def test_every_page_of_settings_is_in_order_in_each_of_its_states(own_demo, new_reader):
    owner, faults = Owner(new_reader(house=own_demo)), []

    def look(name) -> None:
        faults.extend(faults_in_views(owner.page, f"settings {name}"))

    owner.reader.open("/staff/settings")
    look("overview")
    for subject in PAGES:
        owner.reader.open(f"/staff/settings/{subject}")
        look(subject)
    owner.looks("prices", **{"EUR-cup_minor": "5.50", "UAH-cup_minor": "120"})
    look("prices looked at")
    owner.looks("prices", **{"EUR-cup_minor": "a lot", "UAH-once_minimum_minor": "999"})
    look("prices with mistakes")
    owner.looks("colours", **{"light-accent": "#ff9966"})
    look("colours too weak")
    owner.reader.press(owner.page.locator(".settings__take").first)
    look("colours taken")
    owner.reader.press("form[action$='/save'] button[type=submit]")
    owner.changes("goal", n_patrons="600")
    look("goal saved")
    owner.changes("names", name="The Quay and Harbour Post", contact="questions@example.org")
    owner.looks("ways", iban="GB29NWBK60161331926819")
    look("ways looked at")
    owner.reader.open("/staff/settings")
    look("overview saved")
    assert faults == []


def test_two_owners_at_once_lose_nothing(own_demo, new_reader):
    first, second = (Owner(new_reader(house=own_demo)) for _ in range(2))
    first.looks("goal", n_patrons="600")
    second.changes("goal", n_patrons="700")
    first.reader.press("form[action$='/save'] button[type=submit]")
    first.reader.says("saved this page while you were changing it.", "nothing is lost")
    assert first.page.input_value("#n_patrons") == "600"
    assert faults_in_views(first.page, "settings two at once") == []
    first.reader.press("form[action$='/save'] button[type=submit]")
    first.reader.says("Saved. It counts from now on.")
