"""Head to head: every topic of a ranked count against every other."""

from collections.abc import Mapping
from dataclasses import dataclass

from membership.polls.counting.result import Count

FEWEST = 2


@dataclass(frozen=True)
class Duel:
    """One cell of the head-to-head table: `ours` ballots put the row above the column, `theirs` the column above."""

    ours: int
    theirs: int


@dataclass(frozen=True)
class Duels:
    """Every topic against every other, in the order of the result; `beats_all` is the Condorcet winner, or None."""

    options: tuple[int, ...]
    cells: Mapping[tuple[int, int], Duel]
    n_won: Mapping[int, int]
    beats_all: int | None


def duels_of(count: Count) -> Duels | None:
    """The table; None where ballots are not ranked, or one topic meets nobody."""
    if count.pairwise is None or len(count.options) < FEWEST:
        return None
    cells = {
        (one, other): Duel(count.pairwise[one][other], count.pairwise[other][one])
        for one in count.order
        for other in count.order
        if one != other
    }
    n_won = {
        one: sum(cells[one, other].ours > cells[one, other].theirs for other in count.order if other != one)
        for one in count.order
    }
    return Duels(count.order, cells, n_won, count.condorcet_winner)
