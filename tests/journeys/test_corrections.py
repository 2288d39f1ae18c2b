"""A reader on a phone reports a mistake, an editor corrects it, the log shows it, and the reader is thanked."""

import http.server
import json
import threading

import pytest

from membership.front.seed import EDITOR
from tests.journeys.demo import Demo, until
from tests.journeys.inspection import faults_in_views

WRONG, RIGHT = "at a quarter to six", "at ten to six"
THANKS = {"en": "Corrected, thanks to you", "uk": "Виправлено завдяки вам"}


class Story:
    """The reader, the editor, and what was wrong with the pages that they saw."""

    def __init__(self, new_reader, house, language, *, has_scripts):
        self.faults, self.language, self.house = [], language, house
        self.reader = new_reader(language, house=house, has_scripts=has_scripts)
        self.editor = new_reader(language, house=house, viewport={"width": 1280, "height": 800})

    def look(self, who, name) -> None:
        if who.has_scripts:  # axe is one
            self.faults += faults_in_views(who.page, f"{self.language} corrections {name}")


def reports(story, email) -> None:
    reader, page = story.reader, story.reader.page
    reader.open(f"/corrections/report?article={story.house.site}/demo/article%23main")
    assert page.input_value("#article") == f"{story.house.site}/demo/article"
    story.look(reader, "form")
    reader.press("main form button")
    story.look(reader, "form with mistakes")
    page.fill("#quote", WRONG)
    page.fill("#context", f"The first ferry is full {WRONG}, and it is not leaving.")
    page.fill("#note", "The timetable says 5.50, since the change in autumn.")
    page.fill("#email", email)
    reader.press("main form button")
    assert "/corrections/thanks" in page.url
    story.look(reader, "thanks")
    reader.press("main .button")
    assert page.url.endswith("/demo/article")


def corrects(story) -> None:
    editor, page = story.editor, story.editor.page
    editor.sign_in_by_code(EDITOR)
    editor.open("/staff/corrections")
    story.look(editor, "queue")
    editor.press(page.locator(".desk__item", has_text=WRONG).get_by_role("link"))
    story.look(editor, "passage")
    editor.press("form[action$='/take'] button")
    page.locator("form[action$='/fix'] [name=after]").fill(WRONG)
    editor.press("form[action$='/fix'] button[type=submit]")
    story.look(editor, "passage with a mistake")
    page.locator("form[action$='/fix'] [name=after]").fill(RIGHT)
    page.locator("form[action$='/fix'] [name=reply]").fill("You know the harbour better than we do.")
    editor.press("form[action$='/fix'] button[type=submit]")
    editor.says(WRONG, RIGHT, "You know the harbour better than we do.")
    story.look(editor, "passage corrected")


@pytest.mark.parametrize(
    ("language", "has_scripts"), [("en", True), ("uk", True), ("en", False)], ids=["en", "uk", "no_scripts"]
)
def test_a_mistake_that_a_reader_sees_on_a_phone_is_corrected_in_public(
    own_demo, new_reader, email, language, has_scripts
):
    story = Story(new_reader, own_demo, language, has_scripts=has_scripts)
    reports(story, email)
    corrects(story)
    story.reader.open("/corrections")
    story.reader.says(WRONG, RIGHT)
    story.look(story.reader, "log")
    story.reader.open_mail(email, THANKS[language])
    words = story.reader.page.locator(".mail-text").inner_text()
    assert RIGHT in words
    assert "You know the harbour better than we do." in words
    told = "SELECT told_event_id FROM correction_reports WHERE email = ?"
    until(lambda: own_demo.rows(told, email)[0][0], what="the mail")
    mails = own_demo.rows(
        "SELECT COUNT(*) FROM outbox_mails WHERE kind = 'corrections/answered' AND to_address = ?", email
    )
    assert mails == [(1,)]
    assert story.faults == []


def test_what_else_becomes_of_a_report_is_shown_in_order(own_demo, new_reader):
    story = Story(new_reader, own_demo, "en", has_scripts=True)
    editor, page = story.editor, story.editor.page
    editor.sign_in_by_code(EDITOR)
    editor.open("/staff/corrections")
    editor.press(page.locator(".desk__item", has_text="2 reports").get_by_role("link"))
    page.locator("summary", has_text="It is the same as another report").click()
    story.look(editor, "several reports")
    editor.press(page.get_by_role("button", name="It is about something else").last)
    editor.press("a[href^='/staff/corrections?state=']")
    editor.press(page.locator(".desk__item").first.get_by_role("link"))
    page.locator("summary", has_text="It is the same as another report").click()
    editor.press(page.get_by_role("button", name="The same as this one").first)
    story.look(editor, "duplicate")
    editor.press(page.get_by_role("link", name="Open that one"))
    story.look(editor, "with a duplicate")
    for state in ("new", "fixed", "declined", "duplicate", "spam"):
        editor.open(f"/staff/corrections?state={state}")
        story.look(editor, f"queue of {state}")
    editor.open("/staff/dashboard/corrections")
    story.look(editor, "metric")
    assert story.faults == []


