"""The whole way of a topic: proposed, shortlisted, on the ballot, chosen by forty members, counted, published."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
import requests
from playwright.sync_api import expect

from tests.journeys import ballots
from tests.journeys.crowd import Mailbox, Member, all_at_once, text_of
from tests.journeys.demo import Demo, until
from tests.journeys.inspection import faults_in_views
from tests.journeys.newsroom import Editor

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
TICKED = [{FLOOD}] * 15 + [{TREES}] * 10 + [{STADIUM, FLOOD}] * 6 + [{DOCTOR}] * 4
RANKED = [(FLATS, RIVER)] * 12 + [(SCHOOL, FLATS, RIVER)] * 8
N_SILENT = 3


@pytest.fixture
def house(tmp_path):
    """A demo of its own: a newsroom as it is on the first day, whose clock nobody else moves."""
    house = Demo(tmp_path, RATE_LIMITS="false")
    try:
        house.wait()
        yield house
        house.check_books()
    finally:
        house.end()


@pytest.fixture
def story(house, new_reader, fresh_email):
    """Everybody in it, each on a phone; the editor sits at a desk."""

    def _person(language="en", **options):
        reader = new_reader(language, house=house, viewport=PHONE, **options)
        reader.email = fresh_email()
        return reader

    editor = Editor(new_reader(house=house, viewport=DESK))
    return SimpleNamespace(
        house=house,
        mailbox=Mailbox(house),
        editor=editor,
        touch=_person(has_touch=True, is_mobile=True),
        plain=_person("uk", has_scripts=False),
        keys=_person(),
        blank=_person(),
        waverer=_person("uk"),
        late=_person("uk"),
        twin=_person("uk"),
        crowd=[Member(house, fresh_email("member")) for _ in range(len(TICKED) + N_SILENT)],
        receipts={},
        faults=[],
    )


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


@pytest.mark.timeout(600)
def test_members_choose_and_see_what_became_of_it(story):
    members_propose(story)
    the_editor_sorts_it(story)
    patrons_join(story)
    the_editor_opens_two_polls(story)
    forty_vote(story)
    nothing_tells_how_it_stands(story)
    who_has_not_voted_is_reminded(story)
    the_polls_close(story)
    the_result_is_explained(story)
    the_story_is_published(story)
    the_promise_is_kept_in_public(story)
    assert story.faults == []


# --- before the poll --------------------------------------------------------------------------------------------


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
            plain.press("form[action='/topics/propose'] button[type=submit]")
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
    story.house.advance(days=DAYS_BEFORE)
    for reader in (story.keys, story.blank, story.waverer):
        reader.becomes_patron(reader.email)
        reader.sign_in_by_code(reader.email)
    all_at_once(story.crowd, lambda member: member.becomes_patron())
    n_expected = len(story.crowd) + 5
    until(lambda: len(story.house.rows("SELECT 1 FROM coverage_spans WHERE ends_at > ?", now(story))) == n_expected, 60)
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


# --- the vote ---------------------------------------------------------------------------------------------------


def forty_vote(story):
    approval, ranking, receipts = f"/polls/{story.approval}", f"/polls/{story.ranking}", story.receipts
    position = {
        option["title"]: option["position"]
        for poll in (approval, ranking)
        for option in requests.get(f"{story.house.site}{poll}.json", timeout=60).json()["options"]
    }
    quiet = story.crowd[len(TICKED) :]
    choices = dict(zip(story.crowd, TICKED, strict=False))
    rankings = dict(zip(story.crowd, RANKED, strict=False))
    all_at_once(choices, lambda one: one.votes(story.approval, chosen=[position[title] for title in choices[one]]))
    all_at_once(rankings, lambda one: one.votes(story.ranking, order=[position[title] for title in rankings[one]]))
    assert not set(quiet) & set(choices)

    for reader in voters(story):
        reader.open("/polls")
        assert reader.page.locator(".tag--todo").count() == 2
    story.touch.open(approval)
    look(story, story.touch, "ballot to tick")
    receipts["touch"] = ballots.taps(story.touch, FLOOD, DOCTOR)
    look(story, story.touch, "ballot saved")
    story.touch.open(ranking)
    look(story, story.touch, "ballot to rank")
    ballots.ranks(story.touch, FLATS, MARKET, RIVER)

    keyboard = ballots.Keyboard(story.keys)
    story.keys.open(approval)
    keyboard.ticks([FLOOD])
    story.keys.open(ranking)
    keyboard.ranks(SCHOOL, RIVER)

    story.plain.open(approval)
    look(story, story.plain, "ballot to tick")
    receipts["plain"] = ballots.ticks(story.plain, TREES, FERRY)
    story.plain.open(ranking)
    ballots.ranks(story.plain, RIVER, SCHOOL)
    story.plain.open(ranking)
    assert ballots.order_of(story.plain.page) == [RIVER, SCHOOL]
    look(story, story.plain, "ballot to rank, saved")

    story.blank.open(approval)
    story.blank.press(ballots.SAVE)
    assert story.blank.arrived_with == 422
    look(story, story.blank, "ballot with nothing chosen")
    story.blank.press("#blank form button")
    receipts["blank"] = ballots.receipt_on(story.blank)

    story.waverer.open(approval)
    receipts["given up"] = ballots.ticks(story.waverer, STADIUM)
    story.waverer.open(approval)
    expect(story.waverer.page.locator(".option__input:checked")).to_have_count(1)
    receipts["waverer"] = ballots.ticks(story.waverer, TREES, FLOOD)

    story.late.open(approval)
    assert story.late.page.locator("#ballot").count() == 0
    look(story, story.late, "poll of others")
    outsider = story.crowd[0]
    sent_in = outsider.http.post(  # what no page offers: a ballot of somebody who is not on the roll
        story.house.site + approval + "/ballot", data={"choice": "0"}, headers={"Cookie": cookies_of(story.late)}
    )
    assert sent_in.status_code in {400, 403}
    for reader in voters(story)[:2]:
        reader.open("/polls")
        assert reader.page.locator(".tag--done").count() == 2


def cookies_of(reader):
    return "; ".join(f"{one['name']}={one['value']}" for one in reader.context.cookies())


def nothing_tells_how_it_stands(story):
    """Everybody sees how many have voted; no page or file has a number that depends on a choice."""
    n_roll = len(story.crowd) + len(voters(story))
    until(lambda: facts_of(story)["chain"]["seq"] == 41, what="the links of forty ballots and one change")
    facts = facts_of(story)
    assert (facts["voted"], facts["on_roll"]) == (40, n_roll)
    story.late.open(f"/polls/{story.approval}")
    expect(story.late.page.locator(".turnout__bar")).to_have_attribute("value", "40")
    story.editor.reader.open(f"/staff/polls/{story.approval}")
    story.editor.reader.says(f"40 of {n_roll} members have voted.", "How the topics stand cannot be seen by anybody")
    look(story, story.editor.reader, "desk, poll with votes")
    for name in ("count.json", "ballots.json", "receipts.txt"):
        assert requests.get(f"{story.house.site}/polls/{story.approval}/{name}", timeout=60).status_code == 404
    evidence = requests.get(f"{story.house.site}/polls/{story.approval}/evidence.json", timeout=60).json()
    assert [name for name in ("ballots", "receipts") if evidence.get(name)] == []
    story.touch.open(f"/polls/{story.approval}/receipt")
    story.touch.page.fill("#receipt", story.receipts["touch"])
    story.touch.press("main form button[type=submit]")
    story.touch.says("Recorded")
    look(story, story.touch, "receipt, recorded")


def facts_of(story):
    return requests.get(f"{story.house.site}/polls/{story.approval}.json", timeout=60).json()


def who_has_not_voted_is_reminded(story):
    """Two days before the end; the membership of one voter is over by then, their ballot stays."""
    story.house.advance(seconds=(12 * 24 + 1) * 3600)
    story.house.sweep()
    quiet = [member.email for member in story.crowd[len(TICKED) :]]
    not_ranked = [member.email for member in story.crowd[len(RANKED) :]] + [story.blank.email, story.waverer.email]
    wanted = sorted([(email, "sent") for email in quiet + not_ranked])
    until(lambda: sent(story, "polls/closing") == wanted, 60, "the reminders")
    plain = story.plain
    plain.open(f"/polls/{story.approval}")
    assert plain.page.locator("#ballot").count() == 0
    look(story, plain, "poll of somebody whose membership ended")


# --- afterwards -------------------------------------------------------------------------------------------------


def the_polls_close(story):
    story.house.advance(days=2)
    polls = (story.approval, story.ranking)
    closed = "SELECT 1 FROM polls WHERE state = 'closed' AND wiped_at IS NOT NULL AND public_id IN (?, ?)"
    until(lambda: len(story.house.rows(closed, *polls)) == 2, 60, "the close")
    n_roll = len(story.crowd) + len(voters(story))
    until(lambda: len(sent(story, "polls/results")) == 2 * n_roll, 60, "the mails about the results")
    assert len(set(sent(story, "polls/results"))) == n_roll
    for member in (story.crowd[0], story.crowd[-1]):
        (mail,) = story.mailbox.mails(member.email, "The result: What should we cover next?")
        assert f"* {FLOOD}\n* {TREES}\n" in text_of(mail)


def the_result_is_explained(story):
    result, ranking = f"/polls/{story.approval}", f"/polls/{story.ranking}"
    for reader in (story.touch, story.waverer):
        reader.open(result)
        assert reader.page.locator(".winners__title").all_inner_texts() == [FLOOD, TREES]
        assert reader.page.locator("#count ~ .rounds > li, .rounds > li").count() == 2
        assert reader.page.locator("svg[role=img]").count() >= 1
        look(story, reader, "result, fair shares")
        reader.open(ranking)
        assert reader.page.locator(".winners__title").all_inner_texts() == [FLATS, SCHOOL]
        look(story, reader, "result, ranking")
    for who, words in {
        "touch": "1 of the 2 topics on it",
        "waverer": "2 of the 2 topics on it",
        "blank": "It was blank",
        "given up": "We do not know this receipt",
    }.items():
        story.blank.open(result)
        story.blank.page.fill("#receipt", story.receipts[who])
        story.blank.press(".influence button")
        story.blank.says(words)
    checks_out(story)


def checks_out(story):
    """The published files agree with each other, by our command and by the checking program, which shares no code."""
    site, place = f"{story.house.site}/polls/{story.approval}", story.house.folder
    for name in ("evidence.json", "ballots.json", "count.json"):
        (place / name).write_bytes(requests.get(f"{site}/{name}", timeout=60).content)
    (place / "verify.py").write_bytes(requests.get(f"{story.house.site}/polls/verify.py", timeout=60).content)
    checked = subprocess.run(
        [sys.executable, "-I", "verify.py", "evidence.json"],
        cwd=place, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr
    story.touch.open(f"/polls/{story.approval}")
    command = story.touch.page.locator("code", has_text="membership count").inner_text().split()
    counted = subprocess.run(
        [sys.executable, "-m", "membership.cli", *command[1:]],
        cwd=place, env=story.house.environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert json.loads(counted.stdout) == json.loads((place / "count.json").read_text()), counted.stderr


def the_story_is_published(story):
    """Who follows a topic and voted as well is told once; one click stops it."""
    clock = (datetime.now(UTC) + timedelta(days=DAYS_BEFORE + 14)).astimezone(KYIV)
    editor = story.editor
    for title in (FLOOD, TREES):
        editor.assigns(title, clock + timedelta(days=30))
    editor.publishes(FLOOD, f"{story.house.site}/demo/article", "Where twelve million went")
    look(story, editor.reader, "desk, topic published")
    told = sorted([reader.email for reader in voters(story)] + [member.email for member in story.crowd[: len(TICKED)]])
    subject = f"The story is out: {FLOOD}"
    english = [email for email in told if email not in {story.plain.email, story.waverer.email}]
    until(lambda: story.mailbox.readers_of(subject)[len(english) - 1 :], 60, "the mails about the story")
    until(lambda: not story.house.rows("SELECT 1 FROM outbox_mails WHERE state IN ('waiting', 'sending')"), 60)
    assert [to for to in story.mailbox.readers_of(subject) if to in english] == english
    assert set(story.mailbox.readers_of(subject)) <= set(told)

    (mail,) = story.mailbox.mails(story.crowd[0].email, subject)
    stop = mail["List-Unsubscribe"].strip("<>")
    assert requests.post(stop, data={"List-Unsubscribe": "One-Click"}, timeout=60).status_code == 200
    story.touch.open_mail(story.touch.email, subject)
    story.touch.press(".mail-text a[href*='/mail/stop/']")
    look(story, story.touch, "stop, asked")
    story.touch.press("main form button")
    look(story, story.touch, "stop, done")
    editor.tells(FLOOD, "The ministry has answered; we have added it to the story.")
    subject = f"How it goes: {FLOOD}"
    stopped = {story.crowd[0].email, story.touch.email}
    still = [email for email in english if email not in stopped]
    until(lambda: story.mailbox.readers_of(subject)[len(still) - 1 :], 60, "the mails about the update")
    assert [to for to in story.mailbox.readers_of(subject) if to in english] == still


def the_promise_is_kept_in_public(story):
    for reader in (story.touch, story.late):
        reader.open("/stories")
        reader.says("Where twelve million went", FLOOD)
        look(story, reader, "stories")
        reader.open("/promise")
        shown = reader.page.locator(".numbers__value").all_inner_texts()
        # Two of six: one of two in the demo's past, one of the four that these polls chose.
        assert shown[0].replace("\u00a0", "") in {"33%", "33 %"}, shown
        reader.says(TREES)
        look(story, reader, "promise")
    story.house.advance(days=31)
    story.touch.open("/promise")
    expect(story.touch.page.locator("section[aria-labelledby=overdue]")).to_contain_text(TREES)
    look(story, story.touch, "promise, overdue")
    story.touch.open("/topics")
    look(story, story.touch, "topics")
