"""The ballots as sets of groups: a set is one integer whose bit g says whether group g of equal ballots belongs to it.

Python's integers do the set algebra of a million groups in microseconds, so that rules are short and exact. Options
have one set for each rank. A number of ballots is counted bit by bit of the groups' sizes.
"""

from collections.abc import Iterator
from functools import cached_property
from itertools import zip_longest
from operator import itemgetter, or_

from membership.polls.counting.profile import Choice, Profile

Members = int

# For each bit of a byte the table that writes "1" for bytes in which it is set, else "0".
_DIGITS = [bytes(48 + (byte >> bit & 1) for byte in range(256)) for bit in range(8)]

# So many ballots are turned from rows into columns at once: enough to be quick, few enough to need no memory.
_AT_ONCE = 4096


class Groups:
    """The groups of one profile, `n_ballots` in all, of which `n_blank` name nobody. `is_ranked`: some have several
    ranks.

    Sets are made when they are asked for; then a ballot that names an option that does not exist raises ValueError.
    """

    def __init__(self, profile: Profile) -> None:
        # Large groups come last and so have the low bits: then the sets of high binary digits are short integers.
        groups = sorted((group for group in profile.groups if group[0]), key=itemgetter(0))
        if groups and groups[0][0] < 0:
            raise ValueError("There cannot be fewer than no ballots.")
        sizes = [size for size, _ in groups]
        self._choices = [choice for _, choice in groups]
        self._digits = list(_binary_digits(sizes))
        self.everyone: Members = (1 << len(groups)) - 1
        self.n_options = len(profile.options)
        self.n_ballots = sum(sizes)
        self.n_blank = sum(size for size, choice in groups if not choice)
        self.is_ranked = max(map(len, self._choices), default=0) > 1

    @cached_property
    def ranks(self) -> list[list[Members]]:
        """`ranks[r][option]` are the groups that name the option in rank r; the longest ballot says how many."""
        try:
            return list(_ranks(self._choices, self.n_options))
        except KeyError as unknown:
            raise ValueError(f"A ballot names option {unknown}; there are {self.n_options}.") from None

    @cached_property
    def ticks(self) -> list[Members]:
        """For each option the groups that name it anywhere."""
        ticked = [0] * self.n_options
        for rank in self.ranks:
            ticked = list(map(or_, ticked, rank))
        return ticked

    @cached_property
    def shared(self) -> list[Members]:
        """For each rank the groups that name two or more options in it."""
        return [_shared(rank) for rank in self.ranks]

    @cached_property
    def first_choices(self) -> list[Members]:
        """For each option the groups that name it alone in their first rank."""
        if not self.ranks:
            return [0] * self.n_options
        clear = self.everyone ^ self.shared[0]
        return [members & clear for members in self.ranks[0]]

    def size(self, members: Members) -> int:
        """How many ballots the groups in `members` hold."""
        return sum((members & digit).bit_count() << power for power, digit in enumerate(self._digits))

    def sizes(self, sets: list[Members]) -> dict[int, int]:
        """The sizes of one set for each option, by position."""
        return {option: self.size(members) for option, members in enumerate(sets)}


def _shared(rank: list[Members]) -> Members:
    """The groups that name two or more options in this rank."""
    seen = found = 0
    for members in rank:
        found |= seen & members
        seen |= members
    return found


def _binary_digits(sizes: list[int]) -> Iterator[Members]:
    """For each power of two the set of groups whose size has it; `sizes` ascend, the first group is the highest bit."""
    while sizes:
        yield int(bytes(48 + (size & 1) for size in sizes), 2)
        sizes = [half for size in sizes if (half := size >> 1)]


def _ranks(choices: list[Choice], n_options: int) -> Iterator[list[Members]]:
    """For each rank the set of every option."""
    n_bytes = (n_options + 7) // 8
    for packed in _packed_ranks(choices, _Codes(n_options, n_bytes), n_bytes):
        yield list(sets_of(packed, n_bytes, n_options))


def sets_of(packed: bytes, n_bytes: int, n_options: int) -> Iterator[Members]:
    """For each option the set of those that have its bit; `packed` holds `n_bytes` for each one, little end first."""
    columns = [packed[at::n_bytes] for at in range(n_bytes)]
    for option in range(n_options):
        yield int(columns[option >> 3].translate(_DIGITS[option & 7]) or b"0", 2)


def _packed_ranks(choices: list[Choice], codes: "_Codes", n_bytes: int) -> Iterator[bytes]:
    """For each rank the codes of all ballots, one after the other."""
    parts: list[list[bytes]] = [[] for _ in range(max(map(len, choices), default=0))]
    for start in range(0, len(choices), _AT_ONCE):
        some = choices[start : start + _AT_ONCE]
        ranks = list(zip_longest(*some, fillvalue=()))
        for number, part in enumerate(parts):
            is_named = number < len(ranks)
            part.append(b"".join(map(codes.__getitem__, ranks[number])) if is_named else bytes(n_bytes * len(some)))
    for part in parts:
        yield b"".join(part)
        part.clear()


class _Codes(dict[tuple[int, ...], bytes]):
    """A rank as bytes with the bits of its options; those of one option are remembered."""

    def __init__(self, n_options: int, n_bytes: int) -> None:
        self._bits = {option: 1 << option for option in range(n_options)}
        self._n_bytes = n_bytes
        super().__init__({(option,): self._pack((option,)) for option in range(n_options)})
        self[()] = self._pack(())

    def _pack(self, rank: tuple[int, ...]) -> bytes:
        return sum(map(self._bits.__getitem__, rank)).to_bytes(self._n_bytes, "little")

    def __missing__(self, rank: tuple[int, ...]) -> bytes:
        return self._pack(rank)
