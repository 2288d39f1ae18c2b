"""What waits for somebody today, as counts; each by an index, whatever the size of the house."""

from dataclasses import dataclass

from sqlalchemy import func, select

from membership.contributions.models import Contribution
from membership.contributions.rules import State
from membership.db import db
from membership.polls import queries as polls
from membership.topics import queries as topics
from membership.topics.rules import Stage
from membership.transfers.queries import OPEN, count_lines


@dataclass(frozen=True, slots=True)
class Needs:
    """How many supports are past due, lines of statements wait for a decision, proposals wait, polls are stuck."""

    n_past_due: int
    n_lines: int
    n_proposals: int
    n_stuck_polls: int

    @property
    def is_nothing(self) -> bool:
        """Whether nothing waits."""
        return not (self.n_past_due or self.n_lines or self.n_proposals or self.n_stuck_polls)


def needs() -> Needs:
    """What waits now."""
    past_due = select(func.count()).select_from(Contribution).where(Contribution.state == State.PAST_DUE.value)
    lines = count_lines()
    return Needs(
        n_past_due=db.session.scalar(past_due) or 0,
        n_lines=sum(lines.get(state, 0) for state in OPEN),
        n_proposals=topics.n_by_stage().get(Stage.PROPOSED, 0),
        n_stuck_polls=sum(bool(poll.trouble) for poll in polls.list_for_staff(state="open")),
    )
