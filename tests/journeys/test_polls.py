"""The whole way of a topic: proposed, shortlisted, on the ballot, chosen by forty members, counted, published."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import requests
from playwright.sync_api import expect

from tests.journeys import ballots
from tests.journeys.before_polls import (
    DAYS_BEFORE,
    DESK,
    DOCTOR,
    FERRY,
    FLATS,
    FLOOD,
    KYIV,
    MARKET,
    PHONE,
    RIVER,
    SCHOOL,
    STADIUM,
    TREES,
    look,
    members_propose,
    patrons_join,
    sent,
    the_editor_opens_two_polls,
    the_editor_sorts_it,
    voters,
)  # fmt: skip
from tests.journeys.crowd import Mailbox, Member, all_at_once, text_of
from tests.journeys.demo import until
from tests.journeys.evidence import check_files
from tests.journeys.newsroom import Editor

TICKED = [{FLOOD}] * 15 + [{TREES}] * 10 + [{STADIUM, FLOOD}] * 6 + [{DOCTOR}] * 4
RANKED = [(FLATS, RIVER)] * 12 + [(SCHOOL, FLATS, RIVER)] * 8
N_SILENT = 3


@pytest.fixture
def story(own_demo, new_reader, fresh_email):
    """Everybody in it, each on a phone; the editor sits at a desk."""

    def _person(language="en", **options):
        reader = new_reader(language, house=own_demo, viewport=PHONE, **options)
        reader.email = fresh_email()
        return reader

    editor = Editor(new_reader(house=own_demo, viewport=DESK))
    return SimpleNamespace(
        house=own_demo,
        mailbox=Mailbox(own_demo),
        editor=editor,
        touch=_person(has_touch=True, is_mobile=True),
        plain=_person("uk", has_scripts=False),
        keys=_person(),
        blank=_person(),
        waverer=_person("uk"),
        late=_person("uk"),
        twin=_person("uk"),
        crowd=[Member(own_demo, fresh_email("member")) for _ in range(len(TICKED) + N_SILENT)],
        receipts={},
        faults=[],
    )


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
    is_refused(story, story.late)
    for reader in voters(story)[:2]:
        reader.open("/polls")
        assert reader.page.locator(".tag--done").count() == 2


def is_refused(story, reader):
    """A ballot that no page offers, sent all the same with everything that a form would send."""
    reader.open(f"/polls/{story.approval}/receipt")
    token = reader.page.locator("input[name=csrf_token]").first.input_value()
    answer = reader.context.request.post(
        f"{story.house.site}/polls/{story.approval}/ballot",
        form={"csrf_token": token, "choice": "0"},
        headers={"Origin": story.house.site},
    )
    assert answer.status == 403
    assert 'role="alert"' in answer.text()


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
    quiet = [member.email for member in story.crowd[len(TICKED) :]]
    not_ranked = [member.email for member in story.crowd[len(RANKED) :]] + [story.blank.email, story.waverer.email]
    wanted = sorted([(email, "sent") for email in quiet + not_ranked])
    with story.house.sweeping():
        until(lambda: sent(story, "polls/closing") == wanted, 60, "the reminders")
    plain = story.plain
    plain.open(f"/polls/{story.approval}")
    assert plain.page.locator("#ballot").count() == 0
    look(story, plain, "poll of somebody whose membership ended")
    is_refused(story, plain)


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
        "touch": "Topics on it that were chosen: 1 of 2.",
        "waverer": "Topics on it that were chosen: 2 of 2.",
        "blank": "It was blank",
        "given up": "We do not know this receipt",
    }.items():
        story.blank.open(result)
        story.blank.page.fill("#receipt", story.receipts[who])
        story.blank.press(".influence button")
        story.blank.says(words)
    story.touch.open(result)
    check_files(story.house, story.approval, story.touch.page.locator("code", has_text="membership count").inner_text())


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
