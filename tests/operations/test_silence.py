"""The silence alarm on real rows: what is counted, when owners are told, and that it costs the same later on."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import event, insert, select

from membership.accounts.models import SignInRequest
from membership.billing.models import InboxEvent, Payment
from membership.contributions.models import Contribution
from membership.db import db
from membership.kernel import clock
from membership.mail import rules as mail_rules
from membership.mail.catalogue import find_entry
from membership.mail.models import OutboxMail
from membership.newsroom.queries import day_of
from membership.operations import emails, jobs
from membership.operations.models import DailyCount, Silence
from membership.operations.queries import counters, silences
from membership.operations.queries.days import bounds_of, hours_of
from membership.operations.rules import Stream, Verdict
from membership.operations.services import counting, watching
from tests.factories.people import make_person, make_staff, sign_in
from tests.factories.polls import NOW as POLLS_NOW
from tests.factories.polls import cast_ballot, make_patron, make_poll

NOW = datetime(2026, 11, 30, 12, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
# The last 24 whole hours, and more than a bit of the hour before.
SINCE = NOW - timedelta(hours=25)


@pytest.fixture(autouse=True)
def at_noon():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def add_notice(at, **changes) -> None:
    number = db.session.query(InboxEvent).count()
    values = {
        "id": f"evt_{number}", "type": "invoice.paid", "object_kind": "invoice", "object_id": "in_1",
        "created_at": at, "signed_at": at, "received_at": at, "state": "done", "done_at": at,
    }  # fmt: skip
    db.session.add(InboxEvent(**(values | changes)))
    db.session.commit()


def add_mail(at, **changes) -> None:
    values = {"kind": "a/b", "to_address": "a@b.org", "locale": "en", "args": {}, "state": "sent", "done_at": at}
    db.session.add(OutboxMail(created_at=at, next_try_at=at, **(values | changes)))
    db.session.commit()


def add_support(name, due_at, **changes) -> Contribution:
    values = {
        "reference": f"con_{name}", "form_token": name, "email": f"{name}@example.org", "locale": "en",
        "rhythm": "monthly", "currency": "EUR", "gift_minor": 400, "charge_minor": 400, "cup_minor": 400,
        "state": "active", "state_at": NOW, "created_at": NOW - timedelta(days=90), "next_payment_at": due_at,
    }  # fmt: skip
    row = Contribution(**(values | changes))
    db.session.add(row)
    db.session.commit()
    return row


def add_payment(name, at, **changes) -> None:
    values = {
        "provider_id": f"in_{name}", "reference": f"con_{name}", "rhythm": "monthly", "charged_minor": 400,
        "currency": "EUR", "paid_at": at, "booked_at": at, "receipt_number": f"2026-{name}", "fee_asked_at": at,
    }  # fmt: skip
    db.session.add(Payment(**(values | changes)))
    db.session.commit()


def counted(stream, day=None) -> DailyCount | None:
    return db.session.get(DailyCount, (stream.value, day or day_of(clock.now())), populate_existing=True)


def fill(stream, per_hour, *, until=NOW, weeks=9) -> None:
    """A history in which as much came every hour."""
    for n in range(weeks * 7 + 1):
        day = day_of(NOW) - timedelta(days=n)
        hours = [per_hour if hour <= until else None for hour in hours_of(day)]
        n_day = sum(each or 0 for each in hours)
        db.session.add(DailyCount(stream=stream.value, day=day, n=n_day, hours=hours, counted_at=until))
    db.session.commit()


# Counting -------------------------------------------------------------------------------------------------


def test_what_comes_is_counted_hour_by_hour_and_what_would_hide_a_silence_is_left_out(app):
    add_notice(NOW - 3 * HOUR)
    add_notice(NOW - 3 * HOUR, is_swept=True)  # we fetched it: nobody delivered it
    add_notice(NOW - timedelta(minutes=10))
    add_mail(NOW - 2 * HOUR)
    add_mail(NOW - 2 * HOUR, is_bulk=True)
    add_mail(NOW - 2 * HOUR, state="dropped")
    counting.count(clock.now())
    notices, mails = counted(Stream.WEBHOOKS), counted(Stream.MAILS)
    begin, _end = bounds_of(day_of(NOW))
    index = int((NOW - begin) / HOUR)
    assert (notices.n, notices.hours[index], notices.hours[index - 3]) == (2, 1, 1)
    assert (mails.n, mails.hours[index - 2]) == (1, 1)
    assert notices.hours[index + 1 :] == [None] * (24 - index - 1), "what lies ahead is not zero"


def test_sign_ins_are_counted_while_their_rows_are_there_and_kept_afterwards(app, client, at_noon):
    make_person()
    sign_in(client)
    counting.count(clock.now())
    assert counted(Stream.SIGN_INS).n == 1
    for row in db.session.scalars(select(SignInRequest)):
        db.session.delete(row)
    db.session.commit()
    at_noon.shift(timedelta(days=2))
    counting.count(clock.now())
    assert counted(Stream.SIGN_INS, day_of(NOW)).n == 1
    assert counted(Stream.SIGN_INS, day_of(NOW) + timedelta(days=1)).hours[0] is None, "nobody knows any more"


def test_a_run_that_was_missed_is_made_up_for(app, at_noon):
    counting.count(clock.now())
    for hours in (5, 20, 40):
        add_notice(NOW + hours * HOUR)
    at_noon.shift(timedelta(hours=44))
    counting.count(clock.now())
    n_by_day = [counted(Stream.WEBHOOKS, day_of(NOW) + timedelta(days=n)).n for n in range(3)]
    assert sum(n_by_day) == 3
    counting.count(clock.now())
    assert [counted(Stream.WEBHOOKS, day_of(NOW) + timedelta(days=n)).n for n in range(3)] == n_by_day


@pytest.mark.parametrize(("day", "n"), [("2026-10-25", 25), ("2026-03-29", 23), ("2026-11-30", 24)])
def test_a_day_has_as_many_hours_as_the_newsrooms_clock_gives_it(app, day, n):
    assert len(hours_of(datetime.fromisoformat(day).date())) == n


def test_a_young_newsroom_does_not_take_the_time_before_it_for_silence(app):
    add_notice(NOW - timedelta(days=3))
    counting.count(clock.now())
    assert counted(Stream.WEBHOOKS, day_of(NOW) - timedelta(days=4)).hours == [None] * 24
    first = counted(Stream.WEBHOOKS, day_of(NOW) - timedelta(days=3)).hours
    assert (first.count(None), first.count(1), first.count(0)) == (14, 1, 9)
    assert counted(Stream.WEBHOOKS, day_of(NOW) - timedelta(days=2)).hours == [0] * 24
    assert counted(Stream.MAILS, day_of(NOW)).hours == [None] * 24


def statements_of(action) -> int:
    n = 0

    def note(*_args):
        nonlocal n
        n += 1

    event.listen(db.engine, "before_cursor_execute", note)
    action()
    event.remove(db.engine, "before_cursor_execute", note)
    return n


def test_counting_costs_the_same_after_a_year_as_on_the_second_day(app, at_noon):
    counting.count(clock.now())
    at_noon.shift(timedelta(minutes=10))
    early = statements_of(lambda: counting.count(clock.now()))
    for n in range(365):
        for stream in Stream:
            day = day_of(NOW) - timedelta(days=100 + n)
            db.session.add(DailyCount(stream=stream.value, day=day, n=1, hours=[1] * 24, counted_at=NOW))
    db.session.commit()
    at_noon.shift(timedelta(minutes=10))
    assert statements_of(lambda: counting.count(clock.now())) <= early


# Charges --------------------------------------------------------------------------------------------------


def test_what_falls_due_is_written_down_before_its_day_and_answered_by_word_of_the_charge(app, at_noon):
    tomorrow = NOW + timedelta(days=1)
    rows = [add_support(name, tomorrow) for name in "abc"]
    add_support("paused", tomorrow, state="paused")
    add_support("bank", tomorrow, way="bank")
    counting.count(clock.now())
    day = day_of(tomorrow)
    assert (counted(Stream.CHARGES, day).n_expected, counted(Stream.CHARGES, day).n) == (3, 0)
    at_noon.shift(timedelta(days=1, hours=2))
    rows[0].next_payment_at = rows[1].next_payment_at = tomorrow + timedelta(days=30)  # paid, or refused
    db.session.commit()
    counting.count(clock.now())
    assert (counted(Stream.CHARGES, day).n_expected, counted(Stream.CHARGES, day).n) == (3, 2)


def test_charges_that_never_came_are_a_silence_after_six_hours(app):
    due = NOW - timedelta(hours=7)
    for name in "abcd":
        add_support(name, due)
    said = silences.judgements(NOW)[Stream.CHARGES]
    assert (said.verdict, said.seen, said.expected) == (Verdict.SILENT, 0, 4)
    for name in "efgh":
        add_support(name, NOW + timedelta(days=20))
        add_payment(name, due)
    assert silences.judgements(NOW)[Stream.CHARGES].verdict is Verdict.FINE
    early = silences.judgements(NOW - timedelta(hours=2))[Stream.CHARGES]
    assert early.verdict is not Verdict.SILENT, "Stripe takes an hour between invoice and charge"


def test_new_supporters_do_not_hide_that_renewals_stopped(app):
    for name in "abcd":
        add_support(name, NOW - timedelta(hours=7))
    for number in range(20):
        add_support(f"new{number}", NOW + timedelta(days=30), created_at=NOW - HOUR)
        add_payment(f"new{number}", NOW - HOUR)
    assert silences.judgements(NOW)[Stream.CHARGES].verdict is Verdict.SILENT


# Votes ----------------------------------------------------------------------------------------------------


def test_votes_are_counted_by_days_and_no_time_of_one_is_kept(app, at_noon):
    at_noon.move_to(POLLS_NOW)
    voters = [make_patron(f"v{n}@example.org") for n in range(3)]
    poll = make_poll()
    counting.count(clock.now())
    assert counted(Stream.VOTES).n == 0
    for voter in voters[:2]:
        cast_ballot(poll, voter, [1])
    counting.count(clock.now())
    counting.count(clock.now())
    row = counted(Stream.VOTES)
    assert (row.n, row.hours, row.levels) == (2, [], {str(poll.id): 2})


def test_without_an_open_poll_nothing_is_said_about_votes(app):
    counting.count(clock.now())
    assert counted(Stream.VOTES) is None
    assert silences.judgements(NOW)[Stream.VOTES] is None


# Telling --------------------------------------------------------------------------------------------------


@pytest.fixture
def owners(app):
    make_staff("owner@example.org", "owner")
    make_staff("second@example.org", "owner")
    make_staff("viewer@example.org", "viewer")


def mails() -> list[tuple[str, str]]:
    rows = db.session.scalars(select(OutboxMail).where(OutboxMail.kind.startswith("operations/")))
    return sorted((row.kind.partition("/")[2], row.to_address) for row in rows)


def stop(stream, since) -> None:
    """Nothing more came from a moment on."""
    for row in db.session.scalars(select(DailyCount).where(DailyCount.stream == stream.value)):
        hours = hours_of(row.day)
        row.hours = [n if n is None or hour < since else 0 for hour, n in zip(hours, row.hours, strict=True)]
    db.session.commit()


def test_owners_are_told_once_of_a_silence_and_once_of_its_end(app, owners, at_noon):
    fill(Stream.WEBHOOKS, 6)
    watching.watch(clock.now())
    assert db.session.query(Silence).count() == 0
    stop(Stream.WEBHOOKS, SINCE)
    watching.watch(clock.now())
    assert mails() == [], "a first look may be wrong"
    assert silences.list_open_silences() == []
    for _ in range(3):
        at_noon.shift(timedelta(minutes=10))
        watching.watch(clock.now())
    told = [("silence", "owner@example.org"), ("silence", "second@example.org")]
    assert mails() == told
    (row,) = silences.list_open_silences()
    assert (row.stream, row.n_seen, row.n_expected) == ("webhooks", 0, 144)
    for row in db.session.scalars(select(DailyCount)):
        row.hours = [None if n is None else 6 for n in row.hours]
    db.session.commit()
    for _ in range(2):
        at_noon.shift(timedelta(minutes=10))
        watching.watch(clock.now())
    over = [("silence_over", "owner@example.org"), ("silence_over", "second@example.org")]
    assert mails() == told + over
    assert silences.list_open_silences() == []
    assert [row.stream for row in silences.list_past_silences()] == ["webhooks"]
    stop(Stream.WEBHOOKS, SINCE)
    for _ in range(3):
        at_noon.shift(timedelta(minutes=10))
        watching.watch(clock.now())
    assert len(mails()) == 6, "another silence is another mail"


def test_what_was_only_suspected_is_forgotten_without_a_word(app, owners, at_noon):
    fill(Stream.MAILS, 6)
    stop(Stream.MAILS, SINCE)
    watching.watch(clock.now())
    assert db.session.query(Silence).count() == 1
    for row in db.session.scalars(select(DailyCount)):
        row.hours = [None if n is None else 6 for n in row.hours]
    db.session.commit()
    at_noon.shift(timedelta(minutes=20))
    watching.watch(clock.now())
    assert (db.session.query(Silence).count(), mails()) == (0, [])


def test_a_small_newsroom_is_left_in_peace(app, owners, at_noon):
    """One notice in two hours, and then none: nobody can tell."""
    for n in range(64):
        day = day_of(NOW) - timedelta(days=n)
        hours = [(i + 1) % 2 if hour <= NOW else None for i, hour in enumerate(hours_of(day))]
        db.session.add(DailyCount(stream="webhooks", day=day, n=12, hours=hours, counted_at=NOW))
    db.session.commit()
    stop(Stream.WEBHOOKS, SINCE)
    said = silences.judgements(NOW)[Stream.WEBHOOKS]
    assert (said.verdict, said.seen, said.expected) == (Verdict.TOO_LITTLE, 0, 12)


def test_the_whole_way_from_rows_to_the_mail(app, owners, at_noon):
    """Five weeks of notices that were really there, a day without any, and the worker's own job."""
    rows = []
    for day in range(2, 36):
        at = NOW - timedelta(days=day, hours=1)
        same = {"created_at": at, "signed_at": at, "received_at": at, "done_at": at, "state": "done", "n_tries": 0}
        same |= {"type": "x", "object_kind": "invoice", "object_id": "in_1", "is_swept": False, "n_faults": 0}
        rows += [same | {"id": f"evt_{day}_{n}"} for n in range(40)]
    db.session.execute(insert(InboxEvent), rows)
    db.session.commit()
    jobs.count(clock.now())
    at_noon.shift(timedelta(minutes=20))
    jobs.count(clock.now())
    assert [row.stream for row in silences.list_open_silences()] == ["webhooks"]
    assert mails() == [("silence", "owner@example.org"), ("silence", "second@example.org")]


