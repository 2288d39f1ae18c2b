"""News for many: everybody gets it once, whatever happens on the way, and it holds up no single mail."""

import threading
from datetime import timedelta

import pytest

from membership.db import db, transaction
from membership.kernel import clock
from membership.mail import jobs, queries, services
from membership.mail.models import Broadcast, OutboxMail
from tests.factories.crowd import CROWDS, N_EVERYBODY, everybody

FIRST_SOURCE = "tests.everybody"


@pytest.fixture(autouse=True)
def crowds(app, monkeypatch):
    """The tests' audiences, walked in batches of four without a pause."""
    monkeypatch.setitem(app.extensions, "membership.audiences", CROWDS)
    monkeypatch.setattr(services, "PEOPLE_AT_A_TIME", 4)
    monkeypatch.setattr(jobs, "PAUSE_SECONDS", 0)


def tell(kind, audience="tests.everybody", once_key="note:1") -> bool:
    return services.broadcast(audience, kind, {"note_id": 1}, once_key)


def broadcasts() -> list[Broadcast]:
    db.session.rollback()
    return db.session.query(Broadcast).order_by(Broadcast.id).all()


def mails() -> list[OutboxMail]:
    db.session.rollback()
    return db.session.query(OutboxMail).order_by(OutboxMail.id).all()


def people_told() -> list[int]:
    return sorted(mail.args["person_id"] for mail in mails())


def test_everybody_in_the_audience_gets_one_mail_in_their_language(app, note_mail):
    assert tell(note_mail)
    assert jobs.spread(clock.now()) is False
    assert people_told() == list(range(1, N_EVERYBODY + 1))
    third = next(mail for mail in mails() if mail.args["person_id"] == 3)
    assert (third.kind, third.to_address, third.locale) == (note_mail, "r3@example.org", "uk")
    assert third.args == {"note_id": 1, "person_id": 3}
    assert (third.once_key, third.is_bulk, third.state) == ("note:1:3", True, "waiting")
    assert [(row.n_people, row.done_at is not None) for row in broadcasts()] == [(N_EVERYBODY, True)]


def test_nothing_is_told_if_the_reason_is_rolled_back(app, note_mail):
    with pytest.raises(ZeroDivisionError), transaction("test"):
        tell(note_mail)
        1 / 0  # noqa: B018
    jobs.spread(clock.now())
    assert (broadcasts(), mails()) == ([], [])


def test_the_same_news_is_told_once(app, note_mail):
    assert tell(note_mail)
    assert not tell(note_mail)
    jobs.spread(clock.now())
    assert not tell(note_mail)
    jobs.spread(clock.now())
    assert len(people_told()) == N_EVERYBODY
    assert tell(note_mail, once_key="note:2")
    jobs.spread(clock.now())
    assert len(people_told()) == 2 * N_EVERYBODY


def test_whoever_is_in_two_sources_gets_one_mail(app, note_mail):
    tell(note_mail, "tests.two")
    assert {row.source for row in broadcasts()} == {"tests.everybody", "tests.every_third"}
    jobs.spread(clock.now())
    assert people_told() == [*range(1, N_EVERYBODY + 1), 24, 27]


def test_an_audience_without_anybody_is_done_at_once(app, note_mail):
    tell(note_mail, "tests.nobody")
    jobs.spread(clock.now())
    assert [(row.n_people, row.done_at is not None) for row in broadcasts()] == [(0, True)]


def test_it_stops_and_goes_on_where_it_was(app, note_mail, monkeypatch):
    tell(note_mail)
    monkeypatch.setattr(jobs, "SWEEP_SECONDS", 0)
    assert jobs.spread(clock.now()) is True
    assert mails() == []
    (only,) = broadcasts()
    assert services.spread(only.id, clock.now()) is True
    assert [row.after_person_id for row in broadcasts()] == [4]
    monkeypatch.setattr(jobs, "SWEEP_SECONDS", 15)
    assert jobs.spread(clock.now()) is False
    assert people_told() == list(range(1, N_EVERYBODY + 1))


def test_the_worker_is_told_which_one_to_spread(app, note_mail, monkeypatch):
    told = []
    monkeypatch.setitem(app.extensions, "membership.hints", lambda job, *args: told.append((job, args)))
    tell(note_mail)
    assert told == [("mail.spread", (broadcasts()[0].id,))]
    assert jobs.spread(clock.now(), *told[0][1]) is False
    assert len(people_told()) == N_EVERYBODY


