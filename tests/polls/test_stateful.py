"""Anything in any order: members vote, change, lose and get coverage, refund; time passes. A model keeps count."""

import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings, strategies
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from membership.app import create_app
from membership.db import db
from membership.kernel.errors import Conflict, Refused
from membership.patrons import services as patrons
from membership.patrons.models import CoverageGrant
from membership.patrons.rules import Cause
from membership.polls import jobs, queries
from membership.polls.models import Poll
from tests.conftest import make_settings
from tests.factories.polls import CLOSES, NOW, cast_ballot, make_patron, make_poll
from tests.polls.test_evidence import verify

N_MEMBERS = 7
members = strategies.integers(0, N_MEMBERS - 1)
ballots = strategies.lists(strategies.integers(0, 3), unique=True, max_size=4)


class Polling(RuleBasedStateMachine):
    """One poll of seven members; `effective` is what the model says that each of them has on their ballot."""

    @initialize()
    def begin(self):
        self.folder = tempfile.TemporaryDirectory()
        place = Path(self.folder.name)
        known = make_settings(database_url=f"sqlite:///{place / 'poll.db'}", queue_path=str(place / "queue.db"))
        self.app = create_app(known)
        self.context = self.app.app_context()
        self.context.push()
        db.create_all()
        # Half of them are covered until the middle of the poll only.
        ends = [NOW + timedelta(days=3) if i % 2 else None for i in range(N_MEMBERS)]
        self.people = [make_patron(f"m{i}@example.org", ends_at=end).id for i, end in enumerate(ends)]
        self.paid_until = [end or NOW + timedelta(days=300) for end in ends]
        self.refunded, self.comped, self.effective, self.receipts = set(), set(), {}, {}
        self.poll = make_poll(publish_from=5).id
        self.now, self.is_closed, self.n_saves = NOW, False, 0

    @rule(member=members, ballot=ballots)
    def vote(self, member, ballot):
        ended = self._try_to_vote(self.people[member], ballot)
        if self.is_closed or self.now >= CLOSES:
            assert ended == "poll_closed"
        elif self.now >= self.paid_until[member] and member not in self.comped:
            assert ended == "not_covered"
        else:
            assert ended.is_change == (member in self.effective)
            self.effective[member], self.receipts[member] = sorted(ballot), ended.receipt
            self.n_saves += 1

    def _try_to_vote(self, person, ballot):
        try:
            return cast_ballot(db.session.get_one(Poll, self.poll), person, ballot, self.now)
        except (Conflict, Refused) as error:
            return error.code

    def _reference(self, member) -> str:
        mine = select(CoverageGrant.cause_ref).where(CoverageGrant.person_id == self.people[member])
        return db.session.scalar(mine.order_by(CoverageGrant.id).limit(1))

    @rule(member=members)
    def give_back(self, member):
        patrons.revoke(self._reference(member), self.now)
        self.paid_until[member] = min(self.paid_until[member], self.now)
        if not self.is_closed:
            self.refunded.add(member)

    @precondition(lambda self: self.now < CLOSES)
    @rule(member=members)
    def cover_anew(self, member):
        name = f"comp:{member}:{self.now.isoformat()}"
        patrons.grant_period(
            self.people[member], Cause.COMP, name, paid_at=self.now, starts_at=self.now, ends_at=CLOSES
        )
        self.comped.add(member)

    @rule(hours=strategies.sampled_from([1, 20, 50]))
    def let_time_pass(self, hours):
        self.now += timedelta(hours=hours)

    @rule()
    def work(self):
        """The worker sweeps."""
        jobs.link(self.now)
        jobs.close_due(self.now)
        jobs.wipe(self.now)
        if self.now >= CLOSES and not self.is_closed:
            self.is_closed = True
            self._compare()

    def _compare(self):
        poll = db.session.get_one(Poll, self.poll, populate_existing=True)
        assert (poll.state, poll.trouble, poll.wiped_at) == ("closed", None, self.now)
        result = queries.result_of(self.poll)
        kept = {member: ballot for member, ballot in self.effective.items() if member not in self.refunded}
        assert (result.n_voted, result.n_set_aside) == (len(self.effective), len(self.effective) - len(kept))
        assert result.count["n_ballots"] == len(kept)
        for member, receipt in self.receipts.items():
            found = queries.find_receipt(poll, receipt).state
            assert found == ("counted" if member in kept else "unknown")
        if len(kept) >= 5:
            expected = Counter(",".join(map(str, ballot)) for ballot in kept.values())
            assert dict(queries.published_ballots(poll)) == expected
        else:
            assert queries.published_ballots(poll) is None
        assert verify(queries.evidence(self.poll, with_ballots=True))[0] == 0

    @precondition(lambda self: not self.is_closed)
    @invariant()
    def everybody_sees_their_own_ballot(self):
        poll = db.session.get_one(Poll, self.poll, populate_existing=True)
        assert queries.turnout(self.poll).n_voted == len(self.effective)
        assert len(queries.evidence(self.poll)["commitments"]) == self.n_saves
        for member, person in enumerate(self.people):
            assert queries.my_part(poll, person, self.now).current == self.effective.get(member)

    def teardown(self):
        if hasattr(self, "context"):
            if not self.is_closed:
                self.now = max(self.now, CLOSES)
                self.work()
            db.session.remove()
            db.engine.dispose()
            self.app.extensions["membership.hints"].close()
            self.context.pop()
            self.folder.cleanup()


def test_whatever_happens_the_count_is_that_of_the_model():
    run_state_machine_as_test(
        Polling,
        settings=settings(
            max_examples=20,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
