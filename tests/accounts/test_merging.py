"""Two people turn out to be one: nothing of the first remains, and nothing is lost, counted twice or voted twice."""

import itertools
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from membership.accounts import emails
from membership.accounts import services as accounts
from membership.accounts.models import AddressProof, Person, TimelineEntry
from membership.billing.models import Payment
from membership.billing.port import PaymentReceived
from membership.contributions import services as contributions
from membership.contributions.models import Contribution
from membership.contributions.rules import State
from membership.contributions.services.hearing.rows import get_row
from membership.db import db, transaction
from membership.kernel import clock, ids
from membership.kernel.errors import Conflict, InvalidInput, Refused
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from membership.mail.models import OutboxMail
from membership.patrons import queries as patrons_queries
from membership.patrons import services as patrons
from membership.patrons.models import Grace, Movement
from membership.patrons.rules import Cause, place
from membership.polls import queries as polls_queries
from membership.polls.models import RollEntry
from membership.topics import queries as topics_queries
from membership.topics import services as topics
from membership.topics.models import Topic
from tests.factories.corrections import make_report
from tests.factories.people import any_token, make_person, make_staff, sign_in
from tests.factories.polls import (
    CLOSES,
    NOW,
    cast_ballot,
    close_poll,
    make_patron,
    make_payment,
    make_poll,
    make_topics,
    payment_of,
)

numbers = itertools.count(1)
REASON = "One reader with two addresses."


def merge(loser, winner, at=None) -> None:
    accounts.merge(loser.id, winner.id, REASON, "system", at or clock.now())
    db.session.rollback()


def rows_of(person_id: int) -> dict[str, int]:
    """How many rows of each table name a person, by every column that can."""
    found = Counter()
    for table in db.metadata.tables.values():
        for column in table.columns:
            if any(key.column.table.name == "people" for key in column.foreign_keys):
                n = db.session.scalar(select(func.count()).select_from(table).where(column == person_id))
                found[table.name] += n
    return {name: n for name, n in found.items() if n}


def make_contribution(person=None, email="olena@example.org", minor=400, **changes) -> Contribution:
    now, number = clock.now(), next(numbers)
    values = {"state": State.STARTED.value, "rhythm": "once", "purpose": "self"} | changes
    with transaction("test.make_contribution"):
        row = Contribution(
            reference=ids.new_public_id("con"), form_token=f"merge-{number}", email=email, locale="en",
            person_id=person.id if person else None, currency="EUR", gift_minor=minor, charge_minor=minor,
            cup_minor=400, state_at=now, created_at=now, **values,
        )  # fmt: skip
        db.session.add(row)
    return row


def news_of(reference, minor=400) -> PaymentReceived:
    """Money of a contribution, written as billing writes it; inside a transaction."""
    number, now = next(numbers), clock.now()
    payment = Payment(
        provider_id=f"pi_merge{number}", reference=reference, rhythm="once", charged_minor=minor, currency="EUR",
        fee_minor=0, fee_currency="EUR", paid_at=now, receipt_number=f"2026-8{number:05d}", booked_at=now,
    )  # fmt: skip
    db.session.add(payment)
    db.session.flush()
    return PaymentReceived(
        payment_id=payment.provider_id, reference=reference, rhythm=Rhythm.ONCE, charged=Money(minor, "EUR"),
        fee=Money(0, "EUR"), paid_at=now, period_start=None, period_end=None, subscription_id=None,
        receipt_number=payment.receipt_number,
    )  # fmt: skip


# What may have happened to either of the two -----------------------------------------------------------

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
days = st.integers(0, 700)
who = st.integers(0, 1)
events = st.one_of(
    st.tuples(st.just("months"), who, days, st.integers(1, 24)),
    st.tuples(st.just("period"), who, days, st.integers(1, 60)),
    st.tuples(st.just("revoked"), who, days, st.integers(1, 24)),
    st.tuples(st.just("grace"), who, days, st.integers(1, 14)),
    st.tuples(st.just("level"), who, days, st.integers(0, 3)),
    st.tuples(st.just("follow"), who, st.integers(0, 3), st.just(0)),
    st.tuples(st.just("mute"), who, st.integers(0, 3), st.just(0)),
    st.tuples(st.just("propose"), who, days, st.just(0)),
    st.tuples(st.just("report"), who, days, st.just(0)),
)


