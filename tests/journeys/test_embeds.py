"""Our script on a newsroom's own article: it shows what it should, and never hurts the page that it stands on."""

from pathlib import Path

import pytest

from membership import web
from tests.journeys.article_site import Broken, news_site
from tests.journeys.demo import a_free_port
from tests.journeys.inspection import overflow, violations

SCRIPT = (Path(web.__file__).parents[1] / "static" / "embed" / "v1.js").read_text(encoding="utf-8")
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
    us = Broken(how, SCRIPT) if how is not None else None
    address = us.address if us is not None else f"http://127.0.0.1:{a_free_port()}"
    try:
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
    finally:
        if us is not None:
            us.end()
