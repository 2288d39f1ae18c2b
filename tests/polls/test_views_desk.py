"""The desk of polls: who may do what, building and opening a poll, and how little it shows before the close."""

import re
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from membership.db import db
from membership.polls import queries
from membership.polls.models import Poll, RollEntry, Skip
from tests.factories.people import any_token, make_staff, sign_in
from tests.factories.polls import (
    CLOSES,
    NOW,
    cast_ballot,
    close_poll,
    make_draft,
    make_patron,
    make_patrons,
    make_poll,
    make_topics,
)
from tests.journeys.inspection import faults_of

RUNNERS, LOOKERS = ("owner", "editor"), ("finance", "viewer")


@pytest.fixture(autouse=True)
def _at_opening():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def editor(app, client):
    make_staff("editor@example.org", "editor")
    sign_in(client, "editor@example.org")
    return client


def read(client, path, status=200):
    answer = client.get(path)
    assert answer.status_code == status, path
    text = answer.get_data(as_text=True)
    assert faults_of(text, {name.lower(): value for name, value in answer.headers.items()}) == []
    return re.sub(r"\s+", " ", text)


def send(client, path, **fields):
    return client.post(path, data={"csrf_token": any_token(client)} | fields)


def typed(topic_ids, **changes):
    """What a browser sends of the form; 14:00 in Kyiv is noon in UTC."""
    return {
        "title": "What shall we look into this winter?",
        "intro": "Tick every topic that you would like to read about.",
        "locale": "en",
        "topic_ids": [str(topic_id) for topic_id in topic_ids],
        "rule": "spav",
        "n_seats": "2",
        "max_ranks": "5",
        "budget_hours": "",
        "opens_at": "2026-11-20T14:00",
        "closes_at": "2026-11-27T14:00",
        "eligibility": "paid",
        "joined_before": "",
        "publish": "from",
        "publish_from": "500",
    } | changes


def the_poll():
    return db.session.scalar(select(Poll).order_by(Poll.id.desc()).limit(1))


def doors(draft, poll, closed):
    """Every page of the desk: (address, whether it belongs to those who run polls)."""
    d, p, c = (f"/staff/polls/{each.public_id}" for each in (draft, poll, closed))
    winner = queries.winners_now(closed)[0]
    return [
        ("/staff/polls", False),
        (d, False),
        (p, False),
        (c, False),
        (f"{d}/preview", False),
        ("/staff/polls/new", True),
        (f"{d}/edit", True),
        (f"{d}/open", True),
        (f"{p}/cancel", True),
        (f"{c}/skip/{winner}", True),
    ]


@pytest.fixture
def three(app):
    """A draft, an open poll with ballots, and one that was counted."""
    voters = make_patrons(7)
    closed = make_poll(opens_at=NOW - timedelta(days=9), closes_at=NOW + timedelta(minutes=1))
    for person_id in voters:
        cast_ballot(closed, person_id, [0, 1])
    closed = close_poll(closed, NOW + timedelta(minutes=1))
    poll = make_poll()
    for person_id in voters[:6]:
        cast_ballot(poll, person_id, [2])
    return make_draft(), poll, closed


@pytest.mark.parametrize("role", [*RUNNERS, *LOOKERS])
def test_every_role_sees_what_is_theirs_and_only_two_may_act(client, three, role):
    make_staff("somebody@example.org", role)
    sign_in(client, "somebody@example.org")
    for path, is_for_runners in doors(*three):
        if is_for_runners and role in LOOKERS:
            assert client.get(path).status_code == 403, path
            assert send(client, path).status_code == 403, path
        else:
            read(client, path)


def test_members_and_visitors_see_no_desk(client, three):
    for path, _ in doors(*three):
        assert client.get(path).status_code == 303, path
        assert send(client, path).status_code in {403, 405}, path
    make_patron()
    sign_in(client)
    for path, _ in doors(*three):
        assert client.get(path).status_code == 403, path


