"""The close: what is counted, what is set aside, what is proved first, and what a poll in trouble does."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from membership.db import db, is_sqlite, transaction
from membership.kernel.errors import Conflict, InvalidInput, Refused
from membership.mail.models import Broadcast
from membership.patrons import services as patrons
from membership.patrons.rules import Cause
from membership.polls import jobs, keys, queries, services
from membership.polls.models import CountedBallot, Poll, RollEntry, SealedBallot
from membership.polls.queries.polls import options_of
from membership.topics import services as topics
from membership.topics.models import Topic
from tests.factories.people import make_staff
from tests.factories.polls import (
    A_WEEK,
    CLOSES,
    NOW,
    cast_ballot,
    close_poll,
    make_patron,
    make_patrons,
    make_payment,
    make_poll,
    make_topics,
    payment_of,
    refund,
)
from tests.polls.tampering import tamper

pytestmark = pytest.mark.usefixtures("app")


def stage_of(poll, position: int) -> str:
    topic_id = queries.options_of(poll.id)[position].topic_id
    return db.session.get(Topic, topic_id, populate_existing=True).stage


def poll_of(ballots: list[list[int]], **changes) -> tuple[Poll, list[str]]:
    """An open poll in which so many people voted so; and their receipts."""
    people = make_patrons(len(ballots))
    poll = make_poll(**changes)
    return poll, [cast_ballot(poll, person, ballot).receipt for person, ballot in zip(people, ballots, strict=True)]


def test_a_poll_is_counted_once_its_time_is_over():
    poll, receipts = poll_of([[0, 1], [0, 1], [0, 1], [0], [2], [2], []], publish_from=5)
    with pytest.raises(Conflict, match="still open"):
        services.close(poll.id, CLOSES - timedelta(microseconds=1))
    jobs.close_due(CLOSES - timedelta(microseconds=1))
    assert db.session.get_one(Poll, poll.id).state == "open"
    poll = close_poll(poll)
    assert (poll.state, poll.closed_at, poll.wiped_at) == ("closed", CLOSES, CLOSES)
    result = queries.result_of(poll.id)
    assert result.count["winners"] == [0, 2]
    assert (result.n_voted, result.n_blank, result.n_set_aside, result.has_breakdown) == (7, 1, 0, True)
    assert result.other_rules["approval"] == [0, 1]
    assert set(result.other_rules) == {"approval", "equal-shares"}
    assert [stage_of(poll, position) for position in range(4)] == ["chosen", "not_chosen", "chosen", "not_chosen"]
    assert queries.published_ballots(poll) == [("0,1", 3), ("2", 2), ("", 1), ("0", 1)]
    assert f"poll-results:{poll.id}" in db.session.scalars(select(Broadcast.once_key)).all()
    states = [queries.find_receipt(poll, receipt) for receipt in receipts]
    assert {state.state for state in states} == {"counted"}
    assert [state.n_chosen for state in states] == [1, 1, 1, 1, 1, 1, 0]
    assert [str(weight) for weight in states[0].weights] == ["1"]
    assert queries.find_receipt(poll, "7k3mz-q0v8d-x2r9c-e5t1w").state == "unknown"


def test_what_a_receipt_says_does_not_change_when_a_winner_is_passed_over():
    """Else two looks, before and after, would tell whether a topic stands on the ballot."""
    poll, receipts = poll_of([[0, 1], [0], [0], [1], [1], [2]])
    close_poll(poll)
    before = [queries.find_receipt(poll, receipt) for receipt in receipts]
    winner = queries.options_of(poll.id)[queries.result_of(poll.id).count["winners"][0]]
    services.skip(poll.id, winner.topic_id, "It was reported elsewhere.", make_staff().id)
    assert [queries.find_receipt(poll, receipt) for receipt in receipts] == before


def test_after_the_close_neither_ballot_nor_key_is_left_and_closing_again_does_nothing():
    poll, _ = poll_of([[0], [1], [2], [0], [0]])
    services.link(poll.id)
    services.close(poll.id, CLOSES)
    assert list(keys.list_polls()) == []
    assert db.session.scalar(select(func.count()).select_from(SealedBallot)) == 0
    before = queries.evidence(poll.id, with_ballots=True)
    services.close(poll.id, CLOSES + timedelta(days=1))
    assert queries.evidence(poll.id, with_ballots=True) == before


def test_only_the_last_ballot_of_a_voter_counts():
    people = make_patrons(6)
    poll = make_poll(rule="plurality", n_seats=1)
    for person in people:
        cast_ballot(poll, person, [3])
        services.link(poll.id)
        cast_ballot(poll, person, [1])
    poll = close_poll(poll)
    assert queries.result_of(poll.id).count["winners"] == [1]
    assert len(queries.evidence(poll.id)["commitments"]) == 12
    assert len(queries.receipt_hashes(poll.id)) == 6


@pytest.mark.parametrize(
    ("rule", "changes", "ballot"),
    [
        ("approval", {}, [1]),
        ("stv", {}, [1, 0]),
        ("equal-shares", {"budget_hours": 20}, [1]),
        ("plurality", {"n_seats": 1}, [1]),
    ],
)
def test_every_rule_counts_what_was_cast(rule, changes, ballot):
    poll, _ = poll_of([ballot] * 6, rule=rule, **changes)
    result = queries.result_of(close_poll(poll).id)
    assert 1 in result.count["winners"]
    assert result.rule_version.startswith(f"{rule}/")
    assert result.count["n_ballots"] == 6


def test_fifty_refunded_accounts_leave_nothing_in_the_count():
    honest, bought = make_patrons(6, "honest"), make_patrons(50, "bought")
    poll = make_poll(rule="plurality", n_seats=1)
    for person in honest:
        cast_ballot(poll, person, [0])
    for person in bought:
        cast_ballot(poll, person, [1])
    for person in bought:
        reference = db.session.scalar(
            text("SELECT cause_ref FROM coverage_grants WHERE person_id = :id").bindparams(id=person)
        )
        patrons.revoke(reference, NOW + timedelta(days=2))
    poll = close_poll(poll)
    result = queries.result_of(poll.id)
    assert (result.count["winners"], result.count["n_ballots"]) == ([0], 6)
    assert (result.n_voted, result.n_set_aside) == (56, 50)
    assert len(queries.receipt_hashes(poll.id)) == 6


def test_a_dispute_that_is_won_before_the_close_brings_the_ballot_back():
    people = [make_patron(f"reader{i}@example.org") for i in range(5)]
    poll = make_poll()
    for person in people:
        cast_ballot(poll, person, [0])
    refund(people[0])
    patrons.restore(payment_of(people[0]))
    refund(people[1])
    result = queries.result_of(close_poll(poll).id)
    assert (result.n_voted, result.n_set_aside) == (5, 1)


def test_a_ballot_stands_while_another_payment_that_covered_the_opening_stands():
    people = [make_patron(f"reader{i}@example.org") for i in range(5)]
    with transaction("test.pay_twice"):
        make_payment("in_second")
        patrons.grant_period(
            people[0].id, Cause.PAID, "payment:in_second", paid_at=NOW - A_WEEK, starts_at=NOW - A_WEEK, ends_at=CLOSES
        )
    poll = make_poll()
    for person in people:
        cast_ballot(poll, person, [0])
    for person in people[:2]:
        refund(person)
    cast_ballot(poll, people[0], [1], NOW + timedelta(days=2))
    result = queries.result_of(close_poll(poll).id)
    assert (result.n_voted, result.n_set_aside) == (5, 1)


def test_whose_payment_went_back_casts_no_ballot_that_would_be_set_aside():
    olena = make_patron()
    make_patrons(4)
    poll = make_poll()
    refund(olena)
    with transaction("test.pay_again"):
        make_payment("in_again")
        patrons.grant_period(
            olena.id, Cause.PAID, "payment:in_again", paid_at=NOW + A_WEEK / 4, starts_at=NOW + A_WEEK / 4,
            ends_at=CLOSES + A_WEEK,
        )  # fmt: skip
    with pytest.raises(Refused, match="would not count") as refused:
        cast_ballot(poll, olena, [1], NOW + A_WEEK / 2)
    assert refused.value.code == "payment_returned"
    patrons.restore(payment_of(olena))
    cast_ballot(poll, olena, [1], NOW + A_WEEK / 2)
    assert queries.result_of(close_poll(poll).id).n_set_aside == 0


def test_a_comp_that_staff_take_back_drops_no_ballot():
    olena = make_patron(cause=Cause.COMP)
    poll = make_poll(eligibility="covered")
    cast_ballot(poll, olena, [0])
    refund(olena)
    assert queries.result_of(close_poll(poll).id).n_set_aside == 0


def test_a_refund_after_the_close_changes_nothing():
    olena = make_patron()
    make_patrons(5)
    poll = make_poll()
    cast_ballot(poll, olena, [0])
    poll = close_poll(poll)
    before = queries.evidence(poll.id, with_ballots=True)
    refund(olena, CLOSES + timedelta(days=1))
    services.close(poll.id, CLOSES + timedelta(days=2))
    assert queries.evidence(poll.id, with_ballots=True) == before


def test_with_fewer_than_five_ballots_only_the_winners_are_said_and_no_choice_is_kept():
    poll, receipts = poll_of([[0, 1], [0], [0], [0, 2]], publish_from=5)
    poll = close_poll(poll)
    result = queries.result_of(poll.id)
    assert not result.has_breakdown
    assert 0 in result.count["winners"]
    assert result.count["winners"] == sorted(result.count["winners"]) == result.count["order"]
    assert (result.count["rounds"], result.count["missed_by"], result.count["ties"]) == ([], {}, [])
    assert (result.other_rules, queries.published_ballots(poll)) == ({}, None)
    assert set(db.session.scalars(select(CountedBallot.choice))) == {None}
    assert queries.find_receipt(poll, receipts[0]) == queries.ReceiptState("counted", None, ())


@pytest.mark.parametrize("rule", ["spav", "approval", "stv", "plurality", "equal-shares"])
@pytest.mark.parametrize("n_blank", [0, 6])
def test_a_poll_in_which_nobody_named_a_topic_chooses_none(client, rule, n_blank):
    make_patrons(3)
    changes = {"plurality": {"n_seats": 1}, "equal-shares": {"budget_hours": 20}}.get(rule, {})
    poll = (
        poll_of([[]] * n_blank, rule=rule, publish_from=5, **changes)[0] if n_blank else make_poll(rule=rule, **changes)
    )
    poll = close_poll(poll)
    result = queries.result_of(poll.id)
    assert (result.n_voted, result.count["n_ballots"], result.count["winners"]) == (n_blank, n_blank, [])
    assert {stage_of(poll, position) for position in range(4)} == {"not_chosen"}
    page = client.get(f"/polls/{poll.public_id}")
    said = "Nobody named a topic, so none was chosen." if n_blank else "Nobody voted, so no topic was chosen."
    assert (page.status_code, said in page.text) == (200, True)


def test_ballots_are_published_only_from_the_number_that_was_printed():
    poll, _ = poll_of([[0]] * 6, publish_from=7)
    assert queries.published_ballots(close_poll(poll)) is None
    poll, _ = poll_of([[0]] * 7, publish_from=7)
    assert queries.published_ballots(close_poll(poll)) == [("0", 7)]


TAMPERED = {
    "DELETE FROM sealed_ballots WHERE voter_key = (SELECT min(voter_key) FROM sealed_ballots)": "ballots_differ",
    "UPDATE sealed_ballots SET sealed = (SELECT sealed FROM sealed_ballots ORDER BY voter_key LIMIT 1)": "seal_broken",
    "DELETE FROM ballot_commitments WHERE id = (SELECT max(id) FROM ballot_commitments)": "chain_broken",
    "DELETE FROM ballot_commitments WHERE id = (SELECT min(id) FROM ballot_commitments)": "chain_broken",
    "INSERT INTO ballot_commitments (poll_id, commitment) SELECT id, 'made up' FROM polls": "ballots_differ",
    "UPDATE chain_links SET head = 'made up' WHERE seq = 2": "chain_broken",
    "DELETE FROM chain_links WHERE seq = 3": "chain_broken",
    "UPDATE polls SET title = 'Another question'": "poll_changed",
    "UPDATE poll_options SET title = 'Another topic' WHERE position = 0": "poll_changed",
    "UPDATE roll_entries SET has_voted = NOT has_voted": "ballots_differ",
    "DELETE FROM roll_entries WHERE NOT has_voted": "roll_changed",
}


@pytest.mark.parametrize("statement", TAMPERED)
def test_what_was_tampered_with_is_not_counted_and_can_be_cancelled(statement):
    make_patrons(2, "silent")
    poll, _ = poll_of([[0], [1], [2], [0], [0]])
    services.link(poll.id)
    keys.remember_head(poll.public_id, 0, queries.evidence(poll.id)["links"][0][3])  # so that nobody says "rolled back"
    tamper(statement)
    poll = close_poll(poll)
    assert (poll.state, poll.trouble) == ("open", TAMPERED[statement])
    assert queries.result_of(poll.id) is None
    with pytest.raises(InvalidInput):
        services.cancel(poll.id, " ", None)
    poll = services.cancel(poll.id, "The ballots did not add up.", None)
    assert (poll.state, stage_of(poll, 0)) == ("cancelled", "shortlisted")
    assert list(keys.list_polls()) == []
    jobs.wipe(CLOSES)
    assert db.session.get_one(Poll, poll.id, populate_existing=True).wiped_at == CLOSES


def test_a_ballot_put_back_to_an_earlier_state_is_noticed():
    olena = make_patron()
    make_patrons(4)
    poll = make_poll()
    cast_ballot(poll, olena, [0])
    earlier = db.session.execute(select(SealedBallot.voter_key, SealedBallot.sealed)).one()
    cast_ballot(poll, olena, [1])
    with transaction("test.put_back"):
        db.session.get_one(SealedBallot, (poll.id, earlier.voter_key)).sealed = earlier.sealed
    assert close_poll(poll).trouble == "ballots_differ"


def test_a_poll_whose_key_is_lost_is_cancelled_with_a_public_reason():
    poll, _ = poll_of([[0]])
    (keys.folder() / f"{poll.public_id}.key").unlink()
    jobs.open_due(NOW)
    poll = db.session.get_one(Poll, poll.id, populate_existing=True)
    assert (poll.state, poll.trouble) == ("cancelled", "key_missing")
    assert "can never be counted" in poll.cancel_reason
    assert stage_of(poll, 0) == "shortlisted"


def test_a_database_put_back_to_an_earlier_state_cancels_its_open_polls():
    poll, _ = poll_of([[0], [1], [2]])
    jobs.link(NOW)
    assert keys.find_head(poll.public_id)[0] == 3
    tamper("DELETE FROM chain_links WHERE seq > 1")
    tamper("DELETE FROM ballot_commitments WHERE id > (SELECT min(id) FROM ballot_commitments)")
    jobs.link(NOW)
    poll = db.session.get_one(Poll, poll.id, populate_existing=True)
    assert (poll.state, poll.trouble) == ("cancelled", "rolled_back")


def test_one_poll_in_trouble_holds_up_no_other():
    sick, _ = poll_of([[0]] * 5)
    well, _ = poll_of([[0]] * 5)
    tamper("DELETE FROM sealed_ballots WHERE poll_id = :sick", sick=sick.id)
    close_poll(sick)
    assert db.session.get_one(Poll, well.id, populate_existing=True).state == "closed"
    jobs.close_due(CLOSES + timedelta(hours=1))
    assert db.session.get_one(Poll, sick.id, populate_existing=True).trouble == "ballots_differ"


@pytest.mark.parametrize("step", ["close", "wipe"])
def test_a_statement_that_fails_holds_up_no_other_poll(monkeypatch, step):
    sick, _ = poll_of([[0]] * 5)
    well, _ = poll_of([[0]] * 5)
    real = getattr(services, step)

    def fail_for_one(poll_id, now):
        if poll_id == sick.id:
            db.session.execute(text("SELECT nothing FROM nowhere"))
        return real(poll_id, now)

    monkeypatch.setattr(services, step, fail_for_one)
    close_poll(sick)
    states = [db.session.get_one(Poll, poll.id, populate_existing=True) for poll in (sick, well)]
    assert [poll.state for poll in states] == ["open" if step == "close" else "closed", "closed"]
    assert [poll.wiped_at for poll in states] == [None, CLOSES]
    monkeypatch.undo()
    assert close_poll(sick).wiped_at == CLOSES


def test_however_long_a_close_takes_no_limit_of_statements_ends_it(monkeypatch):
    poll, _ = poll_of([[0]] * 5)
    limits = []

    def look(*args):
        limits.append("0" if is_sqlite() else db.session.scalar(text("SHOW statement_timeout")))
        return options_of(*args)

    monkeypatch.setattr("membership.polls.services.closing.options_of", look)
    assert close_poll(poll).state == "closed"
    assert limits == ["0"]


def test_the_editor_passes_over_a_winner_and_the_next_moves_up():
    olena = make_patron()
    poll, _ = poll_of([[0, 1], [0, 1], [0], [2], [2], [3]])
    poll = close_poll(poll)
    options = queries.options_of(poll.id)
    order = queries.result_of(poll.id).count["order"]
    assert queries.winners_now(poll) == order[:2]
    row = services.skip(poll.id, options[order[0]].topic_id, "We cannot be fair here: our editor's brother.", olena.id)
    assert row.moved_up_id == options[order[2]].topic_id
    assert queries.winners_now(poll) == [order[1], order[2]]
    assert [stage_of(poll, order[0]), stage_of(poll, order[2])] == ["dropped", "chosen"]
    again = services.skip(poll.id, options[order[0]].topic_id, "Again.", olena.id)
    assert again.reason == row.reason
    with pytest.raises(Conflict, match="not chosen"):
        services.skip(poll.id, options[order[3]].topic_id, "No.", olena.id)
    services.skip(poll.id, options[order[2]].topic_id, "Told elsewhere.", olena.id)
    last = services.skip(poll.id, options[order[1]].topic_id, "Told elsewhere.", olena.id)
    assert last.moved_up_id is None
    assert queries.winners_now(poll) == [order[3]]


def test_an_old_poll_does_not_pass_over_what_a_newer_one_chose():
    old, _ = poll_of([[0]] * 5, rule="plurality", n_seats=1)
    old = close_poll(old)
    boss = make_staff().id
    topic_id = queries.options_of(old.id)[0].topic_id
    topics.drop(topic_id, "Not now.", boss)
    topics.back_to_shortlist(topic_id, "It is news again.", boss)
    later = {"opens_at": CLOSES, "closes_at": CLOSES + A_WEEK, "now": CLOSES}
    new = make_poll(topic_ids=(topic_id, *make_topics(1)), rule="plurality", n_seats=1, **later)
    for person in db.session.scalars(select(RollEntry.person_id).where(RollEntry.poll_id == new.id)).all():
        cast_ballot(new, person, [0], CLOSES)
    new = close_poll(new, CLOSES + A_WEEK)
    assert stage_of(new, 0) == "chosen"
    with pytest.raises(Conflict, match="newer poll") as conflict:
        services.skip(old.id, topic_id, "Told elsewhere.", boss)
    assert (conflict.value.code, stage_of(new, 0)) == ("not_a_winner", "chosen")
    services.skip(new.id, topic_id, "Told elsewhere.", boss)
    assert stage_of(new, 0) == "dropped"


def test_reminders_go_once_in_the_last_two_days():
    make_patrons(2)
    poll = make_poll()
    for at in (NOW, CLOSES - timedelta(hours=49)):
        jobs.remind(at)
    assert f"poll-closing:{poll.id}" not in db.session.scalars(select(Broadcast.once_key)).all()
    for at in (CLOSES - timedelta(hours=48), CLOSES - timedelta(hours=1)):
        jobs.remind(at)
    assert db.session.scalars(select(Broadcast.once_key)).all().count(f"poll-closing:{poll.id}") == 1
    assert len(queries.not_voted_after({"poll_id": poll.id}, 0, 10)) == 2


def test_who_is_told_what_never_depends_on_the_choice():
    people = make_patrons(6)
    poll = make_poll()
    for person in people[:5]:
        cast_ballot(poll, person, [0] if person % 2 else [1, 2])
    args = {"poll_id": poll.id}
    assert [r.person_id for r in queries.roll_after(args, 0, 10)] == people
    assert [r.person_id for r in queries.roll_after(args, people[1], 2)] == people[2:4]
    assert [r.person_id for r in queries.not_voted_after(args, 0, 10)] == people[5:]
    services.stop_news(poll.id, people[0])
    assert [r.person_id for r in queries.news_after(args, 0, 10)] == people[1:]
    poll = close_poll(poll)
    chosen = queries.options_of(poll.id)[queries.result_of(poll.id).count["winners"][0]].topic_id
    told = queries.voters_of_chosen_topic_after({"topic_id": chosen}, 0, 10)
    assert [r.person_id for r in told] == people[1:5]
    services.resume_news(poll.id, people[0])
    assert [r.person_id for r in queries.news_after(args, 0, 10)] == people
    told = [queries.voters_of_chosen_topic_after({"topic_id": o.topic_id}, 0, 10) for o in queries.options_of(poll.id)]
    assert sorted([r.person_id for r in each] for each in told) == [[], [], people[:5], people[:5]]


def test_a_folder_of_keys_that_is_away_for_a_while_costs_no_poll():
    poll, _ = poll_of([[0], [0]])
    folder = keys.folder()
    away = folder.rename(folder.with_name("unmounted"))
    for is_there in (False, True):  # nothing at all, and the empty place where a disk is mounted
        if is_there:
            folder.mkdir()
        jobs.open_due(NOW)
        jobs.close_due(CLOSES)
        poll = db.session.get_one(Poll, poll.id, populate_existing=True)
        assert (poll.state, poll.trouble) == ("open", "key_missing")
    folder.rmdir()
    away.rename(folder)
    jobs.open_due(NOW)
    assert db.session.get_one(Poll, poll.id, populate_existing=True).trouble is None
    assert close_poll(poll).state == "closed"


def test_a_key_that_cannot_be_read_holds_up_no_other_poll():
    broken, _ = poll_of([[0]])
    fine, _ = poll_of([[0]])
    path = keys.folder() / f"{broken.public_id}.key"
    path.unlink()
    path.mkdir()
    jobs.open_due(NOW)
    assert close_poll(fine).state == "closed"
    assert db.session.get_one(Poll, broken.id, populate_existing=True).state == "open"
