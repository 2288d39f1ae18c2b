"""Announcements end: after 60 days nobody waits any more, and nobody can leave more of them open than they need."""

import re
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from membership.billing.models import Payment
from membership.contributions.models import Contribution
from membership.contributions.rules import State
from membership.db import db
from membership.kernel import clock
from membership.kernel.errors import Conflict
from membership.mail.models import OutboxMail
from membership.transfers import jobs, queries, services
from membership.transfers.emails import announced as announced_mail
from membership.transfers.emails import reminder as reminder_mail
from membership.transfers.models import StatementLine
from membership.web import ratelimit
from tests.transfers.conftest import announce, days_ago, fresh
from tests.transfers.statements import camt, entry
from tests.transfers.test_views import filled, page, post


def later(**span):
    return time_machine.travel(clock.real_now() + timedelta(**span), tick=False)


def awaited():
    fresh()
    return [each.code for each in queries.list_awaited(clock.now(), 10)]


def run_jobs():
    for job in (jobs.remind, jobs.lapse, jobs.forget, jobs.book_certain):
        job(clock.now())
    fresh()


def kinds_of_mail():
    return sorted(db.session.scalars(select(OutboxMail.kind)))


def test_an_announcement_is_waited_for_sixty_days_and_no_longer(app, client):
    found = announce()
    with later(days=59, hours=23):
        run_jobs()
        assert awaited() == [found.code]
        assert db.session.get(Contribution, found.contribution.id).state == State.STARTED
    with later(days=60, hours=1):
        run_jobs()
        run_jobs()
        assert awaited() == []
        assert db.session.get(Contribution, found.contribution.id).state == State.ABANDONED
        source = page(client, f"/support/declared/{found.contribution.reference}")
        assert "no longer look out for it" in source
        assert "/withdraw" not in source
    assert kinds_of_mail() == ["transfers/announced", "transfers/reminder"]  # the end itself is not mailed


def test_money_that_comes_after_the_end_is_booked_by_its_code(app):
    found = announce()
    with later(days=400):
        run_jobs()
        services.read_in(camt(entry("4.00", found.code, days_ago(0))), None, clock.now())
        fresh()
        (payment,) = db.session.scalars(select(Payment))
        assert payment.reference == found.contribution.reference
        assert db.session.get(Contribution, found.contribution.id).state == State.PAID


def test_whose_announcement_is_over_is_not_guessed_by_their_name(app):
    announce(name="Olena Example")
    with later(days=61):
        run_jobs()
        services.read_in(camt(entry("4.00", "a gift", days_ago(0), name="Olena Example")), None, clock.now())
        fresh()
        assert db.session.scalars(select(StatementLine.suggested_id)).all() == [None]


def test_page_and_mail_say_until_when_it_is_waited_for(app, client):
    with time_machine.travel("2027-03-01T10:00:00+00:00", tick=False):
        found = announce()
        args = {"declaration_id": found.declaration.id}
        source = page(client, f"/support/declared/{found.contribution.reference}")
        words = re.sub(r"\s+", " ", source)
        assert "until April 30, 2027" in words
        assert announced_mail(args, clock.now())["lapses_at"] == clock.now() + timedelta(days=60)
    late = found.declaration.lapses_at
    assert announced_mail(args, late) is None
    assert reminder_mail(args, late) is None


def test_who_withdrew_may_change_their_mind_until_the_end(app, client):
    found = announce()
    services.withdraw(found.declaration.id)
    services.announce_again(found.declaration.id)
    assert awaited() == [found.code]
    services.withdraw(found.declaration.id)
    with later(days=61):
        run_jobs()
        services.announce_again(found.declaration.id)
        assert awaited() == []
        assert 'href="/support"' in page(client, f"/support/declared/{found.contribution.reference}")


def test_a_mailbox_has_five_open_announcements_at_most(app):
    for n in range(5):
        announce(f"form-{n}", email=f"olena+{n}@example.org", amount=400 + n)
    with pytest.raises(Conflict) as error:
        announce("form-6", amount=900)
    assert error.value.code == "many_announced"
    assert db.session.query(Contribution).count() == 5
    assert len(kinds_of_mail()) == 5
    assert announce("form-0", email="olena+0@example.org").code  # the same again is no sixth
    announce("form-7", email="another@example.org")


@pytest.mark.parametrize("end", ["money", "withdrawn", "time"])
def test_what_is_over_makes_room_for_another(app, end):
    first, *_ = (announce(f"form-{n}", amount=400 + n) for n in range(5))
    with later(days=61 if end == "time" else 1):
        if end == "withdrawn":
            services.withdraw(first.declaration.id)
        if end == "money":
            services.read_in(camt(entry("4.00", first.code, days_ago(0))), None, clock.now())
        assert announce("form-6", amount=900).code


def test_the_reader_is_told_what_to_do_about_too_many(client):
    for n in range(5):
        assert post(client, "/support", **filled(client, cups="own", amount=str(10 + n))).status_code == 303
    with later(days=2):
        answer = post(client, "/support", **filled(client, cups="own", amount="99"))
        source = answer.get_data(as_text=True)
        assert answer.status_code == 409
        assert "still open" in source
        assert 'value="99"' in source


def test_a_flood_of_announcements_is_stopped_and_says_what_still_works(app, client, monkeypatch):
    monkeypatch.setitem(ratelimit.RULES, "transfers.total", ratelimit.Rule("2 per 1 hour"))
    for n in range(2):
        assert post(client, "/support", **filled(client, email=f"reader{n}@example.org")).status_code == 303
    answer = post(client, "/support", **filled(client, email="reader3@example.org"))
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert "within the last hour" in answer.get_data(as_text=True)
    assert len(awaited()) == 2