def test_nothing_on_the_desk_changes_without_a_form_token(editor, three):
    for path, is_for_runners in doors(*three):
        if is_for_runners or path.endswith("preview"):
            assert editor.post(path, data={"reason": "x"}).status_code in {400, 403}, path


def test_the_desk_shows_turnout_and_nothing_of_the_choices(editor, three):
    _draft, poll, _closed = three
    paths = ("/staff/polls", f"/staff/polls/{poll.public_id}", f"/staff/polls/{poll.public_id}/cancel")
    before = [read(editor, path) for path in paths]
    assert "6 of 7 members have voted" in before[1]
    voters = select(RollEntry.person_id).where(RollEntry.poll_id == poll.id, RollEntry.has_voted)
    for person_id in db.session.scalars(voters).all():
        cast_ballot(poll, person_id, [0, 1])
    after = [read(editor, path) for path in paths]
    assert [without_tokens(text) for text in after] == [without_tokens(text) for text in before]


def without_tokens(text):
    return re.sub(r'value="[^"]{60,}"', "", text)


# Building ----------------------------------------------------------------------------------------------


def test_a_draft_is_made_of_what_was_typed(editor):
    topics = make_topics(4)
    answer = send(editor, "/staff/polls/new", **typed(topics))
    poll = the_poll()
    assert (answer.status_code, answer.location) == (303, f"/staff/polls/{poll.public_id}")
    assert (poll.state, poll.rule, poll.n_seats, poll.publish_from) == ("draft", "spav", 2, 500)
    assert (poll.opens_at, poll.closes_at, poll.joined_before) == (NOW, CLOSES, NOW)
    assert sorted(option.topic_id for option in queries.options_of(poll.id)) == sorted(topics)
    assert "The draft is saved" in read(editor, answer.location)


def test_a_draft_comes_back_into_the_form_as_it_was(editor):
    topics = make_topics(3)
    send(editor, "/staff/polls/new", **typed(topics, rule="equal-shares", budget_hours="40", publish="never"))
    path = f"/staff/polls/{the_poll().public_id}/edit"
    text = read(editor, path)
    for shown in ('value="2026-11-20T14:00"', 'value="2026-11-27T14:00"', 'value="40"', 'value="equal-shares"'):
        assert shown in text
    assert len(re.findall(r'name="topic_ids" value="\d+" checked', text)) == 3
    assert send(editor, path, **typed(topics[:2], title="A better question")).status_code == 303
    assert (the_poll().title, the_poll().rule, the_poll().budget_hours) == ("A better question", "spav", None)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"title": ""}, "Please type the question"),
        ({"title": "ab"}, "3 to 120"),
        ({"topic_ids": []}, "from 2 to 30 topics"),
        ({"n_seats": "9"}, "not more than stand on the ballot"),
        ({"n_seats": "0"}, "At least one topic"),
        ({"rule": "stv", "max_ranks": "11"}, "from 3 to 10 places"),
        ({"rule": "equal-shares"}, "how many hours there are"),
        ({"closes_at": "2026-11-20T13:00"}, "must be after the opening"),
        ({"opens_at": "2026-03-29T03:30"}, "the clocks skip that hour"),
        ({"opens_at": "0001-01-01T00:00"}, "field__error"),
        ({"opens_at": "soon"}, "field__error"),
        ({"rule": "equal-shares", "budget_hours": str(10**30)}, "field__error"),
        ({"publish_from": str(10**30)}, "from 5 on"),
        ({"publish_from": "4"}, "from 5 on"),
        ({"rule": "borda"}, "field__error"),
        ({"topic_ids": ["999999", "1"]}, "field__error"),
    ],
)
def test_a_mistake_stands_beside_its_field_and_nothing_that_was_typed_is_lost(editor, change, words):
    topics = make_topics(3)
    answer = send(editor, "/staff/polls/new", **(typed(topics) | {"intro": "Kept words."} | change))
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert words in text
    assert "Kept words." in text
    assert the_poll() is None


