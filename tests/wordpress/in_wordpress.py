"""Our embeds in a real WordPress, as its users see them. `make test-wordpress` installs it and runs this file, which
`make test` leaves alone: it needs root and eighty packages of Debian.
"""

import json
from pathlib import Path

import pytest

from tests.journeys.demo import Demo, a_free_port
from tests.journeys.inspection import SHOTS, overflow, violations
from tests.journeys.test_embeds import WATCH
from tests.wordpress.wordpress import WordPress, is_installed

PARTS = ("reader-appeal", "reader-corrections", "reader-badge")
MARK = """() => {
  const words = document.querySelector(".wp-block-post-content p:nth-of-type(3)").firstChild;
  getSelection().setBaseAndExtent(words, 4, words, 30);
}"""
SHIFTS = """
window.moved = [];
new PerformanceObserver((list) => list.getEntries().forEach((shift) => shift.sources.forEach(({ node }) => {
  const element = node?.nodeType === Node.ELEMENT_NODE ? node : node?.parentElement;
  if (element?.closest("[class*=post-content]")) moved.push(shift.value);
}))).observe({ type: "layout-shift", buffered: true });
"""


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory):
    """The demo and a WordPress whose article is a story that members chose."""
    assert is_installed(), "There is no WordPress here: make test-wordpress installs it."
    paper = WordPress(tmp_path_factory.mktemp("wordpress"), a_free_port())
    house = None
    try:
        paper.start()
        house = Demo(tmp_path_factory.mktemp("house"), RATE_LIMITS="false", SITE_ORIGINS=paper.site)
        house.wait()
        [(topic,)] = house.rows("SELECT id FROM topics WHERE stage = 'published' ORDER BY id LIMIT 1")
        house.rows("UPDATE topics SET story_url = ? WHERE id = ?", paper.article, topic)
        paper.join(house.site)
        yield house, paper
    finally:
        paper.end()
        if house is not None:
            house.end()


@pytest.fixture
def opened(newsroom, chromium):
    """Opens the article in a window of a width; what its console said is `page.said`."""
    _house, paper = newsroom
    contexts = []

    def _open(width, scheme="light"):
        context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.said = []
        page.on("console", lambda message: page.said.append((message.type, message.text, message.location["url"])))
        page.add_init_script(WATCH + SHIFTS)
        page.goto(paper.article)
        page.locator("reader-corrections a").wait_for()
        return page

    yield _open
    for context in contexts:
        context.close()


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_appeal_corrections_and_badge_stand_in_the_stock_theme_and_hurt_nothing(opened, width, scheme):
    page = opened(width, scheme)
    assert page.locator("reader-badge a").inner_text() == "Members chose this"
    asking = page.locator("reader-appeal section")
    asking.scroll_into_view_if_needed()
    assert asking.get_by_role("heading").inner_text()
    # WordPress has no picture for the browser's tab.
    said = [line for line in page.said if line[0] in {"error", "warning"} and "favicon" not in line[2]]
    assert said == []
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"wordpress-{width}.png")
    assert [line for line in page.evaluate("hurt") if not line.startswith("moved")] == []
    assert page.evaluate("moved") == []
    found = [line for line in violations(page) if any(part in line for part in PARTS)]
    assert found + [line for line in overflow(page) if "reader-" in line] == []


def test_the_appeal_leads_to_the_payment_page_with_what_the_newsroom_wants_to_know(opened, newsroom):
    house, _paper = newsroom
    page = opened(1280)
    page.locator("reader-appeal a.do").click()
    page.wait_for_url(f"{house.site}/contribute?**")
    assert "appeal=apl_" in page.url
    assert "the-harbour" in page.url


def test_marked_words_reach_the_desk(opened, newsroom):
    house, paper = newsroom
    page = opened(1280)
    page.evaluate(MARK)
    page.keyboard.press("Control+Enter")
    dialog = page.get_by_role("dialog", name="What is wrong here?")
    dialog.get_by_label("How should it read").fill("It was dredged once.")
    dialog.get_by_role("button", name="Send to the newsroom").click()
    dialog.get_by_text("Thank you. An editor looks at it.").wait_for()
    [(article, quote)] = house.rows(
        "SELECT article, quote FROM correction_reports JOIN correction_passages p ON p.id = passage_id"
        " WHERE note = 'It was dredged once.'"
    )
    assert (article.rstrip("/"), quote) == (paper.article.rstrip("/"), "harbour was dredged twice")


def test_what_it_costs_a_reader_is_said(newsroom, chromium):
    """Bytes fetched from us and time of the main thread, beside the same page without us; nothing is judged here."""
    house, paper = newsroom
    without, costs = [], []
    paper.leave()
    for times, is_with in ((without, False), (costs, True)):
        if is_with:
            paper.join(house.site)
        for _ in range(5):
            context = chromium.new_context(viewport={"width": 360, "height": 800})
            page = context.new_page()
            fetched = []
            page.on("requestfinished", lambda request, kept=fetched: kept.append(request))
            session = context.new_cdp_session(page)
            session.send("Performance.enable")
            page.goto(paper.article, wait_until="networkidle")
            named = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
            ours = {
                request.url.removeprefix(house.site): request.sizes()["responseBodySize"]
                for request in fetched
                if request.url.startswith(house.site)
            }
            times.append((named["TaskDuration"], named["ScriptDuration"]))
            context.close()
    middle = [sorted(column)[2] * 1000 for rows in (without, costs) for column in zip(*rows, strict=True)]
    print(f"\nFetched from us: {json.dumps(ours)} bytes. Main thread: {middle[0]:.0f} ms without us, {middle[2]:.0f} ms"
          f" with us; scripts: {middle[1]:.0f} and {middle[3]:.0f} ms (medians of five).")  # fmt: skip
    assert set(ours) == {"/embed/v1.js", "/embed/config.json"}
