"""What the front page shows, read from the rooms below."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from membership.newsroom.queries import goal_patrons
from membership.patrons.queries import n_patrons
from membership.polls import queries as polls
from membership.polls.models import Poll
from membership.polls.queries import Turnout
from membership.topics import queries as topics
from membership.topics.models import Topic

N_STORIES = 3


@dataclass(frozen=True, slots=True)
class Goal:
    """How far the newsroom is: patrons now, patrons wanted, and their share (0..1, never above 1)."""

    n_patrons: int
    n_wanted: int

    @property
    def ratio(self) -> float:
        """How much of the goal is reached."""
        return min(1.0, self.n_patrons / self.n_wanted)


def goal(at: datetime) -> Goal:
    """The goal of the front page as it stands at `at`."""
    return Goal(n_patrons=n_patrons(at), n_wanted=goal_patrons())


@dataclass(frozen=True, slots=True)
class Vote:
    """The poll that is open now and closes first, with how many voted."""

    poll: Poll
    turnout: Turnout


def vote(at: datetime) -> Vote | None:
    """The vote to take part in at `at`; None while there is none."""
    found = polls.list_open(at)
    return Vote(found[0], polls.turnout(found[0].id)) if found else None


def stories() -> Sequence[Topic]:
    """The latest stories that members chose, at most three."""
    return topics.stories(N_STORIES).rows
