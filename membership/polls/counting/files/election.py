"""What a file of ballots says, whatever its format."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from membership.polls.counting.profile import Choice, Profile


class UnreadableElection(ValueError):  # noqa: N818 - reads as a sentence
    """The file is not what it should be; the message is a whole sentence that says where."""


@dataclass(frozen=True)
class Election:
    """The ballots, ready to be counted. `n_seats` and `rule` are what the file asks for, None where it does not say.

    `ids` are the file's own names for the options where it has such beside their titles, in the same order.
    """

    title: str
    profile: Profile
    n_seats: int | None = None
    rule: str | None = None
    ids: tuple[str, ...] | None = None


def each_once(ranks: Iterable[Iterable[int]]) -> Choice:
    """The ranks without what was named before and without ranks that are empty then: the first mention counts."""
    seen: set[int] = set()
    choice = []
    for rank in ranks:
        new = tuple(option for option in dict.fromkeys(rank) if option not in seen)
        seen.update(new)
        if new:
            choice.append(tuple(sorted(new)))
    return tuple(choice)


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """The names, made different where two are the same: "Museum", "Museum (2)"."""
    many, taken, made = Counter(names), set(names), []
    used: Counter[str] = Counter()
    for name in names:
        used[name] += 1
        unique = name
        while used[name] > 1 and many[name] > 1 and (unique == name or unique in taken):
            unique = f"{name} ({used[name]})"
            if unique in taken:
                used[name] += 1
        taken.add(unique)
        made.append(unique)
    return tuple(made)


def grouped(choices: Iterable[Choice]) -> list[tuple[int, Choice]]:
    """Equal ballots together, in the order in which they first came."""
    return [(size, choice) for choice, size in Counter(choices).items()]