def happen(event, people, topic_ids) -> None:
    kind, index, when, size = event
    person_id, at, name = people[index].id, BEGIN + timedelta(days=when), f"test:{next(numbers)}"
    match kind:
        case "months" | "revoked":
            patrons.grant_months(person_id, Cause.PAID, name, paid_at=at, n_months=size)
            if kind == "revoked":
                patrons.revoke(name, at + timedelta(days=10))
        case "period":
            ends_at = at + timedelta(days=size)
            patrons.grant_period(person_id, Cause.GIFT, name, paid_at=at, starts_at=at, ends_at=ends_at)
        case "grace":
            patrons.open_grace(person_id, name, opened_at=at, days=size)
        case "level":
            patrons.move_to(person_id, f"con_{index}", Money(size * 1200, "EUR"), at)
        case "follow":
            topics.follow(topic_ids[when], person_id)
        case "mute":
            topics.stop_news(topic_ids[when], person_id)
        case "report":
            make_report("", note=f"A mistake of day {when} ({name})", person=people[index])
        case "propose":
            topics.propose(person_id, f"A question of day {when} ({name})", "Why it matters.", [], "en", at)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(events, max_size=14))
def test_after_a_merge_nothing_of_the_first_remains_and_everything_adds_up(app, history):
    number = next(numbers)
    winner, loser = make_person(f"w{number}@example.org"), make_person(f"l{number}@example.org")
    topic_ids = make_topics(4)
    topics.merge(topic_ids[1], topic_ids[0], None)
    for event in history:
        happen(event, (winner, loser), topic_ids)
    both = (winner.id, loser.id)
    income = select(func.sum(Movement.yearly_delta_minor)).where(Movement.person_id.in_(both))
    before = db.session.scalar(income)
    n_lines = db.session.scalar(select(func.count()).where(TimelineEntry.person_id.in_(both)))
    n_graces = db.session.scalar(select(func.count()).where(Grace.person_id.in_(both)))
    n_grants = sum(len(patrons_queries.grants_of(person_id)) for person_id in both)
    merge(loser, winner)
    assert rows_of(loser.id) == {}
    assert db.session.scalar(income) == before
    assert db.session.scalar(select(func.count()).where(Grace.person_id == winner.id)) == n_graces
    assert db.session.scalar(select(func.count()).where(TimelineEntry.person_id == winner.id)) == n_lines + 1
    grants = patrons_queries.grants_of(winner.id)
    assert len(grants) == n_grants
    assert sorted(patrons_queries.spans_of(winner.id), key=str) == sorted(place(grants), key=str)
    for topic_id in topic_ids:
        topic = db.session.get(Topic, topic_id, populate_existing=True)
        if topic.merged_into_id is None:
            assert topic.n_followers == topics_queries.n_followers(topic_id)


def test_the_first_one_is_an_empty_shell_and_both_addresses_are_told(app, client):
    winner, loser = make_person(), make_person("second@example.org", public_name="Olena K.")
    sign_in(client, "second@example.org")
    merge(loser, winner)
    shell = db.session.get(Person, loser.id)
    assert (shell.merged_into_id, shell.public_name, shell.is_gone) == (winner.id, None, True)
    assert db.session.get(Person, winner.id).public_name == "Olena K."
    assert client.get("/account").status_code == 303
    told = {
        (row.to_address, row.args["is_freed"]) for row in db.session.query(OutboxMail).filter_by(kind="accounts/merged")
    }
    assert told == {("olena@example.org", 0), ("second@example.org", 1)}
    assert make_person("second@example.org").id not in {winner.id, loser.id}  # the address is free


def test_whoever_was_merged_before_comes_along(app):
    first, second, third = (make_person(f"p{n}@example.org") for n in range(3))
    merge(first, second)
    merge(second, third)
    assert accounts.survivor(first.id).id == third.id
    assert db.session.get(Person, first.id).merged_into_id == third.id


@pytest.mark.parametrize("case", ["same", "gone", "staff", "erasing"])
def test_what_cannot_be_one_stays_two(app, case):
    winner, loser = make_person(), make_person("second@example.org")
    if case == "same":
        loser = winner
    elif case == "gone":
        merge(loser, winner)
    elif case == "staff":
        make_staff("second@example.org")
        make_staff("olena@example.org", "owner")
    else:
        accounts.begin_erasure(loser.id, "member", None, clock.now())
    before = rows_of(loser.id)
    with pytest.raises(Conflict):
        merge(loser, winner)
    db.session.rollback()
    assert rows_of(loser.id) == before


