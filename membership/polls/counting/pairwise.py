"""Every option against every other, and who beats all others: information beside a ranked count, not a rule.

An option that a ballot does not name stands below all that it names; options of equal rank, and two that are not named,
are not compared. Source of the idea: M. de Condorcet, Essai sur l'application de l'analyse (1785).
"""

from operator import xor

from membership.polls.counting.groups import Groups, Members

Table = tuple[tuple[int, ...], ...]


def table(groups: Groups) -> Table:
    """`table[a][b]`: how many ballots name a above b. The diagonal is 0."""
    below = _below(groups)
    options = range(groups.n_options)

    def ahead(one: int, other: int) -> int:
        ballots = 0
        for rank, lower in zip(groups.ranks, below, strict=True):
            ballots |= rank[one] & lower[other]
        return groups.size(ballots)

    return tuple(tuple(ahead(one, other) if one != other else 0 for other in options) for one in options)


def _below(groups: Groups) -> list[list[Members]]:
    """For each rank and option: the ballots that name the option in a later rank or not at all."""
    everyone = 0
    for members in groups.ticks:
        everyone |= members
    left, below = [everyone] * groups.n_options, []
    for rank in groups.ranks:
        left = list(map(xor, left, rank))
        below.append(left)
    return below


def condorcet_winner(pairwise: Table) -> int | None:
    """The option that more ballots put above each other one than below; None where there is none."""
    for one, row in enumerate(pairwise):
        if all(row[other] > pairwise[other][one] for other in range(len(row)) if other != one):
            return one
    return None
