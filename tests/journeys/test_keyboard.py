"""Everything with the keyboard alone, and the focus never out of sight."""

import pytest
from playwright.sync_api import expect

MOST_STOPS = 60
# The element that has the focus: its place in the document, and a name for the eye. "" where it left the page.
WHERE = """() => {
  const here = document.activeElement;
  if (here === document.body) return "";
  return `${[...document.all].indexOf(here)} ${here.tagName} ${here.id} ${here.textContent.trim().slice(0, 40)}`;
}"""


def is_seen(page) -> bool:
    """Whether the page looks different with the focus than without it, at the same place."""
    with_focus = page.screenshot()
    page.evaluate("() => { window.here = document.activeElement; window.here.blur(); }")
    without = page.screenshot()
    page.evaluate("() => window.here.focus({preventScroll: true})")
    return with_focus != without


def walk(page) -> list[str]:
    """Tab through the page once; every stop, in order. Each of them must be seen."""
    stops = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        where = page.evaluate(WHERE)
        if where == "" or where in stops:
            return stops
        stops.append(where)
        assert is_seen(page), f"No focus to be seen at {where}"
    raise AssertionError(f"No end after {MOST_STOPS} stops: {stops}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/contribute", "/signin", "/demo/article"])
def test_the_focus_is_seen_wherever_it_goes(new_reader, path, scheme):
    reader = new_reader(color_scheme=scheme, reduced_motion="reduce", viewport={"width": 800, "height": 600})
    reader.open(path)
    stops = walk(reader.page)
    assert "Skip to the content" in stops[0]
    assert len(stops) > 12


def test_the_first_stop_leads_past_the_header(reader):
    reader.open("/contribute")
    skip = reader.page.locator(".skip-link")
    expect(skip).not_to_be_in_viewport()
    reader.page.keyboard.press("Tab")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    reader.page.keyboard.press("Enter")
    reader.page.keyboard.press("Tab")
    expect(reader.page.locator("input[name=rhythm]:checked")).to_be_focused()


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no_scripts"])
def test_a_gift_can_be_given_without_a_pointer(demo, new_reader, email, has_scripts):
    reader = new_reader(has_scripts=has_scripts)
    page, keyboard = reader.page, reader.page.keyboard

    def _tab_to(what):
        for _ in range(MOST_STOPS):
            keyboard.press("Tab")
            if page.locator(what).evaluate("here => here === document.activeElement"):
                return
        raise AssertionError(f"{what} cannot be reached")

    reader.open("/contribute")
    _tab_to("input[name=rhythm][value=monthly]")
    keyboard.press("ArrowRight")
    keyboard.press("ArrowRight")
    expect(page.locator("input[name=rhythm][value=once]")).to_be_checked()
    _tab_to("input[name=cups][value='1']")
    for _ in range(3):
        keyboard.press("ArrowRight")
    expect(page.locator("input[name=cups][value=own]")).to_be_checked()
    _tab_to("#amount")
    keyboard.type("12.50")
    _tab_to("#email")
    keyboard.type(email)
    _tab_to("details.more summary")
    keyboard.press("Enter")
    _tab_to("#covers_fees")
    keyboard.press("Space")
    expect(page.locator("#covers_fees")).to_be_checked()
    _tab_to("#public_name")
    keyboard.type("Somebody")
    with page.expect_navigation():
        keyboard.press("Enter")
    reader.look()
    for field, typed in (("#cardNumber", "4242424242424242"), ("#cardExpiry", "1234"), ("#cardCvc", "123")):
        _tab_to(field)
        keyboard.type(typed)
    with page.expect_navigation():
        keyboard.press("Enter")
    reader.look()
    (payment,) = demo.payments(reader.is_thanked())
    assert payment["amount"] > 1250