def test_a_small_broadcast_does_not_wait_for_a_large_one(app, note_mail, monkeypatch):
    order = []
    monkeypatch.setattr(
        services,
        "_write_mails",
        lambda row, people, write=services._write_mails: (
            order.append(row.once_key),
            write(row, people),
        ),
    )
    tell(note_mail, once_key="large")
    monkeypatch.setitem(app.extensions, "membership.audiences", CROWDS | {"tests.few": (few,)})
    tell(note_mail, "tests.few", once_key="small")
    jobs.spread(clock.now())
    assert order[:3] == ["large", "small", "large"]


def few(args, after, limit):
    return everybody(args, after, limit)[:2] if after < 2 else []


def test_an_audience_that_fails_stops_no_other_and_goes_on_when_it_is_mended(app, note_mail, monkeypatch):
    def broken(args, after, limit):
        if after >= 4:
            raise ZeroDivisionError
        return everybody(args, after, limit)

    broken.__name__ = "everybody"
    tell(note_mail, once_key="broken")
    monkeypatch.setitem(app.extensions, "membership.audiences", CROWDS | {"tests.everybody": (broken,)})
    tell(note_mail, "tests.two", once_key="good")
    assert jobs.spread(clock.now()) is False
    assert [(row.once_key, row.n_people) for row in broadcasts() if row.done_at is None] == [("broken", 4)]
    monkeypatch.setitem(app.extensions, "membership.audiences", CROWDS)
    jobs.spread(clock.now())
    assert {row.done_at is None for row in broadcasts()} == {False}
    assert len([mail for mail in mails() if mail.once_key.startswith("broken:")]) == N_EVERYBODY


def test_a_source_out_of_order_is_refused_before_anybody_is_skipped(app, note_mail, monkeypatch):
    def shuffled(args, after, limit):
        return everybody(args, after, limit)[::-1]

    monkeypatch.setitem(app.extensions, "membership.audiences", {"tests.shuffled": (shuffled,)})
    tell(note_mail, "tests.shuffled")
    jobs.spread(clock.now())
    assert mails() == []
    with pytest.raises(ValueError, match="not answer in order"):
        services.spread(broadcasts()[0].id, clock.now())


def test_unknown_audiences_and_mails_are_refused(app, note_mail):
    with pytest.raises(LookupError, match="No audience is called 'tests"):
        tell(note_mail, "tests.moon")
    with pytest.raises(LookupError, match="No mail is called"):
        tell("nowhere/nothing")
    with pytest.raises(ValueError, match="ids only"):
        services.broadcast("tests.everybody", note_mail, {"note": "a@example.org"}, "x")


def test_many_workers_at_once_tell_everybody_once(app, note_mail, monkeypatch):
    monkeypatch.setattr(services, "PEOPLE_AT_A_TIME", 2)
    for number in range(4):
        tell(note_mail, "tests.two", once_key=f"note:{number}")
    together = threading.Barrier(6)

    def work():
        together.wait()
        with app.app_context():
            jobs.spread(clock.now())

    workers = [threading.Thread(target=work) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    jobs.spread(clock.now())  # what a worker left to one that held it and had ended
    assert {row.done_at is None for row in broadcasts()} == {False}
    assert [row.n_people for row in broadcasts() if row.source == FIRST_SOURCE] == [N_EVERYBODY] * 4
    assert people_told() == sorted(4 * [*range(1, N_EVERYBODY + 1), 24, 27])


def test_a_mail_that_somebody_waits_for_leaves_before_a_thousand_that_nobody_does(app, note_mail, server, monkeypatch):
    monkeypatch.setattr(jobs, "MAILS_AT_A_TIME", 5)
    tell(note_mail)
    jobs.spread(clock.now())
    single = services.send(note_mail, "olena@example.org", "en", {"note_id": 2})
    assert queries.list_due(clock.real_now(), 1) == [single]
    assert jobs.sweep(clock.now()) is False
    assert server.taken[0].rcpt_tos == ["olena@example.org"]
    assert len(server.taken) == 1 + N_EVERYBODY


def test_a_long_queue_of_news_is_no_sign_that_mail_does_not_flow(app, note_mail):
    tell(note_mail)
    jobs.spread(clock.now())
    an_hour_later = clock.real_now() + timedelta(hours=1)
    assert queries.is_mail_flowing(an_hour_later)
    assert queries.measure_backlog(an_hour_later).oldest_due == timedelta()
    assert queries.measure_backlog(an_hour_later).n_by_state == {"waiting": N_EVERYBODY}


def test_a_sweep_without_time_says_that_there_is_more(app, note_mail, server, monkeypatch):
    tell(note_mail)
    jobs.spread(clock.now())
    monkeypatch.setattr(jobs, "SWEEP_SECONDS", 0)
    assert jobs.sweep(clock.now()) is True
    assert len(server.taken) == 1
