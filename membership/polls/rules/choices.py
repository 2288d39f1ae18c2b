"""What a ballot may say, and the one way in which it is written down.

A choice is a tuple of ranks, best first, each a tuple of positions of options: an approval ballot is one rank with all
ticks, a ranking one option per rank, a single choice one rank with one option, a blank ballot `()`.
"""

from collections.abc import Sequence
from fractions import Fraction

from membership.kernel.errors import InvalidInput
from membership.polls.counting import RULES, BallotKind, Choice


def ballot_kind(rule: str) -> BallotKind:
    """How the ballot of a counting rule (a slug of `RULES`) looks: "approval", "ranking" or "single"."""
    return RULES[rule].kind


def check_choice(kind: BallotKind, n_options: int, max_ranks: int, positions: Sequence[int]) -> Choice:
    """The choice that `positions` make on a ballot of this kind; an empty list is a blank ballot.

    The order of `positions` counts for a ranking only. Raises InvalidInput with the code choice_unknown_option,
    choice_twice, choice_one_only or choice_too_many (details: `most`).
    """
    if any(not 0 <= position < n_options for position in positions):
        raise InvalidInput("choice_unknown_option", "The ballot names something that is not in this poll.")
    if len(set(positions)) != len(positions):
        raise InvalidInput("choice_twice", "The ballot names something twice.")
    if kind == "single" and len(positions) > 1:
        raise InvalidInput("choice_one_only", "Only one can be chosen in this poll.")
    if kind == "ranking" and len(positions) > max_ranks:
        raise InvalidInput("choice_too_many", f"At most {max_ranks} places can be ranked.", most=max_ranks)
    if not positions:
        return ()
    if kind == "ranking":
        return tuple((position,) for position in positions)
    return (tuple(sorted(positions)),)


def choice_text(choice: Choice, kind: BallotKind) -> str:
    """The canonical form, equal for equal choices: ticks "0,3,7" by number, a ranking "3>0>7", one "4", blank ""."""
    if kind == "ranking":
        return ">".join(str(rank[0]) for rank in choice)
    return ",".join(str(position) for position in named_in(choice))


def parse_choice(text: str, kind: BallotKind) -> Choice:
    """The choice of its canonical form; ValueError for what `choice_text` does not write."""
    if text == "":
        return ()
    if kind == "ranking":
        choice: Choice = tuple((int(part),) for part in text.split(">"))
    else:
        choice = (tuple(int(part) for part in text.split(",")),)
    if choice_text(choice, kind) != text:
        raise ValueError(f"{text!r} is no canonical form of a ballot.")
    return choice


def named_in(choice: Choice) -> tuple[int, ...]:
    """All positions that a choice names: a ranking in its order, ticks by number."""
    positions = [position for rank in choice for position in rank]
    return tuple(positions if len(choice) > 1 else sorted(positions))


def weights_of(choice: Choice, winners: Sequence[int]) -> tuple[Fraction, ...]:
    """What an approval ballot counted for each of its chosen topics under SPAV, in order of election: 1, 1/2, 1/3."""
    n_chosen = sum(1 for position in winners if position in named_in(choice))
    return tuple(Fraction(1, n) for n in range(1, n_chosen + 1))
