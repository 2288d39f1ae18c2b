"""Ballots as people give them in a browser: by touch, with the keyboard alone, without JavaScript."""

from collections.abc import Sequence

from playwright.sync_api import Locator, Page, expect

from tests.journeys.reader import Reader

SAVE = ".ballot__foot button"
MOST_STOPS = 120


def taps(reader: Reader, *titles: str) -> str:
    """Tick topics with a finger, wherever on their cards, and save; the receipt."""
    for title in titles:
        reader.page.locator(".option__face", has_text=title).tap()
    return _saves(reader)


def ticks(reader: Reader, *titles: str) -> str:
    """Tick these and no others, and save; the receipt."""
    for card in reader.page.locator(".option--tick").all():
        is_wanted = card.locator(".option__title").inner_text() in titles
        if card.locator(".option__input").is_checked() != is_wanted:
            card.locator(".option__face").click()
    return _saves(reader)


def ranks(reader: Reader, *titles: str) -> str:
    """Add topics and put them in this order with the buttons of their cards, and save; the receipt.

    The first is added last and moved up, and one is taken out on the way, so that every button was used.
    """
    _moves(reader, "add", titles[1])
    _moves(reader, "remove", titles[1])
    for title in (*titles[1:], titles[0]):
        _moves(reader, "add", title)
    for _ in titles[1:]:
        _moves(reader, "up", titles[0])
    _moves(reader, "down", titles[0])
    _moves(reader, "up", titles[0])
    assert order_of(reader.page) == list(titles)
    return _saves(reader)


def _moves(reader: Reader, kind: str, title: str) -> None:
    card = reader.page.locator(".rank", has_text=title)
    button = card.locator(f".rank__move--{kind}")
    if reader.has_scripts:
        button.click()
    else:
        reader.press(button)
    expect(reader.page.locator(f".rank{'' if kind == 'remove' else '--chosen'}", has_text=title)).to_be_visible()


def order_of(page: Page) -> list[str]:
    """The ranking as it stands on the page, best first."""
    return page.locator("[data-ranked] .option__title").all_inner_texts()


def _saves(reader: Reader) -> str:
    reader.press(SAVE)
    return receipt_on(reader)


def receipt_on(reader: Reader) -> str:
    """The receipt that the page shows this once."""
    assert reader.page.url.endswith("/saved"), reader.page.locator("main").inner_text()
    return reader.page.locator(".receipt-box__code").inner_text()


class Keyboard:
    """The keys of somebody who has no pointer."""

    def __init__(self, reader: Reader) -> None:
        self.reader, self.page = reader, reader.page

    def tabs_to(self, what: Locator) -> None:
        """Tab on until it has the focus."""
        for _ in range(MOST_STOPS):
            self.page.keyboard.press("Tab")
            if what.evaluate("here => here === document.activeElement"):
                return
        raise AssertionError(f"{what} cannot be reached")

    def _saves(self) -> str:
        self.tabs_to(self.page.locator(SAVE))
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")
        self.reader.look()
        return receipt_on(self.reader)

    def ticks(self, titles: Sequence[str]) -> str:
        """Tick topics and save; the receipt."""
        for card in self.page.locator(".option--tick").all():  # in the order in which they stand
            if card.locator(".option__title").inner_text() in titles:
                self.tabs_to(card.locator(".option__input"))
                self.page.keyboard.press("Space")
        return self._saves()

    def ranks(self, *titles: str) -> str:
        """Add topics from the last to the first, moving each to the top, and save; the receipt."""
        for title in reversed(titles):
            card = self.page.locator(".rank", has_text=title)
            self.tabs_to(card.locator(".rank__move--add"))
            self.page.keyboard.press("Enter")
            # The focus stays with the card, on a button that can be used.
            for _ in range(order_of(self.page).index(title)):
                if not card.locator(".rank__move--up").evaluate("here => here === document.activeElement"):
                    self.tabs_to(card.locator(".rank__move--up"))
                self.page.keyboard.press("Enter")
            self.page.evaluate("() => { document.activeElement.blur(); window.getSelection().removeAllRanges(); }")
        assert order_of(self.page) == list(titles)
        return self._saves()