# The newsroom's own site, on another origin -------------------------------------------------------------

SCRIPT = "<img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}"
SEND = """async ([url, kind, mode, body]) => {
  try {
    const answer = await fetch(url, { method: "POST", mode, headers: { "Content-Type": kind }, body });
    return mode === "no-cors" ? answer.type : [answer.status, await answer.json()];
  } catch (error) {
    return error.name;
  }
}"""


class Article(http.server.BaseHTTPRequestHandler):
    """The newsroom's site: one page, whatever is asked for."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"<!DOCTYPE html><html lang=en><title>Article</title><p>A figure is wrong.</p></html>")

    def log_message(self, *_args):
        """Say nothing."""


@pytest.fixture
def site():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Article)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def house(site, tmp_path):
    demo = Demo(tmp_path, RATE_LIMITS="false", SITE_ORIGINS=f"http://{site}")
    try:
        demo.wait()
        yield demo
    finally:
        demo.end()


def n_reports(house) -> int:
    return house.rows("SELECT COUNT(*) FROM correction_reports")[0][0]


def test_a_page_of_the_newsroom_may_send_and_no_other_page_may(chromium, house, site, new_reader):
    context, before = chromium.new_context(), n_reports(house)
    page = context.new_page()
    report = {"article": f"http://{site}/a", "quote": SCRIPT, "prefix": SCRIPT, "suffix": SCRIPT, "note": SCRIPT}
    url, body = f"{house.site}/embed/corrections", json.dumps(report)
    page.goto(f"http://{site}/a")
    assert page.evaluate(SEND, [url, "application/json", "cors", body]) == [201, {"is_taken": True}]
    status, answer = page.evaluate(
        SEND, [url, "text/plain", "cors", json.dumps(report | {"article": house.site + "/x"})]
    )
    assert (status, list(answer)) == (201, ["is_taken"])  # the demo's own article is one of its site's
    status, answer = page.evaluate(
        SEND, [url, "application/json", "cors", json.dumps({"article": "https://evil.example"})]
    )
    assert (status, answer["error"]["code"]) == (422, "article_elsewhere")
    assert n_reports(house) == before + 2
    # The same machine under another name is another origin; and so is a page in a frame that has none.
    page.goto(f"http://localhost:{site.partition(':')[2]}/a")
    frame = "<iframe sandbox=allow-scripts srcdoc='<p>x</p>'></iframe>"
    page.evaluate("frame => document.body.insertAdjacentHTML('beforeend', frame)", frame)
    page.locator("iframe").element_handle().content_frame().wait_for_load_state()
    for stranger in page.frames:
        assert stranger.evaluate(SEND, [url, "application/json", "cors", body]) == "TypeError"
        assert stranger.evaluate(SEND, [url, "text/plain", "cors", body]) == "TypeError"
        assert stranger.evaluate(SEND, [url, "text/plain", "no-cors", body]) == "opaque"
    context.close()
    assert n_reports(house) == before + 2
    _staff_see_it_as_it_was_typed(new_reader("en", house=house))


def _staff_see_it_as_it_was_typed(editor) -> None:
    """Nothing of it runs: a dialog would open, or the browser would complain of our policy, which a reader hears."""
    dialogs = []
    editor.page.on("dialog", lambda dialog: dialogs.append(dialog.message) or dialog.dismiss())
    editor.sign_in_by_code(EDITOR)
    editor.open("/staff/corrections")
    editor.says(SCRIPT)
    editor.press(editor.page.locator(".desk__item", has_text="onerror").first.get_by_role("link"))
    editor.says(SCRIPT)
    editor.page.locator("form[action$='/fix'] [name=after]").fill(SCRIPT + ".")
    editor.page.locator("form[action$='/fix'] [name=headline]").fill(SCRIPT)
    editor.press("form[action$='/fix'] button[type=submit]")
    editor.open("/corrections")
    editor.says(SCRIPT)
    assert dialogs == []
