"""Our script on a newsroom's own article: it shows what it should, and never hurts the page that it stands on."""

import socket
from pathlib import Path

import pytest

from membership import web
from membership.front.views import embeds
from tests.journeys.article_site import Broken, Site, framed, news_site
from tests.journeys.demo import Demo, a_free_port
from tests.journeys.inspection import overflow, violations

STATIC = Path(web.__file__).parents[1] / "static"
SCRIPT = "\n".join((STATIC / name).read_text(encoding="utf-8") for name in embeds.SCRIPT)
PATIENCE_MS = 2000
# What our part of a page did to it: refused things, thrown errors, and moved words.
WATCH = """
window.hurt = [];
addEventListener("securitypolicyviolation", (event) => hurt.push(`policy: ${event.violatedDirective}`));
addEventListener("error", (event) => hurt.push(`error: ${event.message}`));
addEventListener("unhandledrejection", (event) => hurt.push(`promise: ${event.reason}`));
new PerformanceObserver((list) => list.getEntries().forEach((shift) => hurt.push(`moved: ${shift.value}`)))
  .observe({ type: "layout-shift", buffered: true });
"""


@pytest.fixture
def new_page(chromium):
    contexts = []

    def _new(width=1280, scheme="light"):
        context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(WATCH)
        return page

    yield _new
    for context in contexts:
        context.close()


@pytest.mark.parametrize(
    ("language", "width", "scheme", "words"),
    [
        ("en", 1280, "light", "Stories that members chose"),
        ("en", 360, "dark", "Stories that members chose"),
        ("uk", 360, "light", "Статті, які обрали учасники"),
    ],
)
def test_an_article_shows_what_readers_make_possible(demo, new_page, language, width, scheme, words):
    page = new_page(width, scheme)
    with news_site(demo.site, language) as site:
        page.goto(f"{site}/article")
        page.get_by_text(words).wait_for()
        page.locator("reader-goal").get_by_role("link").scroll_into_view_if_needed()
        assert page.locator("reader-goal progress").count() == 1
        assert page.evaluate("hurt") == []
        assert overflow(page) + violations_within(page, "reader-goal", "reader-stories") == []
        assert page.context.cookies() == []
        page.locator("reader-goal").get_by_role("link").click()
        page.wait_for_url(f"{demo.site}/contribute?**")
        assert f"article={site.replace('/', '%2F').replace(':', '%3A')}%2Farticle" in page.url


def violations_within(page, *elements):
    page.evaluate("history.replaceState(null, '')")  # a page that has been used, as axe expects
    return [line for line in violations(page) if any(name in line for name in elements)]


def test_the_pinned_script_is_the_same_one_and_is_kept_for_ever(demo, new_page):
    page = new_page()
    mark = page.request.get(f"{demo.site}/embed/config.json").json()["script"]
    with news_site(demo.site, script=mark) as site:
        page.goto(f"{site}/article")
        page.locator("reader-goal progress").wait_for()
    answer = page.request.get(demo.site + mark)
    assert answer.text() == SCRIPT
    assert "immutable" in answer.headers["cache-control"]


BAD_DAYS = [
    {"v1.js": "tarpit"}, {"v1.js": "500"}, {"v1.js": "<html>not a script"}, {"v1.js": "endless"},
    {"config.json": "tarpit"}, {"config.json": "500"}, {"config.json": "{]"}, {"config.json": "endless"},
    {"config.json": '{"version": 1}'}, {"config.json": '{"version": 1, "languages": [], "parts": {"goal": 7}}'},
    {"config.json": '{"version": 1, "languages": ["en"], "parts": {"goal": {"href": "javascript:1", "en": {}}}}'},
]  # fmt: skip


@pytest.mark.parametrize("how", [*BAD_DAYS, None], ids=lambda how: str(how)[:60])
def test_on_a_bad_day_of_ours_the_article_is_as_without_us(new_page, how):
    page = new_page(360)
    with Broken(how or {}, SCRIPT) as us:
        # "None": nobody listens there at all.
        address = us.address if how is not None else f"http://127.0.0.1:{a_free_port()}"
        with news_site(address) as site:
            page.goto(f"{site}/bare", wait_until="domcontentloaded")
            wanted = page.screenshot()
            size = page.evaluate("document.documentElement.scrollHeight")
            page.goto(f"{site}/article", wait_until="domcontentloaded")
            page.wait_for_timeout(PATIENCE_MS + 500)
            assert page.evaluate("document.documentElement.scrollHeight") == size
            assert page.screenshot() == wanted
            # A script that is none says so in the console; nobody can help that.
            assert [line for line in page.evaluate("hurt") if "Unexpected token '<'" not in line] == []


MARK = """() => {
  const words = document.querySelector("article p:nth-of-type(3)").firstChild;
  getSelection().setBaseAndExtent(words, 4, words, 30);
}"""


