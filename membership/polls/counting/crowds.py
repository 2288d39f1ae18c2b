"""Voters in crowds: those who agree on every option that was bought so far have paid the same and own the same.

Equal shares asks again and again how many of a crowd tick an option, for shares that differ a little; so a crowd and
its numbers are kept, and split once only. A ballot is an integer here whose bits are its ticks.
"""

from collections.abc import Iterable
from functools import cached_property
from itertools import chain

from membership.polls.counting.groups import sets_of
from membership.polls.counting.profile import Profile


class Crowd:
    """Ballots that tick all of `has` and none of `lacks` (both as bits); ballots that tick nothing are nowhere.

    `ballots[power]` holds one integer for each group of ballots whose size has that power of two in it.
    """

    def __init__(self, has: int, lacks: int, ballots: list[list[int]], n_options: int) -> None:
        self.has = has
        self.lacks = lacks
        self.ballots = ballots
        self._n_options = n_options
        self.size = sum(len(some) << power for power, some in enumerate(ballots))

    @cached_property
    def votes(self) -> list[int]:
        """How many ballots tick each option."""
        n_bytes = (self._n_options + 7) // 8
        votes = [0] * self._n_options
        for power, some in enumerate(self.ballots):
            packed = b"".join([ballot.to_bytes(n_bytes, "little") for ballot in some])
            for option, members in enumerate(sets_of(packed, n_bytes, self._n_options)):
                votes[option] += members.bit_count() << power
        return votes


class Crowds:
    """All crowds of one profile that were asked for, `everyone` first."""

    def __init__(self, profile: Profile) -> None:
        self._n_options = len(profile.options)
        self._found: dict[tuple[int, int], Crowd] = {}
        self._n_kept = 0
        self.everyone = Crowd(0, 0, _by_power(profile), self._n_options)
        self._most_kept = 1_000_000 + 16 * sum(map(len, self.everyone.ballots))

    def split(self, crowd: Crowd, option: int) -> tuple[Crowd, Crowd]:
        """Those of `crowd` who tick `option`, and those who do not; either may be empty."""
        bit = 1 << option
        votes = crowd.votes[option]
        if votes in {0, crowd.size}:
            nobody = Crowd(0, 0, [], self._n_options)
            return (crowd, nobody) if votes else (nobody, crowd)
        key, other = (crowd.has | bit, crowd.lacks), (crowd.has, crowd.lacks | bit)
        if key not in self._found or other not in self._found:
            if self._n_kept > self._most_kept:
                self._found.clear()
                self._n_kept = 0
            theirs = [[ballot for ballot in some if ballot & bit] for some in crowd.ballots]
            self._found[key] = Crowd(*key, theirs, self._n_options)
            others = [[ballot for ballot in some if not ballot & bit] for some in crowd.ballots]
            self._found[other] = Crowd(*other, others, self._n_options)
            self._n_kept += sum(map(len, crowd.ballots))
        return self._found[key], self._found[other]


def _by_power(profile: Profile) -> list[list[int]]:
    bits = {option: 1 << option for option in range(len(profile.options))}
    powers: list[list[int]] = [[]]
    for size, choice in profile.groups:
        ticks: Iterable[int] = choice[0] if len(choice) == 1 else chain.from_iterable(choice)
        ballot = sum(map(bits.__getitem__, ticks))
        if size == 1:
            powers[0].append(ballot)
            continue
        while size >> len(powers):
            powers.append([])
        for power, some in enumerate(powers):
            if size >> power & 1:
                some.append(ballot)
    return [[ballot for ballot in some if ballot] for some in powers]
