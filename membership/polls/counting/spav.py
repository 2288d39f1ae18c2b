"""Sequential Proportional Approval Voting: a ballot of which j options are already chosen weighs 1/(j+1).

One round for each seat: every option that is not chosen yet gets the weight of the ballots that tick it, and the
highest is chosen. `totals` are these weights, exact. `missed_by`: how much less than the last winner in its
round (0: it lost by lot).
In `more`: `weights`, pairs of weight and number of ballots that had it in this round, heaviest first: [["1", 40],
["1/2", 7]]; blank ballots are not among them.

Source: T. Thiele, Om Flerfoldsvalg (1895); M. Lackner, P. Skowron, Multi-Winner Voting with Approval Preferences
(Springer 2023), rule 3.
"""

from collections.abc import Iterator
from fractions import Fraction
from math import lcm

from membership.polls.counting.groups import Groups, Members
from membership.polls.counting.lots import Lots
from membership.polls.counting.profile import Profile
from membership.polls.counting.result import Count, Round
from membership.polls.counting.rule import Rule, _l


def count(profile: Profile, groups: Groups, n_seats: int) -> Count:
    """Choose one option after the other. Another seat never takes one away, so `order` is the same count gone on."""
    lots, silent = Lots(profile.lot_order), Lots(profile.lot_order)
    tally = _Tally(groups)
    rounds: list[Round] = []
    order: list[int] = []
    for number in range(1, groups.n_options + 1):
        totals = tally.totals()
        chosen = (lots if number <= n_seats else silent).highest(totals, number)
        if number <= n_seats:
            rounds.append(Round(number, totals, elected=(chosen,), more={"weights": list(tally.weights())}))
        order.append(chosen)
        tally.choose(chosen)
    last = rounds[-1].totals if rounds else {}
    return Count(
        rule=RULE.slug,
        version=RULE.version,
        n_seats=n_seats,
        options=profile.options,
        winners=tuple(order[:n_seats]),
        order=tuple(order),
        ties=tuple(lots.ties),
        rounds=tuple(rounds),
        n_ballots=groups.n_ballots,
        n_blank=groups.n_blank,
        missed_by={loser: last[order[n_seats - 1]] - last[loser] for loser in order[n_seats:]},
    )


class _Tally:
    """Ballots by how many of their options are chosen already.

    Scores are whole numbers: weights times a number that all of 1, 2 … up to the number of options divide.
    """

    def __init__(self, groups: Groups) -> None:
        self._groups = groups
        self._open = dict(enumerate(groups.ticks))
        self._whole = lcm(*range(1, groups.n_options + 1))
        everyone = 0
        for members in groups.ticks:
            everyone |= members
        # At place j: the ballots of which j options are chosen.
        self._levels: list[Members] = [everyone]

    def totals(self) -> dict[int, Fraction]:
        """The weight of the ballots behind every option that is not chosen yet."""
        return {option: Fraction(self._score(members), self._whole) for option, members in self._open.items()}

    def _score(self, members: Members) -> int:
        size = self._groups.size
        return sum(size(members & level) * (self._whole // j) for j, level in enumerate(self._levels, 1) if level)

    def weights(self) -> Iterator[list[str | int]]:
        """Pairs of weight and number of ballots that have it, heaviest first."""
        for j, level in enumerate(self._levels, 1):
            if level:
                yield [str(Fraction(1, j)), self._groups.size(level)]

    def choose(self, option: int) -> None:
        """Move everybody who ticked `option` one level on."""
        members = self._open.pop(option)
        self._levels.append(0)
        for j in range(len(self._levels) - 2, -1, -1):
            moving = self._levels[j] & members
            self._levels[j] ^= moving
            self._levels[j + 1] |= moving


RULE = Rule(
    slug="spav",
    version="spav/1",
    kind="approval",
    name=_l("Sequential Proportional Approval Voting"),
    sentence=_l(
        "Tick every topic that you would like; topics are chosen one after the other, and each time one of yours is"
        " chosen, your ballot weighs less for the next: 1, 1/2, 1/3 …"
    ),
    count=count,
)
