"""The mails about topics: what each stage says, that undone steps are not told, and that one click stops them."""

import re
from datetime import date

import pytest
from sqlalchemy import select

from membership.db import db
from membership.kernel import clock
from membership.mail import letters
from membership.mail.catalogue import find_entry
from membership.mail.models import OutboxMail
from membership.topics import emails, queries, services
from membership.wiring import JOBS, STOPPERS
from tests.factories.topics import STORY, TITLE, make_topic, make_topic_at

KINDS = {"topics/stage": emails.stage, "topics/update": emails.update, "topics/merged": emails.merged}


def letters_after(person):
    """What lies in the outbox for a person, as (kind, letter) in order; letters that are not wanted are None."""
    JOBS["mail.spread"].function(clock.now())
    rows = db.session.scalars(select(OutboxMail).where(OutboxMail.to_address == person.email).order_by(OutboxMail.id))
    return [(row.kind, _written(row)) for row in rows]


def _written(row):
    context = KINDS[row.kind](row.args, clock.now())
    return None if context is None else letters.write(find_entry(row.kind), context, "en")


def last_letter(person):
    return letters_after(person)[-1][1]


def test_a_follower_hears_of_each_stage_once_and_each_says_its_own(app, editor, crowd):
    topic = make_topic(proposer=crowd[0])
    services.shortlist(topic.id, editor.id)
    services.put_on_ballot(topic.id, 1, clock.now())
    services.choose(topic.id, 1, clock.now())
    services.assign(topic.id, editor.id, date(2027, 4, 30), editor.id)
    services.update(topic.id, "We have the papers & read them.", editor.id)
    services.publish(topic.id, *STORY, actor=editor.id)
    written = [letter for _, letter in letters_after(crowd[0])]
    assert [letter.subject for letter in written] == [
        f"On the shortlist: {TITLE}", f"Chosen: {TITLE}", f"We are working on it: {TITLE}",
        f"How it goes: {TITLE}", f"The story is out: {TITLE}",
    ]  # fmt: skip
    assert "Iryna Bondar reports this topic" in written[2].text
    assert "April 30, 2027" in written[2].text
    assert "papers & read" in written[3].text
    assert "papers &amp; read" in written[3].html
    assert STORY[0] in written[4].text
    assert all(f"/topics/{topic.public_id}" in letter.text for letter in written)
    assert all("/mail/stop/" in letter.text and "/mail/stop/" in letter.html for letter in written)


@pytest.mark.parametrize(
    ("stage", "act", "subject"),
    [
        ("proposed", lambda topic: services.decline(topic.id, "We reported this in May.", None), "We will not take"),
        ("chosen", lambda topic: services.drop(topic.id, "We reported this in May.", None), "There will be no story"),
    ],
)
def test_a_no_comes_with_its_reason(app, crowd, stage, act, subject):
    topic = make_topic_at(stage, proposer=crowd[0])
    act(topic)
    letter = last_letter(crowd[0])
    assert letter.subject.startswith(subject)
    assert "We reported this in May." in letter.text
    assert "We reported this in May." in letter.html


def test_what_was_not_chosen_stays_on_the_list(app, crowd):
    make_topic_at("not_chosen", proposer=crowd[0])
    assert "may come onto the next ballot" in last_letter(crowd[0]).text


def test_a_step_that_was_undone_before_the_mail_left_is_not_told(app, editor, crowd):
    topic = make_topic(proposer=crowd[0])
    services.decline(topic.id, "A slip of the finger.", editor.id)
    services.back_to_shortlist(topic.id, "That was a slip of the finger.", editor.id)
    declined, back = letters_after(crowd[0])
    assert declined[1] is None
    assert back[1].subject.startswith("On the shortlist again")


def test_both_groups_read_that_two_topics_are_one_and_two_again(app, editor, crowd):
    one, two = (
        make_topic_at("shortlisted", proposer=crowd[0]),
        make_topic_at("shortlisted", "The port and its mud", crowd[1]),
    )
    services.merge(two.id, one.id, editor.id)
    for person in crowd[:2]:
        letter = last_letter(person)
        assert letter.subject == f"Two topics are one now: {TITLE}"
        assert "The port and its mud" in letter.text
    services.unmerge(two.id, editor.id)
    merged, parted = letters_after(crowd[1])[-2:]
    assert merged[1] is None
    assert parted[1].subject == "Two topics again: The port and its mud", "each reader's own topic comes first"
    assert last_letter(crowd[0]).subject == f"Two topics again: {TITLE}"


def test_one_click_stops_what_is_on_its_way_and_what_would_come(app, client, editor, crowd):
    topic = make_topic(proposer=crowd[0])
    services.shortlist(topic.id, editor.id)
    ((_, letter),) = letters_after(crowd[0])
    place = next(word for word in letter.text.split() if "/mail/stop/" in word).removeprefix("http://localhost")
    assert TITLE in client.get(place).get_data(as_text=True)
    assert queries.has_stopped(topic.id, crowd[0].id) is False, "looking stops nothing"
    assert client.post(place).status_code == 200
    assert [letter for _, letter in letters_after(crowd[0])] == [None]
    services.decline(topic.id, "We reported this in May.", editor.id)
    assert len(letters_after(crowd[0])) == 1
    assert STOPPERS["topic"].name_of(topic.id) == TITLE
    client.post(place.partition("?")[0] + "/undo")
    assert queries.has_stopped(topic.id, crowd[0].id) is False


def test_no_mail_names_who_follows_or_a_vote(app, editor, crowd):
    topic = make_topic_at("published", proposer=crowd[0], owner=editor)
    services.follow(topic.id, crowd[1].id)
    for _, letter in letters_after(crowd[0]):
        if letter is not None:
            assert crowd[1].email not in letter.text + letter.html
            assert re.findall(r"\d+ (?:person|people|vote)", letter.text) == []
