"""Before a poll: members propose, the newsroom sorts it, patrons join, the editor opens two polls."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.sync_api import expect

from tests.journeys.crowd import all_at_once
from tests.journeys.demo import until
from tests.journeys.inspection import faults_in_views

PHONE = {"width": 360, "height": 640}
DESK = {"width": 1280, "height": 800}
KYIV = ZoneInfo("Europe/Kyiv")
DAYS_BEFORE = 20
# Of the demo's own topics: the draft that waits there is given these, the second poll the others.
FLOOD, TREES, STADIUM, DOCTOR = (
    "What became of the flood money",
    "Хто вирішує, де саджати дерева",
    "Who pays for the stadium",
    "How long people wait for the doctor",
)
FLATS, SCHOOL, RIVER, MARKET = (
    "Who owns the empty flats on Mill Lane",
    "What the new school will really cost",
    "How clean is the river below the port?",
    "Why the market hall stays closed",
)
FERRY = "Чому пором не ходить узимку"
COVERED = "SELECT count(*) FROM coverage_spans WHERE ends_at > ?"


def look(story, reader, name):
    """Inspect what somebody sees now. Where there is no JavaScript axe cannot run: a browser that has it shows it."""
    page = reader.page
    if not reader.has_scripts:
        page = story.twin.page
        html = reader.page.content()
        page.route(reader.page.url, lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8"))
        page.goto(reader.page.url)
        page.unroute_all()
    story.faults += faults_in_views(page, f"{reader.language} {name}")
    reader.page.set_viewport_size(DESK if reader is story.editor.reader else PHONE)


def members_propose(story):
    touch, plain = story.touch, story.plain
    touch.becomes_patron(touch.email)
    touch.sign_in_by_code(touch.email)
    touch.open("/topics")
    touch.press("a[href='/topics/propose']")
    touch.page.fill("#title", "What became of all the flood money?")
    expect(touch.page.locator("#similar a")).to_contain_text(FLOOD)  # while it is being typed
    touch.page.fill("#why", "The quay wall is a fence to this day.")
    look(story, touch, "propose, with what is similar")
    touch.press("main form button[type=submit]")
    look(story, touch, "near-duplicates")
    touch.press(touch.page.locator(".topic-list__item", has_text=FLOOD).locator("form button"))
    assert touch.heading == FLOOD
    look(story, touch, "topic, followed")
    assert story.house.rows("SELECT 1 FROM topics WHERE proposer_id IS NOT NULL") == []

    # A single gift covers a month, and that will be over before the poll is.
    plain.becomes_patron(plain.email, rhythm="once", cups=1)
    plain.sign_in_by_code(plain.email)
    for title, has_similar in ((TREES + " у місті", True), (FERRY, False)):
        plain.open("/topics/propose")
        plain.page.fill("#title", title)
        plain.page.fill("#why", "Про це питають усі, а відповіді немає.")
        plain.press("main form button[type=submit]")
        if has_similar:
            look(story, plain, "near-duplicates")
            plain.press("button[name=is_to_change]")
            expect(plain.page.locator("#title")).to_have_value(title)  # as it was typed
            plain.press("main form button[type=submit]")
            plain.press("main form:has(input[name=step]) button:not([name])")
        assert plain.heading == title
    look(story, plain, "own proposal")


def the_editor_sorts_it(story):
    editor = story.editor
    editor.signs_in()
    editor.reader.open("/staff")
    look(story, editor.reader, "desk")
    editor.reader.open("/staff/topics")
    waiting = editor.page.locator("section[aria-labelledby=proposed] .desk__item")
    expect(waiting.filter(has_text="у місті").locator("p.small")).to_contain_text(TREES)
    look(story, editor.reader, "desk, topics")
    editor.merges(TREES + " у місті", TREES)
    editor.shortlists(FERRY)
    look(story, editor.reader, "desk, topic on the shortlist")
    editor.declines("Where the dredging contracts have gone", "We published this last week; read the story.")
    story.plain.open("/topics/mine")
    story.plain.says(FERRY, "у місті")
    until(lambda: len(sent(story, "topics/stage")) == 1, what="the mail about the shortlist")
    assert [to for to, _ in sent(story, "topics/stage")] == [story.plain.email]
    until(
        lambda: [to for to, _ in sent(story, "topics/merged")] == [story.plain.email], what="the mail about the merge"
    )


def sent(story, kind):
    """To whom mails of a kind went, with the state of each ("sent", or "dropped" where it was no longer wanted)."""
    rows = story.house.rows("SELECT to_address, state FROM outbox_mails WHERE kind = ? ORDER BY to_address", kind)
    return rows if all(state in {"sent", "dropped"} for _, state in rows) else []


def patrons_join(story):
    """Twenty days later, so that the single gift of one voter runs out while the poll is open."""
    ((n_covered,),) = story.house.rows(COVERED, now(story))
    story.n_guests = n_covered - 2  # those of the demo: two readers paid on the way here
    story.house.advance(days=DAYS_BEFORE)
    for reader in (story.keys, story.blank, story.waverer):
        reader.becomes_patron(reader.email)
        reader.sign_in_by_code(reader.email)
    all_at_once(story.crowd, lambda member: member.becomes_patron())
    n_expected = story.n_guests + len(story.crowd) + 5
    until(lambda: story.house.rows(COVERED, now(story)) == [(n_expected,)], 240, what="everybody's coverage")
    all_at_once(story.crowd, lambda member: member.signs_in(story.mailbox))


def now(story):
    return str((datetime.now(UTC) + timedelta(days=DAYS_BEFORE)).replace(tzinfo=None))


def the_editor_opens_two_polls(story):
    editor, clock = story.editor, (datetime.now(UTC) + timedelta(days=DAYS_BEFORE)).astimezone(KYIV)
    dates = clock - timedelta(minutes=2), clock + timedelta(days=14)
    editor.reader.open("/staff/polls")
    look(story, editor.reader, "desk, polls")
    editor.reader.press(editor.page.get_by_role("link", name="What should we cover next?"))
    editor.reader.press("a[href$='/edit']")
    look(story, editor.reader, "desk, edit a poll")
    story.approval = editor.keeps_draft(
        *dates, {FLOOD, TREES, STADIUM, DOCTOR, FERRY}, publish="from", publish_from="20"
    )
    editor.reader.press("a[href$='/preview']")
    look(story, editor.reader, "preview of a draft")
    editor.reader.open("/staff/polls/new")
    words = {"title": "Which of the old questions first?", "intro": "Put in order what you would like to read."}
    story.ranking = editor.keeps_draft(
        *dates, {FLATS, SCHOOL, RIVER, MARKET}, rule="stv", max_ranks="3", n_seats="2", publish="never", **words
    )
    editor.reader.press("a[href$='/open']")
    look(story, editor.reader, "last look")
    for poll in (story.approval, story.ranking):
        editor.opens_poll(poll)
    look(story, editor.reader, "desk, open poll")
    members = sorted([reader.email for reader in voters(story)] + [member.email for member in story.crowd])
    twice = sorted([(email, "sent") for email in members] * 2)
    until(lambda: sent(story, "polls/opened") == twice, 60, "the mails about the opening")
    story.late.becomes_patron(story.late.email)
    story.late.sign_in_by_code(story.late.email)


def voters(story):
    return [story.touch, story.plain, story.keys, story.blank, story.waverer]
