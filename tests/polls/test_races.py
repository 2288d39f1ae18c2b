"""Many at once, on real connections: one ballot per member, none lost; each race ends in one of its two right ways."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from membership.db import db
from membership.kernel.errors import Conflict, Refused
from membership.polls import jobs, keys, queries, services
from membership.polls.models import ChainLink, Commitment, Poll, RollEntry, SealedBallot
from tests.factories.polls import CLOSES, NOW, cast_ballot, close_poll, make_patron, make_patrons, make_poll, refund


def at_once(app, steps, n_threads: int = 16):
    """Run the steps on threads that start together; each one's result, or the error of ours that it raised."""
    gate = threading.Barrier(min(n_threads, len(steps)))
    waited = threading.local()

    def run(step):
        with app.app_context():
            if not hasattr(waited, "done"):
                waited.done = True
                gate.wait(30)
            try:
                return step()
            except (Conflict, Refused) as error:
                return error.code
            finally:
                db.session.remove()

    db.session.rollback()
    with ThreadPoolExecutor(n_threads) as pool:
        ended = list(pool.map(run, steps))
    db.session.rollback()  # so that the test reads what the database says now
    return ended


def n_rows(model) -> int:
    return db.session.scalar(select(func.count()).select_from(model))


def test_a_hundred_threads_of_one_member_leave_one_ballot_and_a_whole_chain(app):
    olena = make_patron()
    make_patrons(5)
    poll = make_poll()
    poll_id, person_id = poll.id, olena.id
    saved = at_once(app, [lambda i=i: services.cast(poll_id, person_id, [i % 4], NOW) for i in range(100)], 20)
    assert sum(not each.is_change for each in saved) == 1
    assert (n_rows(SealedBallot), n_rows(Commitment)) == (1, 100)
    recorded = [each.receipt for each in saved if queries.find_receipt(poll, each.receipt).state == "recorded"]
    assert len(recorded) == 1
    poll = close_poll(poll)
    assert (poll.state, queries.receipt_hashes(poll.id)) == ("closed", [queries.receipt_hashes(poll.id)[0]])
    assert queries.find_receipt(poll, recorded[0]).state == "counted"
    assert n_rows(ChainLink) == 102


def test_a_thousand_members_in_a_burst_leave_a_thousand_ballots(app):
    people = make_patrons(1000)
    poll = make_poll()
    poll_id = poll.id
    stop = threading.Event()

    def link_meanwhile():
        with app.app_context():
            while not stop.wait(0.05):
                services.link(poll_id)
            db.session.remove()

    linker = threading.Thread(target=link_meanwhile)
    linker.start()
    saved = at_once(app, [lambda p=p: services.cast(poll_id, p, [p % 4], NOW) for p in people], 16)
    stop.set()
    linker.join()
    db.session.rollback()
    assert len({each.receipt for each in saved}) == 1000
    assert queries.turnout(poll.id) == queries.Turnout(1000, 1000)
    poll = close_poll(poll)
    assert (poll.state, poll.trouble) == ("closed", None)
    result = queries.result_of(poll.id)
    expected = Counter(person % 4 for person in people)
    assert result.count["rounds"][0]["totals"] == {str(n): str(expected[n]) for n in range(4)}
    assert n_rows(ChainLink) == 1002


def test_a_ballot_that_races_the_close_is_either_counted_or_refused(app):
    people = make_patrons(200)
    poll = make_poll(rule="plurality", n_seats=1)
    poll_id, last_moment = poll.id, CLOSES - (CLOSES - NOW) / 10**9
    steps = [lambda p=p: services.cast(poll_id, p, [1], last_moment) for p in people]
    steps.insert(60, lambda: services.close(poll_id, CLOSES))
    ended = at_once(app, steps)
    saved = [each for each in ended if isinstance(each, services.Saved)]
    assert {each for each in ended if isinstance(each, str)} <= {"poll_closed"}
    poll = db.session.get_one(Poll, poll_id, populate_existing=True)
    assert (poll.state, poll.trouble) == ("closed", None)
    assert queries.result_of(poll_id).n_voted == len(saved)
    assert {queries.find_receipt(poll, each.receipt).state for each in saved} == {"counted"}
    assert n_rows(SealedBallot) == 0
    assert n_rows(Commitment) == len(saved)


@pytest.mark.parametrize("first", ["vote", "refund"])
def test_a_vote_and_a_refund_come_one_after_the_other(app, first):
    """Whichever transaction is first, the other waits for it and sees what it did."""
    olena = make_patron()
    make_patrons(5)
    poll = make_poll()
    poll_id, person_id = poll.id, olena.id
    inside, go_on = threading.Event(), threading.Event()

    def hold(step):
        def held():
            from membership.db import transaction

            with transaction("test.hold"):
                ended = step()
                inside.set()
                go_on.wait(20)
            return ended

        return held

    def wait_then(step):
        def later():
            inside.wait(20)
            threading.Timer(0.5, go_on.set).start()
            return step()

        return later

    def vote():
        return services.cast(poll_id, person_id, [1], NOW)

    def give_back():
        from membership.accounts.models import Person

        refund(db.session.get_one(Person, person_id), NOW)

    steps = [hold(vote), wait_then(give_back)] if first == "vote" else [hold(give_back), wait_then(vote)]
    ended = at_once(app, steps, 2)
    if first == "vote":
        assert isinstance(ended[0], services.Saved)
        result = queries.result_of(close_poll(poll).id)
        assert (result.n_voted, result.n_set_aside) == (1, 1)
    else:
        assert ended[1] == "not_covered"
        assert n_rows(Commitment) == 0


def test_a_refund_that_races_the_close_is_wholly_before_or_wholly_after_it(app):
    people = [make_patron(f"reader{i}@example.org") for i in range(8)]
    poll = make_poll()
    for person in people:
        cast_ballot(poll, person, [0])
    poll_id, person_id = poll.id, people[0].id

    def give_back():
        from membership.accounts.models import Person

        refund(db.session.get_one(Person, person_id), CLOSES)

    at_once(app, [give_back, lambda: services.close(poll_id, CLOSES)], 2)
    result = queries.result_of(poll_id)
    assert (result.n_voted, result.n_set_aside) in {(8, 0), (8, 1)}
    assert result.count["n_ballots"] == 8 - result.n_set_aside


def test_two_members_of_staff_open_a_poll_at_once(app):
    from tests.factories.polls import make_draft

    make_patrons(3)
    draft_id = make_draft().id
    ended = at_once(app, [lambda: services.open_poll(draft_id, None, NOW).id for _ in range(6)], 6)
    assert Counter(ended) == {draft_id: 1, "poll_not_draft": 5}
    assert n_rows(RollEntry) == 3
    poll = db.session.get_one(Poll, draft_id)
    assert keys.find(poll.public_id) is not None
    cast_ballot(poll, db.session.scalar(select(RollEntry.person_id)), [1])
    assert queries.turnout(draft_id).n_voted == 1


def test_two_workers_close_a_poll_at_once(app):
    people = make_patrons(6)
    poll = make_poll()
    for person in people:
        cast_ballot(poll, person, [0])
    at_once(app, [lambda: jobs.close_due(CLOSES) for _ in range(4)] + [lambda: jobs.wipe(CLOSES)] * 2, 6)
    poll = db.session.get_one(Poll, poll.id, populate_existing=True)
    jobs.wipe(CLOSES)
    assert (poll.state, poll.trouble, queries.result_of(poll.id).n_voted) == ("closed", None, 6)
    assert n_rows(ChainLink) == 8