def move_to(person, email) -> None:
    accounts.ask_proof(person.id, "change", email, "en")
    newest = db.session.scalar(select(AddressProof.id).order_by(AddressProof.id.desc()).limit(1))
    accounts.change_address(person.id, emails.prove({"proof_id": newest}, clock.now())["code"].replace(" ", ""), None)


@pytest.mark.parametrize("who_moved", [0, 1], ids=["the one that stays", "the one that goes"])
def test_whose_old_address_may_still_take_it_back_is_not_merged_before_that(app, client, who_moved):
    winner, loser = make_person(), make_person("second@example.org")
    move_to((winner, loser)[who_moved], "moved@example.org")
    before = rows_of(loser.id)
    with pytest.raises(Conflict) as error:
        merge(loser, winner)
    assert error.value.code == "address_is_new"
    db.session.rollback()
    assert rows_of(loser.id) == before
    make_staff("boss@example.org", "finance")
    sign_in(client, "boss@example.org", next="staff")
    page = post(client, f"/staff/people/{winner.public_id}/merge/look", other=loser.public_id)
    assert page.status_code in {409, 422}
    with time_machine.travel(clock.real_now() + timedelta(days=7, minutes=1), tick=False):
        merge(loser, winner)
    assert db.session.get(Person, loser.id).merged_into_id == winner.id


def test_a_merge_needs_a_reason(app):
    winner, loser = make_person(), make_person("second@example.org")
    for reason in ("", " ", "x" * 201):
        with pytest.raises(InvalidInput):
            accounts.merge(loser.id, winner.id, reason, "system", clock.now())


def test_two_supports_that_run_are_flagged_so_that_nobody_pays_twice_unasked(app):
    winner, loser = make_person(), make_person("second@example.org")
    rows = [
        make_contribution(person, person.email, rhythm="monthly", state=State.ACTIVE.value, subscription_id=f"sub_{n}")
        for n, person in enumerate((loser, winner))
    ]
    merge(loser, winner)
    older, newer = (db.session.get(Contribution, row.id, populate_existing=True) for row in rows)
    assert (older.person_id, newer.person_id) == (winner.id, winner.id)
    assert (older.second_of, newer.second_of) == (None, older.reference)


def test_a_refund_after_a_merge_takes_back_what_the_winner_has(app):
    winner, loser = make_person(), make_person("second@example.org")
    patrons.grant_months(loser.id, Cause.PAID, "payment:x", paid_at=clock.now(), n_months=3)
    merge(loser, winner)
    patrons.revoke("payment:x", clock.now())
    assert patrons_queries.spans_of(loser.id) == []
    assert not patrons_queries.standing_of(winner.id, clock.now() + timedelta(minutes=1)).is_patron


# Money that comes at the same time ----------------------------------------------------------------------


def pay_slowly(app, reference, is_held, may_go) -> None:
    """Book a payment, holding its row for a while."""
    with app.app_context(), transaction("test.pay"):
        get_row(reference)
        is_held.set()
        may_go.wait(2)
        contributions.hear_payment(news_of(reference))


@pytest.mark.parametrize("bound", [True, False], ids=["of the loser", "typed and not bound"])
def test_a_payment_that_comes_during_a_merge_lands_with_the_winner(app, bound):
    winner, loser = make_person(), make_person("second@example.org")
    reference = make_contribution(loser if bound else None, "second@example.org").reference
    is_held, may_go = threading.Event(), threading.Event()
    payer = threading.Thread(target=pay_slowly, args=(app, reference, is_held, may_go))
    payer.start()
    assert is_held.wait(20)
    merger = threading.Thread(target=_in_app, args=(app, loser.id, winner.id))
    merger.start()
    may_go.set()
    payer.join(60)
    merger.join(60)
    _is_with_winner(reference, loser, winner)


def _in_app(app, loser_id, winner_id) -> None:
    with app.app_context():
        accounts.merge(loser_id, winner_id, REASON, "system", clock.now())


@pytest.mark.parametrize("bound", [True, False], ids=["of the loser", "typed and not bound"])
def test_a_payment_that_comes_after_a_merge_lands_with_the_winner(app, bound):
    winner, loser = make_person(), make_person("second@example.org")
    reference = make_contribution(loser if bound else None, "second@example.org").reference
    merge(loser, winner)
    with transaction("test.pay"):
        contributions.hear_payment(news_of(reference))
    _is_with_winner(reference, loser, winner)