def test_a_field_that_the_form_does_not_have_is_refused(editor):
    assert send(editor, "/staff/polls/new", **typed(make_topics(2), state="open")).status_code == 400


def test_without_topics_the_form_says_where_they_come_from(editor):
    assert "No topic is on the shortlist" in read(editor, "/staff/polls/new")


def test_the_preview_is_the_voters_page_and_saves_nothing(editor):
    draft = make_draft(rule="stv", n_options=5)
    path = f"/staff/polls/{draft.public_id}/preview"
    assert "This is how a voter sees the poll" in read(editor, path)
    answer = send(editor, path, order="3,0", move="up-0")
    assert 'name="order" value="0,3"' in answer.get_data(as_text=True)
    assert send(editor, path, order="0,3").status_code == 200
    assert the_poll().state == "draft"


# Opening, cancelling, passing over ---------------------------------------------------------------------


def test_the_last_look_shows_everything_and_opens(editor):
    make_patron()
    draft = make_draft()
    path = f"/staff/polls/{draft.public_id}/open"
    text = read(editor, path)
    assert "1 member would be on the roll now" in text
    assert all(option.title in text for option in queries.options_of(draft.id))
    assert send(editor, path).status_code == 303
    assert the_poll().state == "open"
    assert send(editor, path).status_code == 409


def test_nobody_on_the_roll_is_said_before_anything_is_fixed(editor):
    draft = make_draft()
    answer = send(editor, f"/staff/polls/{draft.public_id}/open")
    assert answer.status_code == 409
    assert "Nobody would be on the roll" in answer.get_data(as_text=True)
    assert the_poll().state == "draft"


def test_the_size_of_the_roll_is_that_of_the_poll_that_is_opened(editor):
    make_patrons(9)
    make_patron("late@example.org", paid_at=NOW - timedelta(days=2))
    draft = make_draft(joined_before=NOW - timedelta(days=10))
    assert "9 members would be on the roll" in read(editor, f"/staff/polls/{draft.public_id}")
    send(editor, f"/staff/polls/{draft.public_id}/open")
    assert the_poll().n_roll == 9


def test_an_open_poll_cannot_be_edited(editor):
    make_patron()
    poll = make_poll()
    for page in ("edit", "open", "preview"):
        assert editor.get(f"/staff/polls/{poll.public_id}/{page}").status_code == 409
    assert send(editor, f"/staff/polls/{poll.public_id}/edit", **typed([])).status_code == 409


def test_cancelling_asks_for_a_reason_that_readers_see(editor):
    make_patron()
    poll = make_poll()
    path = f"/staff/polls/{poll.public_id}/cancel"
    assert "destroyed at once" in read(editor, path)
    assert send(editor, path, reason="").status_code == 422
    assert send(editor, path, reason="x" * 501).status_code == 422
    assert the_poll().state == "open"
    assert send(editor, path, reason="Two topics were the same.").status_code == 303
    assert (the_poll().state, the_poll().cancel_reason) == ("cancelled", "Two topics were the same.")


def test_who_moves_up_is_shown_before_a_winner_is_passed_over(editor, three):
    closed = three[2]
    options = queries.options_of(closed.id)
    winners = queries.winners_now(closed)
    path = f"/staff/polls/{closed.public_id}/skip/{winners[0]}"
    shown = read(editor, path)
    assert send(editor, path, reason=" ").status_code == 422
    assert send(editor, path, reason="Another newsroom published it last week.").status_code == 303
    moved_up = db.session.scalar(select(Skip)).moved_up_id
    up = next(option for option in options if option.topic_id == moved_up)
    assert up.title in shown
    assert queries.winners_now(closed) == [winners[1], up.position]
    text = read(editor, f"/staff/polls/{closed.public_id}")
    assert "Another newsroom published it last week." in text
    assert editor.get(path).status_code == 404


@pytest.mark.parametrize("position", ["99", "3"])
def test_only_winners_are_passed_over(editor, three, position):
    assert editor.get(f"/staff/polls/{three[2].public_id}/skip/{position}").status_code == 404
