"""Which sorts of mail somebody wants: what they stopped does not come, and what is about their money always does."""

import pytest

from membership.db import db
from membership.kernel import clock
from membership.mail import catalogue, jobs, queries, services, wishes
from membership.mail.catalogue import About
from membership.mail.models import MailStop, OutboxMail
from tests.factories.crowd import CROWDS, N_EVERYBODY
from tests.factories.people import make_person


@pytest.fixture
def news(app, note_mail, monkeypatch):
    """The tests' mail as news of a topic."""
    entry = catalogue._entries[note_mail]
    monkeypatch.setitem(
        catalogue._entries, note_mail, catalogue.CatalogueEntry(entry.kind, entry.build, entry.example, About.TOPICS)
    )
    return note_mail


def states() -> list[str]:
    db.session.rollback()
    return [mail.state for mail in db.session.query(OutboxMail).order_by(OutboxMail.id)]


def test_what_somebody_stopped_is_not_written(app, news):
    person = make_person()
    wishes.choose(person.id, {About.TOPICS})
    assert services.send(news, person.email, "en", {"person_id": person.id}) is None
    wishes.choose(person.id, {About.POLLS})
    assert services.send(news, person.email, "en", {"person_id": person.id}) is not None
    assert queries.stops_of(person.id) == {About.POLLS}


def test_a_mail_that_waits_is_dropped_where_it_was_stopped_in_the_meantime(app, news, server):
    person = make_person()
    services.send(news, person.email, "en", {"person_id": person.id})
    wishes.choose(person.id, {About.TOPICS})
    jobs.sweep(clock.now())
    assert (states(), server.taken) == (["dropped"], [])


def test_a_broadcast_passes_by_who_does_not_want_its_sort(app, news, monkeypatch):
    monkeypatch.setitem(app.extensions, "membership.audiences", CROWDS)
    people = [make_person(f"r{n}@example.org") for n in range(1, N_EVERYBODY + 1)]
    wishes.choose(people[2].id, {About.TOPICS})
    services.broadcast("tests.everybody", news, {"note_id": 1}, "note:1")
    jobs.spread(clock.now())
    told = {mail.args["person_id"] for mail in db.session.query(OutboxMail)}
    assert told == {person.id for person in people} - {people[2].id}


def test_mails_about_money_and_sign_in_cannot_be_stopped(app, note_mail):
    person = make_person()
    with pytest.raises(ValueError, match="cannot be stopped"):
        wishes.choose(person.id, {About.ALWAYS})
    wishes.choose(person.id, {About.TOPICS, About.POLLS, About.REMINDERS})
    assert services.send(note_mail, person.email, "en", {"person_id": person.id}) is not None


def test_nothing_is_written_to_somebody_who_is_gone(app, note_mail):
    assert services.send(note_mail, "erased-17@erased.invalid", "en", {"note_id": 1}) is None
    assert states() == []


def test_every_mail_that_can_be_stopped_is_of_a_sort_that_the_page_offers(app):
    about = {entry.kind: entry.about for entry in catalogue.all_mails()}
    assert about["topics/stage"] is About.TOPICS
    assert about["polls/opened"] is About.POLLS
    assert about["polls/closing"] is About.REMINDERS
    assert about["contributions/receipt"] is About.ALWAYS
    assert about["accounts/sign_in"] is About.ALWAYS
    offered = catalogue.list_stoppable()
    assert offered[:3] == [About.TOPICS, About.POLLS, About.REMINDERS]
    assert set(about.values()) - {About.ALWAYS} == set(offered)


def test_two_people_who_turn_out_to_be_one_keep_what_either_had_stopped(app, note_mail):
    one, other = make_person(), make_person("other@example.org")
    wishes.choose(one.id, {About.POLLS})
    wishes.choose(other.id, {About.POLLS, About.TOPICS})
    waiting = services.send(note_mail, "other@example.org", "en", {"note_id": 1})
    wishes.hand_over(other.id, one.id, "other@example.org", "olena@example.org")
    db.session.rollback()
    assert queries.stops_of(one.id) == {About.POLLS, About.TOPICS}
    assert db.session.query(MailStop).filter_by(person_id=other.id).count() == 0
    assert db.session.get(OutboxMail, waiting).to_address == "olena@example.org"


def test_a_forgotten_address_stands_nowhere_in_the_outbox_and_gets_nothing_more(app, note_mail, server):
    services.send(note_mail, "olena@example.org", "en", {"note_id": 1})
    jobs.sweep(clock.now())
    services.send(note_mail, "olena@example.org", "en", {"note_id": 2})
    services.send(note_mail, "other@example.org", "en", {"note_id": 3})
    wishes.forget_address("olena@example.org", clock.now())
    jobs.sweep(clock.now())
    assert states() == ["sent", "dropped", "sent"]
    assert [mail.to_address for mail in db.session.query(OutboxMail).order_by(OutboxMail.id)] == [
        None, None, "other@example.org",
    ]  # fmt: skip
    assert [each.rcpt_tos for each in server.taken] == [["olena@example.org"], ["other@example.org"]]
