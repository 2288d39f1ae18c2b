"""What stands in the outbox, and when it may leave."""

from datetime import timedelta

import pytest
import time_machine

from membership.db import db, transaction
from membership.kernel import clock
from membership.mail import queries, services
from membership.mail.models import OutboxMail
from membership.mail.rules import Failure


def all_rows():
    db.session.rollback()
    return db.session.query(OutboxMail).order_by(OutboxMail.id).all()


def test_a_mail_is_part_of_the_transaction_that_wants_it(app, note_mail):
    with pytest.raises(ZeroDivisionError), transaction("test"):
        services.send(note_mail, "olena@example.org", "uk", {"note_id": 1})
        1 / 0  # noqa: B018
    assert all_rows() == []


def test_the_same_once_key_makes_one_mail(app, note_mail):
    with transaction("test"):
        first = services.send(note_mail, "olena@example.org", "en", {"note_id": 1}, once_key="note:1")
        second = services.send(note_mail, "olena@example.org", "en", {"note_id": 1}, once_key="note:1")
    third = services.send(note_mail, "olena@example.org", "en", {"note_id": 1}, once_key="note:1")
    assert (second, third) == (None, None)
    assert [row.id for row in all_rows()] == [first]


def test_mails_without_a_once_key_do_not_meet(app, note_mail):
    ids = [services.send(note_mail, "olena@example.org", "en", {"note_id": 1}) for _ in range(2)]
    assert [row.id for row in all_rows()] == ids


def test_the_worker_is_told_after_the_commit(app, note_mail, monkeypatch):
    told = []
    monkeypatch.setitem(app.extensions, "membership.hints", lambda job, *args: told.append((job, args)))
    with transaction("test"):
        outbox_id = services.send(note_mail, "olena@example.org", "en", {"note_id": 1})
        assert told == []
    assert told == [("mail.deliver", (outbox_id,))]


def test_an_unknown_kind_is_refused(app):
    with pytest.raises(LookupError, match="No mail is called 'nowhere/nothing'"):
        services.send("nowhere/nothing", "olena@example.org", "en", {})


@pytest.mark.parametrize("value", ["olena@example.org", "x" * 121])
def test_only_ids_are_kept(app, note_mail, value):
    with pytest.raises(ValueError, match="ids only"):
        services.send(note_mail, "olena@example.org", "en", {"note_id": value})


def test_one_lease_at_a_time(app, note_mail):
    outbox_id = services.send(note_mail, "olena@example.org", "en", {"note_id": 1})
    row = services.claim(outbox_id)
    assert (row.state, row.attempts, row.fence) == ("sending", 1, 1)
    assert services.claim(outbox_id) is None


def test_a_lease_that_ran_out_goes_to_the_next_and_its_late_owner_is_refused(app, note_mail):
    outbox_id = services.send(note_mail, "olena@example.org", "en", {"note_id": 1})
    stale = services.claim(outbox_id)
    with time_machine.travel(clock.real_now() + timedelta(minutes=4)):
        fresh = services.claim(outbox_id)
        assert fresh.fence == 2
        assert not services.mark_sent(stale, clock.now(), "<stale@example.org>")
        assert services.mark_sent(fresh, clock.now(), "<fresh@example.org>")
    assert [(row.state, row.message_id) for row in all_rows()] == [("sent", "<fresh@example.org>")]


def test_a_failed_attempt_waits_its_turn(app, note_mail):
    outbox_id = services.send(note_mail, "olena@example.org", "en", {"note_id": 1})
    services.mark_failed(services.claim(outbox_id), clock.now(), Failure.TEMPORARY, "Greylisted.")
    assert queries.list_due(clock.real_now(), 10) == []
    assert queries.list_due(clock.real_now() + timedelta(seconds=61), 10) == [outbox_id]


def test_mail_is_flowing_until_the_server_fails_and_again_when_it_answers(app, note_mail):
    assert queries.is_mail_flowing(clock.real_now())
    outbox_id = services.send(note_mail, "olena@example.org", "en", {"note_id": 1})
    services.mark_failed(services.claim(outbox_id), clock.now(), Failure.SERVER, "Connection refused.")
    assert not queries.is_mail_flowing(clock.real_now())
    with time_machine.travel(clock.real_now() + timedelta(seconds=90)):
        services.mark_failed(services.claim(outbox_id), clock.now(), Failure.TEMPORARY, "Greylisted.")
        assert queries.is_mail_flowing(clock.real_now())


def test_mail_that_nobody_delivers_is_not_flowing(app, note_mail):
    services.send(note_mail, "olena@example.org", "en", {"note_id": 1})
    assert queries.is_mail_flowing(clock.real_now() + timedelta(seconds=110))
    assert not queries.is_mail_flowing(clock.real_now() + timedelta(seconds=130))


def test_addresses_are_forgotten_thirty_days_after_the_mail_is_done(app, note_mail):
    for _ in range(2):
        services.send(note_mail, "olena@example.org", "en", {"note_id": 1})
    first, _ = all_rows()
    services.mark_sent(services.claim(first.id), clock.now(), "<1@example.org>")
    later = clock.now() + timedelta(days=31)
    assert services.forget_addresses(clock.now() + timedelta(days=29), timedelta(days=30)) == 0
    assert services.forget_addresses(later, timedelta(days=30)) == 1
    assert [row.to_address for row in all_rows()] == [None, "olena@example.org"]


def test_the_backlog_counts_every_state(app, note_mail):
    for _ in range(3):
        services.send(note_mail, "olena@example.org", "en", {"note_id": 1})
    services.mark_dropped(services.claim(all_rows()[0].id), clock.now())
    backlog = queries.measure_backlog(clock.real_now() + timedelta(seconds=30))
    assert backlog.n_by_state == {"waiting": 2, "dropped": 1}
    assert timedelta(seconds=29) < backlog.oldest_due < timedelta(seconds=60)