def test_a_mail_about_a_silence_that_is_over_is_not_sent_any_more(app, owners):
    row = Silence(stream="mails", suspected_at=NOW, began_at=NOW - HOUR, n_seen=0, n_expected=60)
    db.session.add(row)
    db.session.commit()
    assert emails.silence({"silence_id": row.id}, NOW)["n_expected"] == 60
    assert emails.silence_over({"silence_id": row.id}, NOW) is None
    row.ended_at = NOW
    db.session.commit()
    assert emails.silence({"silence_id": row.id}, NOW) is None
    assert emails.silence_over({"silence_id": row.id}, NOW)["ended_at"] == NOW


def test_both_mails_are_in_the_catalogue(app):
    assert all(find_entry(f"operations/{name}") for name in ("silence", "silence_over"))
    assert mail_rules.KEEP_ADDRESSES
    assert set(counters.HOURLY) | {Stream.CHARGES, Stream.VOTES} == set(Stream)


def test_the_first_page_of_the_desk_says_so_to_everybody(app, client, owners):
    db.session.add(Silence(stream="mails", suspected_at=NOW, began_at=NOW - HOUR, n_seen=0, n_expected=60))
    db.session.add(Silence(stream="votes", suspected_at=NOW, n_seen=0, n_expected=60))
    db.session.commit()
    sign_in(client, "viewer@example.org")
    page = client.get("/staff").get_data(as_text=True)
    assert "Hardly any mail leaves" in page
    assert "Hardly anybody votes" not in page, "it is only suspected"