def _is_with_winner(reference, loser, winner) -> None:
    db.session.rollback()
    row = db.session.scalar(select(Contribution).where(Contribution.reference == reference))
    assert (row.person_id, row.state) == (winner.id, State.PAID.value)
    assert rows_of(loser.id) == {}
    assert patrons_queries.standing_of(winner.id, clock.now() + timedelta(seconds=5)).is_patron
    assert db.session.scalar(select(Person.id).where(Person.email == "second@example.org")) is None


# Rolls ------------------------------------------------------------------------------------------------


def two_patrons():
    return make_patron("olena@example.org"), make_patron("second@example.org")


def close_and_count(poll) -> int:
    closed = close_poll(poll)
    assert (closed.state, closed.trouble) == ("closed", None)
    return polls_queries.result_of(poll.id).n_voted


def test_the_ballot_of_the_one_that_goes_stays_and_the_other_casts_none(app):
    winner, loser = two_patrons()
    poll = make_poll()
    cast_ballot(poll, loser, [0])
    merge(loser, winner, NOW)
    with pytest.raises(Refused) as error:
        cast_ballot(poll, winner, [1])
    assert error.value.code == "voted_elsewhere"
    with pytest.raises(Refused):
        cast_ballot(poll, loser, [1])
    part = polls_queries.my_part(poll, winner.id, NOW)
    assert (part.voted_elsewhere, part.may_cast, part.current) == (True, False, None)
    assert close_and_count(poll) == 1


def test_the_ballot_of_the_one_that_stays_is_theirs_as_before(app):
    winner, loser = two_patrons()
    poll = make_poll()
    cast_ballot(poll, winner, [0])
    merge(loser, winner, NOW)
    cast_ballot(poll, winner, [1])
    with pytest.raises(Refused):
        cast_ballot(poll, loser, [2])
    assert close_and_count(poll) == 1


def test_where_neither_has_voted_one_ballot_can_be_cast(app):
    winner, loser = two_patrons()
    poll = make_poll()
    merge(loser, winner, NOW)
    cast_ballot(poll, winner, [0])
    with pytest.raises(Refused):
        cast_ballot(poll, loser, [0])
    assert close_and_count(poll) == 1


def test_where_both_have_voted_the_merge_waits_for_the_close(app):
    winner, loser = two_patrons()
    poll = make_poll()
    cast_ballot(poll, winner, [0])
    cast_ballot(poll, loser, [1])
    with pytest.raises(Conflict) as error:
        merge(loser, winner, NOW)
    assert error.value.code == "merge_both_voted"
    db.session.rollback()
    assert close_and_count(poll) == 2
    merge(loser, winner, CLOSES)
    # Both stay on the roll as it was frozen: what was counted is what can be proved.
    assert polls_queries.turnout(poll.id).n_voted == 2
    assert rows_of(loser.id) == {"roll_entries": 1}


def test_a_closed_row_counts_as_voted_in_the_next_merge(app):
    first, second, third = (make_patron(f"p{n}@example.org") for n in range(3))
    poll = make_poll()
    cast_ballot(poll, first, [0])
    merge(first, second, NOW)
    merge(second, third, NOW)
    with pytest.raises(Refused):
        cast_ballot(poll, third, [1])
    assert close_and_count(poll) == 1


def test_a_ballot_of_a_shell_closes_the_row_of_the_third_one_too(app):
    first, third = two_patrons()
    second = make_person("free@example.org")  # a free account, on no roll
    poll = make_poll()
    cast_ballot(poll, first, [0])
    merge(first, second, NOW)
    merge(second, third, NOW)
    with pytest.raises(Refused) as error:
        cast_ballot(poll, third, [1])
    assert error.value.code == "voted_elsewhere"
    assert close_and_count(poll) == 1


def test_two_who_voted_do_not_become_one_by_way_of_a_third(app):
    first, third = two_patrons()
    second = make_person("free@example.org")
    poll = make_poll()
    cast_ballot(poll, first, [0])
    cast_ballot(poll, third, [1])
    merge(first, second, NOW)
    for one, other in ((third, second), (second, third)):
        with pytest.raises(Conflict) as error:
            merge(one, other, NOW)
        assert error.value.code == "merge_both_voted"
        db.session.rollback()
    assert close_and_count(poll) == 2


