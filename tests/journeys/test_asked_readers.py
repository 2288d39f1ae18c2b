"""Readers whom an article asks: who gives, who does not want to be asked, and what the desk is told of them."""

import json

import pytest

from membership.front.seed import EDITOR
from tests.journeys.article_site import news_site
from tests.journeys.demo import Demo, a_free_port, until
from tests.journeys.inspection import faults_in_views, overflow, violations

WORDS = {
    "en": {"already": "I already support you", "thanks": "We will not ask you here again", "close": "Close",
           "hint": "Do not ask me again in this browser", "mistake": "Report a mistake"},
    "uk": {"already": "Я вже вас підтримую", "thanks": "", "close": "Закрити",
           "hint": "Не просити мене більше в цьому браузері", "mistake": "Повідомити про помилку"},
}  # fmt: skip
DAY = 86_400
# By its own name a browser without a window is taken for a machine, which is not counted.
PERSON = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory):
    """A demo and its newsroom's own site, on one host; nobody is held out of its appeal until somebody says so."""
    port = a_free_port()
    with news_site("http://nobody.invalid", port=port):
        house = Demo(
            tmp_path_factory.mktemp("asking"), RATE_LIMITS="false", SITE_ORIGINS=f"http://127.0.0.1:{port}",
            PATRON_HINT_DOMAIN="127.0.0.1",
        )  # fmt: skip
        try:
            house.wait()
            house.rows("UPDATE appeals SET holdout_percent = 0")
            yield house
        finally:
            house.end()


@pytest.fixture
def site(newsroom, request):
    """The site whose articles ask, in the language of the test."""
    language = request.node.callspec.params.get("language", "en") if hasattr(request.node, "callspec") else "en"
    with news_site(newsroom.site, language) as address:
        yield address


def told(house, variant=None):
    """What was counted: how often each event, of one variant or of all."""
    rows = house.rows("SELECT event, sum(n) FROM appeal_counts WHERE ? IN ('', variant) GROUP BY event", variant or "")
    return dict(rows)


def read(reader, site) -> None:
    """Open the article and come to its foot."""
    reader.paper = site
    reader.page.goto(f"{site}/article")
    reader.page.locator("reader-corrections a").wait_for()
    reader.page.locator("reader-corrections").scroll_into_view_if_needed()


def asking(reader):
    return reader.page.locator("reader-appeal section")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("language", ["en", "uk"])
def test_who_is_asked_and_gives_is_not_asked_again_and_the_desk_hears_what_it_brought(
    newsroom, site, new_reader, email, language
):
    words, before = WORDS[language], told(newsroom)
    reader = new_reader(language, house=newsroom, user_agent=PERSON)
    read(reader, site)
    asking(reader).wait_for()
    found = [line for line in violations(reader.page) if "reader-appeal" in line]
    assert found + overflow(reader.page) == []
    kept = json.loads(reader.page.evaluate("localStorage.getItem('reader-appeal')"))
    assert [appeal for _, appeal in kept["seen"]] == [newsroom.rows("SELECT public_id FROM appeals")[0][0]]
    asking(reader).locator("a.do").click()
    reader.page.wait_for_url(f"{newsroom.site}/contribute?**")
    reader.give(email)
    reader.pay()
    reference = reader.is_thanked()
    ((came,),) = newsroom.rows("SELECT attribution FROM contributions WHERE reference = ?", reference)
    came = json.loads(came)
    assert came["appeal"] == kept["seen"][0][1]
    assert came["article"] == f"{site}/article"
    assert came["variant"] in {"a", "b"}
    until(lambda: told(newsroom).get("click", 0) == before.get("click", 0) + 1, 30, "the click was counted")
    assert told(newsroom)["view"] == before.get("view", 0) + 1

    reader.press(reader.page.get_by_role("button", name=words["hint"]))
    reader.page.evaluate("localStorage.clear()")
    read(reader, site)
    assert asking(reader).count() == 0

    editor = new_reader(language, house=newsroom, viewport={"width": 1280, "height": 900})
    editor.sign_in_by_link(EDITOR)
    editor.open(f"/staff/appeals/{came['appeal']}/numbers")
    assert faults_in_views(editor.page, f"{language} numbers of an appeal") == []
    row = editor.page.locator("tbody tr", has=editor.page.get_by_role("rowheader", name=came["variant"].upper()))
    assert "1" in row.inner_text().split()


@pytest.mark.parametrize("choice", ["already", "close"])
def test_who_does_not_want_to_be_asked_is_not_asked_again(newsroom, site, new_reader, choice):
    reader, before = new_reader(house=newsroom, user_agent=PERSON), told(newsroom)
    read(reader, site)
    asking(reader).get_by_role("button", name=WORDS["en"][choice]).click()
    if choice == "already":
        reader.page.locator("reader-appeal").get_by_text(WORDS["en"]["thanks"]).wait_for()
    else:
        asking(reader).wait_for(state="hidden")
    until(lambda: told(newsroom).get(choice, 0) == before.get(choice, 0) + 1, 30, "the choice was counted")
    read(reader, site)
    assert asking(reader).count() == 0
    known = json.loads(reader.page.evaluate("localStorage.getItem('reader-appeal')"))
    days = (known["patron" if choice == "already" else "quiet"] - known["seen"][0][0]) / DAY
    assert days == pytest.approx(90 if choice == "already" else 30, abs=0.01)


def test_a_reader_who_was_asked_today_reads_in_peace(newsroom, site, new_reader):
    reader = new_reader(house=newsroom)
    read(reader, site)
    asking(reader).wait_for()
    read(reader, site)
    assert asking(reader).count() == 0


def test_a_browser_that_cannot_remember_is_not_asked(newsroom, site, new_reader):
    reader = new_reader(house=newsroom)
    reader.page.add_init_script("Storage.prototype.setItem = () => { throw new DOMException('full') }")
    read(reader, site)
    assert asking(reader).count() == 0


def test_staff_see_an_appeal_come_what_may_and_are_not_counted(newsroom, site, new_reader):
    reader, said = new_reader(house=newsroom), []
    ((name,),) = newsroom.rows("SELECT public_id FROM appeals")
    reader.page.on("console", lambda message: said.extend(each.json_value() for each in message.args))
    reader.page.add_init_script(
        "localStorage.setItem('reader-appeal', JSON.stringify({ seed: 1, seen: [], quiet: 9e9, patron: 9e9 }))"
    )
    reader.paper = site
    reader.page.goto(f"{site}/article#reader-appeal={name}:b")
    asking(reader).wait_for()
    reader.page.locator("reader-corrections").scroll_into_view_if_needed()
    assert said[0] == "reader-appeal"
    assert said[1]["why"] == [[name, "patron"]]
    assert reader.page.evaluate("JSON.parse(localStorage.getItem('reader-appeal')).seen") == []
