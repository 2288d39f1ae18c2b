"""What is counted: the options, the published lot order, and the ballots in groups of equal ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

# Positions of options in ranks, best first. An approval ballot is one rank with all ticks, a single choice one rank
# with one option, a blank ballot `()`. Options that are not named are below all that are.
# No option stands on a ballot twice.
Choice = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Profile:
    """Everything that a count depends on. The order of `groups` and how ballots are grouped do not matter.

    `groups` pairs a number of ballots (0 or more) with their choice. `lot_order` names every position once; of options
    that tie, the one that stands first in it wins. `costs` (one for each option), `budget` and `unit` are for equal
    shares only, all in one currency or in hours; `unit` is by how much each voter's share is raised at a time, and
    `fills_up` whether options that still fit are added at the end (our polls do, the towns in Pabulib do not).

    Raises ValueError where the parts do not fit each other.
    """

    options: tuple[str, ...]
    lot_order: tuple[int, ...]
    groups: Sequence[tuple[int, Choice]]
    costs: tuple[Fraction | int, ...] | None = None
    budget: Fraction | int | None = None
    unit: Fraction | int = 1
    fills_up: bool = True

    def __post_init__(self) -> None:
        if sorted(self.lot_order) != list(range(len(self.options))):
            raise ValueError("The lot order must name every option once.")
        if self.costs is not None and len(self.costs) != len(self.options):
            raise ValueError("Every option needs a cost.")
        if self.costs is not None and any(cost <= 0 for cost in self.costs):
            raise ValueError("A cost must be more than nothing.")
        if self.budget is not None and self.budget < 0:
            raise ValueError("A budget cannot be less than nothing.")
        if self.unit <= 0:
            raise ValueError("The step by which shares are raised must be more than nothing.")
