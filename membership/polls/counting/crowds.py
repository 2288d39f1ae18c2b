"""Voters in crowds: those who agree on every option that was bought so far have paid the same and own the same.

Equal shares asks again and again how many of a crowd tick an option, for shares that differ a little; so a crowd and
its numbers are kept, and split once only. Ballots lie in blocks of those that agree on the options with most ticks,
which are bought first: then a crowd lies in few blocks, and its sets (bits of integers, as in `groups`) are short.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import sub

from membership.polls.counting.groups import Members, sets_of
from membership.polls.counting.profile import Choice, Profile

# So many ballots in a block make long enough sets for speed; there are at most 2 ** _MOST_TOP blocks.
_IN_A_BLOCK = 4096
_MOST_TOP = 8
# So many crowds are remembered; with thirty options that is some 50 MB.
_MOST_CROWDS = 50_000


@dataclass(frozen=True)
class _Block:
    """Groups of 2 ** `power` equal ballots each; `sets` says for each option which of them tick it."""

    power: int
    sets: list[Members]


@dataclass(frozen=True)
class Crowd:
    """Ballots that tick all of `has` and none of `lacks` (options as bits); ballots that tick nothing are nowhere.

    `parts` are its members in each block. `votes` says for each option how many ballots tick it, `size` how many there
    are.
    """

    has: int
    lacks: int
    parts: list[tuple[_Block, Members]]
    votes: list[int]
    size: int


class Crowds:
    """All crowds of one profile that were asked for, `everyone` first."""

    def __init__(self, profile: Profile) -> None:
        n_options = len(profile.options)
        self._found: dict[tuple[int, int], Crowd] = {}
        self._nobody = Crowd(0, 0, [], [0] * n_options, 0)
        blocks = list(_blocks(profile.groups, n_options))
        parts = [(block, (1 << n_groups) - 1) for block, n_groups in blocks]
        size = sum(n_groups << block.power for block, n_groups in blocks)
        self.everyone = Crowd(0, 0, parts, self._votes(parts), size)

    def split(self, crowd: Crowd, option: int) -> tuple[Crowd, Crowd]:
        """Those of `crowd` who tick `option`, and those who do not; either may be empty."""
        n_theirs = crowd.votes[option]
        if n_theirs in {0, crowd.size}:
            return (crowd, self._nobody) if n_theirs else (self._nobody, crowd)
        bit = 1 << option
        key, other = (crowd.has | bit, crowd.lacks), (crowd.has, crowd.lacks | bit)
        if key not in self._found or other not in self._found:
            if len(self._found) > _MOST_CROWDS:
                self._found.clear()
            self._halve(crowd, option, key, other)
        return self._found[key], self._found[other]

    def _halve(self, crowd: Crowd, option: int, key: tuple[int, int], other: tuple[int, int]) -> None:
        theirs, others = [], []
        for block, members in crowd.parts:
            ticking = members & block.sets[option]
            if ticking:
                theirs.append((block, ticking))
            if ticking != members:
                others.append((block, members ^ ticking))
        # One half is counted, the other is the rest.
        if len(theirs) <= len(others):
            votes = self._votes(theirs)
            rest = list(map(sub, crowd.votes, votes))
        else:
            rest = self._votes(others)
            votes = list(map(sub, crowd.votes, rest))
        self._found[key] = Crowd(*key, theirs, votes, crowd.votes[option])
        self._found[other] = Crowd(*other, others, rest, crowd.size - crowd.votes[option])

    def _votes(self, parts: list[tuple[_Block, Members]]) -> list[int]:
        """How many ballots tick each option."""
        votes = self._nobody.votes
        for block, members in parts:
            power = block.power
            votes = [
                before + ((members & ticking).bit_count() << power)
                for before, ticking in zip(votes, block.sets, strict=True)
            ]
        return votes


def _blocks(groups: Sequence[tuple[int, Choice]], n_options: int) -> Iterable[tuple[_Block, int]]:
    """The blocks with how many groups each has; a group of 5 ballots stands in one of 4 and in one of 1."""
    bits = {option: 1 << option for option in range(n_options)}
    top = _top(groups)
    found: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for size, choice in groups:
        ballot = sum(map(bits.__getitem__, choice[0] if len(choice) == 1 else chain.from_iterable(choice)))
        if size == 1:
            found[0, ballot & top].append(ballot)
            continue
        for power in range(size.bit_length()):
            if size >> power & 1:
                found[power, ballot & top].append(ballot)
    n_bytes = (n_options + 7) // 8
    for (power, _), ballots in found.items():
        packed = b"".join([ballot.to_bytes(n_bytes, "little") for ballot in ballots if ballot])
        if packed:
            yield _Block(power, list(sets_of(packed, n_bytes, n_options))), len(packed) // n_bytes


def _top(groups: Sequence[tuple[int, Choice]]) -> int:
    """The options by whose ticks blocks are made, as bits: those that most of the first groups tick.

    Which ones they are changes how long a count takes, and nothing that it finds.
    """
    n_top = min(_MOST_TOP, (len(groups) // _IN_A_BLOCK).bit_length())
    some = Counter(option for _, choice in groups[: 4 * _IN_A_BLOCK] for rank in choice for option in rank)
    return sum(1 << option for option, _ in some.most_common(n_top))