def test_who_voted_as_a_shell_loses_nothing_by_a_second_row(app):
    first, third = two_patrons()
    second = make_person("free@example.org")
    poll = make_poll()
    cast_ballot(poll, first, [0])
    merge(first, second, NOW)
    merge(third, second, NOW)
    with pytest.raises(Refused):
        cast_ballot(poll, second, [1])
    assert close_and_count(poll) == 1


def test_a_vote_that_would_be_lost_keeps_the_merge_waiting_and_the_other_way_round_works(app):
    loser = make_patron("second@example.org")
    winner = make_person()
    poll = make_poll()
    with pytest.raises(Conflict) as error:
        merge(loser, winner, NOW)
    assert error.value.code == "merge_loses_vote"
    db.session.rollback()
    merge(winner, loser, NOW)
    cast_ballot(poll, loser, [0])
    assert close_and_count(poll) == 1


@pytest.mark.parametrize("n_revoked", [1, 2])
@pytest.mark.parametrize("has_months", [False, True])
def test_the_ballot_of_a_shell_falls_once_the_payments_of_both_are_back(app, n_revoked, has_months):
    winner, loser = (month_patron(f"{n}@example.org") for n in "ab") if has_months else two_patrons()
    poll = make_poll()
    causes = [payment_of(loser), payment_of(winner)]
    cast_ballot(poll, loser, [0])
    merge(loser, winner, NOW)
    for cause in causes[:n_revoked]:
        patrons.revoke(cause, NOW + timedelta(days=1))
    close_poll(poll)
    assert polls_queries.result_of(poll.id).n_set_aside == n_revoked - 1


def month_patron(email):
    """A patron whose three months a merge puts behind those of the other one."""
    with transaction("test.month_patron"):
        person = accounts.ensure_person(email, "en", NOW - timedelta(days=40))
        name = make_payment(f"in_months_{next(numbers)}", NOW - timedelta(days=40)).provider_id
        cause = f"payment:{name}"
        patrons.grant_months(person.id, Cause.PAID, cause, paid_at=NOW - timedelta(days=40), n_months=3)
    return person


def test_rolls_that_are_over_are_the_winners(app):
    winner, loser = make_person(), make_patron("second@example.org")
    poll = make_poll()
    cast_ballot(poll, loser, [0])
    close_poll(poll)
    merge(loser, winner, CLOSES)
    assert db.session.get(RollEntry, (poll.id, winner.id)).has_voted
    assert polls_queries.turnout(poll.id).n_voted == 1


# The desk ---------------------------------------------------------------------------------------------


def post(client, path, **fields):
    return client.post(path, data={"csrf_token": any_token(client)} | fields)


def test_staff_compare_both_give_a_reason_and_make_one(app, client):
    winner, loser = make_person(), make_person("second@example.org")
    make_staff("boss@example.org", "finance")
    sign_in(client, "boss@example.org", next="staff")
    path = f"/staff/people/{winner.public_id}/merge"
    assert client.get(path).status_code == 200
    assert post(client, f"{path}/look", other="nobody@example.org").status_code == 422
    page = post(client, f"{path}/look", other="Second@example.org")
    assert page.status_code == 200
    assert "second@example.org" in page.get_data(as_text=True)
    assert db.session.get(Person, loser.id).merged_into_id is None
    assert post(client, path, other=loser.public_id, reason="").status_code == 422
    assert post(client, path, other=loser.public_id, reason="Asked by letter.").status_code == 303
    assert db.session.get(Person, loser.id, populate_existing=True).merged_into_id == winner.id
    line = db.session.scalar(select(TimelineEntry).where(TimelineEntry.kind == "merged"))
    assert line.details == {"reason": "Asked by letter."}
    assert line.actor.startswith("staff:per_")


@pytest.mark.parametrize("role", ["editor", "viewer"])
def test_who_may_not_act_on_people_merges_and_erases_nobody(app, client, role):
    winner, loser = make_person(), make_person("second@example.org")
    make_staff("somebody@example.org", role)
    sign_in(client, "somebody@example.org", next="staff")
    for action in ("merge", "erase"):
        assert client.get(f"/staff/people/{winner.public_id}/{action}").status_code == 403
        assert post(client, f"/staff/people/{winner.public_id}/{action}", reason="x").status_code == 403
    db.session.rollback()
    assert not db.session.get(Person, loser.id).is_gone