@pytest.fixture(scope="module")
def newsdesk(tmp_path_factory):
    """A demo whose newsroom has a site of its own; the address of the site is known before the demo starts."""
    kept = socket.socket()
    kept.bind(("127.0.0.1", 0))
    port = kept.getsockname()[1]
    house = Demo(tmp_path_factory.mktemp("newsdesk"), RATE_LIMITS="false", SITE_ORIGINS=f"http://127.0.0.1:{port}")
    try:
        house.wait()
        kept.close()
        with news_site(house.site, port=port) as site:
            yield house, site
    finally:
        house.end()


def reports(house):
    return house.rows("SELECT quote, note, email FROM correction_reports ORDER BY id")


def test_marked_words_and_two_keys_report_a_mistake(newsdesk, new_page):
    house, site = newsdesk
    page, n_before = new_page(), len(reports(house))
    page.goto(f"{site}/article")
    page.locator("reader-corrections").get_by_role("link", name="Report a mistake").wait_for()
    page.evaluate(MARK)
    page.keyboard.press("Control+Enter")
    dialog = page.get_by_role("dialog", name="What is wrong here?")
    assert dialog.locator("blockquote").inner_text() == "harbour was dredged twice"
    dialog.get_by_label("How should it read").fill("It was dredged once.")
    assert violations_within(page, "reader-corrections") == []
    page.keyboard.press("Control+Enter")
    assert page.get_by_role("dialog").count() == 1
    dialog.get_by_role("button", name="Send to the newsroom").click()
    dialog.get_by_text("Thank you.").wait_for()
    assert reports(house)[n_before:] == [("harbour was dredged twice", "It was dredged once.", None)]
    page.keyboard.press("Escape")
    assert page.get_by_role("dialog").count() == 0
    assert page.evaluate("hurt") == []


def test_where_nothing_is_shown_the_keys_do_nothing(newsdesk, new_page):
    page = new_page()
    page.add_init_script("addEventListener('DOMContentLoaded', () => document.querySelector('article').before("
                         "document.querySelector('reader-corrections')))")  # fmt: skip
    with page.expect_response("**/embed/config.json"):
        page.goto(f"{newsdesk[1]}/article")
    page.locator("reader-goal progress").wait_for()
    page.evaluate(MARK)
    page.keyboard.press("Control+Enter")
    assert page.get_by_role("dialog").count() == 0
    assert page.evaluate("hurt") == []


def test_on_a_phone_a_button_stands_by_the_marked_words(newsdesk, chromium):
    house, site = newsdesk
    context = chromium.new_context(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    try:
        page, n_before = context.new_page(), len(reports(house))
        page.goto(f"{site}/article")
        page.locator("reader-corrections").get_by_role("link").wait_for()
        page.evaluate(MARK)
        page.locator("reader-corrections button.go").tap()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("How should it read").fill("Once, says the log of the port.")
        dialog.get_by_label("Your e-mail address").fill("olena@example.org")
        assert overflow(page) == []
        dialog.get_by_role("button", name="Send to the newsroom").tap()
        dialog.get_by_text("Thank you.").wait_for()
        assert reports(house)[n_before:] == [
            ("harbour was dredged twice", "Once, says the log of the port.", "olena@example.org")
        ]
    finally:
        context.close()


def test_what_did_not_arrive_is_still_there_and_said(newsdesk, new_page):
    house, site = newsdesk
    page, n_before = new_page(), len(reports(house))
    page.goto(f"{site}/article")
    page.locator("reader-corrections").get_by_role("link", name="Report a mistake").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Which words are wrong").fill("The second paragraph.")
    page.route("**/embed/corrections", lambda route: route.abort())
    dialog.get_by_role("button", name="Send to the newsroom").click()
    dialog.get_by_text("It did not arrive.").wait_for()
    assert dialog.get_by_label("Which words are wrong").input_value() == "The second paragraph."
    page.unroute("**/embed/corrections")
    dialog.get_by_role("button", name="Send to the newsroom").click()
    dialog.get_by_text("Thank you.").wait_for()
    assert [note for _, note, _ in reports(house)[n_before:]] == ["The second paragraph."]


def test_a_site_without_scripts_frames_our_parts_and_a_stranger_cannot(newsdesk, new_page):
    house, site = newsdesk
    page = new_page(360)
    page.goto(f"{site}/framed")
    for name in ("goal", "stories"):
        page.frame_locator(f"iframe[title={name}]").get_by_role("heading").wait_for()
    assert page.evaluate("hurt") == []
    with Site({"/framed": ("text/html", framed(house.site))}.get) as stranger:
        page.goto(f"{stranger.address}/framed")
        page.wait_for_timeout(500)
        assert [frame.locator("main").count() for frame in page.frames[1:]] == [0, 0]
