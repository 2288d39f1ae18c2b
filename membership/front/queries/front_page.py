"""What the front page shows, read from the rooms below."""

from dataclasses import dataclass
from datetime import datetime

from membership.newsroom.queries import goal_patrons
from membership.patrons.queries import n_patrons


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
