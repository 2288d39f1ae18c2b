"""Killed at every labelled point, a poll goes on where it stood: nothing is lost, done twice, or left behind."""

import signal
import subprocess
import sys

import pytest
from sqlalchemy import func, select

from membership.db import db
from membership.mail.models import Broadcast
from membership.polls import jobs, keys, queries, services
from membership.polls.models import ChainLink, Commitment, Poll, SealedBallot
from membership.topics.models import TopicEvent
from tests.factories.polls import CLOSES, NOW, cast_ballot, close_poll, make_draft, make_patrons, make_poll
from tests.faults.house import environment_of
from tests.polls.test_evidence import verify

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def die(settings):
    """`die(point, step, poll, …)`: do a step in another process, which is killed at the point (or lives: None)."""
    environment = environment_of(settings.model_copy(update={"stripe_api_base": ""})) | {
        "KEYS_PATH": settings.keys_path
    }

    def run(point, *words) -> None:
        db.session.rollback()
        command = [sys.executable, "-m", "tests.polls.die_at", *map(str, words)]
        armed = environment | ({"FAULT_AT": point} if point else {})
        done = subprocess.run(command, env=armed, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == (-signal.SIGKILL if point else 0), done.stderr[-2000:]

    return run


def n_rows(model) -> int:
    return db.session.scalar(select(func.count()).select_from(model))


def again(poll: Poll) -> Poll:
    return db.session.get_one(Poll, poll.id, populate_existing=True)


@pytest.mark.parametrize("point", ["polls.key:made", "polls.open:before-commit", "polls.open:after-commit"])
def test_an_opening_is_whole_or_has_not_been(die, point):
    people = make_patrons(6)
    draft = make_draft()
    die(point, "open", draft.id)
    assert len(list(keys.list_polls())) == 1
    jobs.wipe(NOW)
    poll = again(draft)
    if point.endswith("after-commit"):
        assert poll.state == "open"
    else:
        assert (poll.state, list(keys.list_polls()), n_rows(ChainLink)) == ("draft", [], 0)
        poll = services.open_poll(draft.id, None, NOW)
    for person in people:
        cast_ballot(poll, person, [1])
    poll = close_poll(poll)
    assert (poll.state, poll.trouble) == ("closed", None)
    assert db.session.scalars(select(Broadcast.once_key)).all().count(f"poll-opened:{poll.id}") == 1


@pytest.mark.parametrize("point", ["polls.cast:before-commit", "polls.cast:after-commit"])
def test_a_ballot_is_whole_or_has_not_been(die, point):
    people = make_patrons(6)
    poll = make_poll()
    for person in people:
        cast_ballot(poll, person, [1])
    die(point, "cast", poll.id, people[0])
    assert queries.my_part(poll, people[0], NOW).current == ([2] if point.endswith("after-commit") else [1])
    assert (n_rows(SealedBallot), n_rows(Commitment)) == (6, 7 if point.endswith("after-commit") else 6)
    assert close_poll(poll).trouble is None


LINKING = ("polls.horizon:after-commit", "polls.link:before-commit", "polls.link:after-commit")


@pytest.mark.parametrize("point", LINKING)
def test_a_chain_goes_on_where_it_stood(die, point):
    people = make_patrons(6)
    poll = make_poll()
    for person in people:
        cast_ballot(poll, person, [1])
    die(point, "link", poll.id)
    cast_ballot(poll, people[0], [2])
    jobs.link(NOW)
    assert (n_rows(ChainLink), keys.find_head(poll.public_id)) == (8, queries.head_of(poll.id))
    assert verify(queries.evidence(poll.id))[0] == 0
    assert close_poll(poll).trouble is None


CLOSING = (
    "polls.close:before-commit",
    "polls.close:after-commit",
    "polls.key:destroyed",
    "polls.head:destroyed",
    "polls.files:wiped",
    "polls.wipe:before-commit",
    "polls.wipe:after-commit",
)


@pytest.mark.parametrize("point", CLOSING)
def test_a_close_is_done_once_and_leaves_nothing_behind(die, point):
    people = make_patrons(7)
    poll = make_poll(rule="plurality", n_seats=1)
    receipts = [cast_ballot(poll, person, [person % 2]).receipt for person in people]
    jobs.link(NOW)
    die(point, "close", poll.id)
    poll = again(poll)
    assert poll.state == ("open" if point == "polls.close:before-commit" else "closed")
    if poll.state == "open":
        assert queries.result_of(poll.id) is None
        assert keys.find(poll.public_id) is not None
    poll = close_poll(poll)
    assert (poll.state, poll.closed_at, poll.wiped_at, poll.trouble) == ("closed", CLOSES, CLOSES, None)
    assert (list(keys.list_polls()), [path.name for path in keys.folder().iterdir()], n_rows(SealedBallot)) == (
        [],
        [keys.MARK],
        0,
    )
    assert n_rows(ChainLink) == 9
    assert db.session.scalars(select(Broadcast.once_key)).all().count(f"poll-results:{poll.id}") == 1
    chosen = select(func.count()).select_from(TopicEvent).where(TopicEvent.kind.in_(["chosen", "not_chosen"]))
    assert db.session.scalar(chosen) == 4
    assert {queries.find_receipt(poll, receipt).state for receipt in receipts} == {"counted"}
    assert verify(queries.evidence(poll.id, with_ballots=True))[0] == 0


@pytest.mark.parametrize("point", ["polls.cancel:before-commit", "polls.cancel:after-commit", "polls.key:destroyed"])
def test_a_cancellation_is_finished_by_the_next_start(die, point):
    people = make_patrons(6)
    poll = make_poll()
    cast_ballot(poll, people[0], [1])
    die(point, "cancel", poll.id)
    services.cancel(poll.id, "We asked the wrong question.", None)
    jobs.wipe(NOW)
    poll = again(poll)
    assert (poll.state, poll.wiped_at is None, list(keys.list_polls())) == ("cancelled", False, [])
    assert n_rows(SealedBallot) == 0
