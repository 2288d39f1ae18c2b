"""Voters in crowds: those who agree on every option that was bought so far have paid the same and own the same.

Equal shares asks again and again how many of a crowd tick an option, for shares that differ a little; so a crowd and
its numbers are kept, and split once only. A ballot is an integer here whose bits are its ticks.
"""

import struct
from collections.abc import Iterable
from itertools import chain
from operator import sub

from membership.polls.counting.groups import sets_of
from membership.polls.counting.profile import Profile

# Bytes of the longest whole number that `struct` writes in one go.
_LONG = 8


class Crowd:
    """Ballots that tick all of `has` and none of `lacks` (both as bits); ballots that tick nothing are nowhere.

    `ballots[power]` holds one integer for each group of ballots whose size has that power of two in it. `votes` says
    for each option how many of these ballots tick it, `size` how many there are.
    """

    def __init__(self, has: int, lacks: int, ballots: list[list[int]], votes: list[int]) -> None:
        self.has = has
        self.lacks = lacks
        self.ballots = ballots
        self.votes = votes
        self.size = sum(len(some) << power for power, some in enumerate(ballots))


class Crowds:
    """All crowds of one profile that were asked for, `everyone` first."""

    def __init__(self, profile: Profile) -> None:
        self._n_options = len(profile.options)
        self._found: dict[tuple[int, int], Crowd] = {}
        self._n_kept = 0
        ballots = _by_power(profile)
        self.everyone = Crowd(0, 0, ballots, self._votes(ballots))
        # Bounds the memory for crowds that are remembered: eight bytes each, some ten times the ballots themselves.
        self._most_kept = 100_000 + 10 * sum(map(len, ballots))
        self._nobody = Crowd(0, 0, [], [0] * self._n_options)

    def split(self, crowd: Crowd, option: int) -> tuple[Crowd, Crowd]:
        """Those of `crowd` who tick `option`, and those who do not; either may be empty."""
        votes = crowd.votes[option]
        if votes in {0, crowd.size}:
            return (crowd, self._nobody) if votes else (self._nobody, crowd)
        bit = 1 << option
        key, other = (crowd.has | bit, crowd.lacks), (crowd.has, crowd.lacks | bit)
        if key not in self._found or other not in self._found:
            if self._n_kept > self._most_kept:
                self._found.clear()
                self._n_kept = 0
            self._found[key], self._found[other] = self._halves(crowd, bit, votes)
            self._n_kept += sum(map(len, crowd.ballots))
        return self._found[key], self._found[other]

    def _halves(self, crowd: Crowd, bit: int, n_theirs: int) -> tuple[Crowd, Crowd]:
        theirs = [[ballot for ballot in some if ballot & bit] for some in crowd.ballots]
        others = [[ballot for ballot in some if not ballot & bit] for some in crowd.ballots]
        # The smaller half is counted, the larger is the rest.
        if 2 * n_theirs <= crowd.size:
            votes = self._votes(theirs)
            rest = list(map(sub, crowd.votes, votes))
        else:
            rest = self._votes(others)
            votes = list(map(sub, crowd.votes, rest))
        return Crowd(crowd.has | bit, crowd.lacks, theirs, votes), Crowd(crowd.has, crowd.lacks | bit, others, rest)

    def _votes(self, ballots: list[list[int]]) -> list[int]:
        """How many of `ballots` tick each option."""
        votes = [0] * self._n_options
        for power, some in enumerate(ballots):
            n_bytes, packed = self._packed(some)
            for option, members in enumerate(sets_of(packed, n_bytes, self._n_options)):
                votes[option] += members.bit_count() << power
        return votes

    def _packed(self, some: list[int]) -> tuple[int, bytes]:
        if self._n_options <= _LONG * 8:
            return _LONG, struct.pack(f"<{len(some)}Q", *some)
        n_bytes = (self._n_options + 7) // 8
        return n_bytes, b"".join([ballot.to_bytes(n_bytes, "little") for ballot in some])


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
