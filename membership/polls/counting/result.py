"""What a count found, step by step, and its JSON: exact numbers, positions of options, nothing that is language.

Numbers of votes are exact. In Python they are `Fraction` (or int), in JSON strings: "12" or "7/2". Options are named by
their position in `Profile.options`; where a position is the key of a JSON object it is a string, "3".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

BrokenBy = Literal["earlier_round", "lot"]


@dataclass(frozen=True)
class Tie:
    """Options that stood equal in one round. `chosen` are those that went first, in order (at an exclusion in stv: the
    one that had to go).

    It is recorded only where a place was given or an option excluded by it. Where all of `options` were chosen, it
    settled their order alone. `broken_by` is "lot" as soon as the lot order was needed for a part of it.

    JSON: {"round": 2, "options": [0, 3], "chosen": [3], "broken_by": "lot"}.
    """

    round: int
    options: tuple[int, ...]
    chosen: tuple[int, ...]
    broken_by: BrokenBy

    def as_dict(self) -> dict[str, Any]:
        """The JSON shape above."""
        return {
            "round": self.round,
            "options": list(self.options),
            "chosen": list(self.chosen),
            "broken_by": self.broken_by,
        }


@dataclass(frozen=True)
class Transfer:
    """Votes that went from one option to another at the end of a round; `target` None: no further choice on the ballot.

    JSON: {"from": 4, "to": 1, "votes": "25/2"}.
    """

    source: int
    target: int | None
    votes: Fraction

    def as_dict(self) -> dict[str, Any]:
        """The JSON shape above."""
        return {"from": self.source, "to": self.target, "votes": str(self.votes)}


@dataclass(frozen=True)
class Round:
    """One step of a count. `totals` stand at its beginning, for every option that is still in it.

    `elected` in order of election. `note` says in one slug what was done where that is not plain; `more` holds what
    only this rule has, ready for JSON. Both are described at the head of the rule's file.

    JSON: {"n": 1, "totals": {"0": "12", "3": "7/2"}, "elected": [0], "eliminated": [], "transfers": [], "note": null}
    and beside these the keys of `more`.
    """

    n: int
    totals: Mapping[int, Fraction | int]
    elected: tuple[int, ...] = ()
    eliminated: tuple[int, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    note: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The JSON shape above."""
        return {
            "n": self.n,
            "totals": exact_strings(self.totals),
            "elected": list(self.elected),
            "eliminated": list(self.eliminated),
            "transfers": [transfer.as_dict() for transfer in self.transfers],
            "note": self.note,
            **self.more,
        }


@dataclass(frozen=True)
class Count:
    """The result of one count. The same ballots and lot order give the same result for ever (see `version`).

    * `winners`: positions in order of election. `order`: all positions, winners first, then who moves up next if a
      winner is passed over.
    * `n_seats`: how many were to be chosen; under equal shares with a budget, how many were.
    * `quota`: for stv only. `pairwise[a][b]`: on how many ballots a stands above b, for ranked ballots only;
      `condorcet_winner` beats every other option there, None where none does or ballots are not ranked.
    * `n_ballots` counts the blank ones too; `n_blank` those that name no option.
    * `missed_by`: by how much each option missed, for those that were not chosen; what it measures stands at the head
      of the rule's file.

    JSON (`as_dict`): {"rule", "version", "seats", "options": [names], "winners", "order", "ties": [Tie], "quota": "34"
    or null, "rounds": [Round], "pairwise": [[…]] or null, "condorcet_winner": position or null, "n_ballots", "n_blank",
    "missed_by": {"2": "3"}}.
    """

    rule: str
    version: str
    n_seats: int
    options: tuple[str, ...]
    winners: tuple[int, ...]
    order: tuple[int, ...]
    ties: tuple[Tie, ...]
    rounds: tuple[Round, ...]
    n_ballots: int
    n_blank: int
    missed_by: Mapping[int, Fraction | int]
    quota: Fraction | int | None = None
    pairwise: tuple[tuple[int, ...], ...] | None = None
    condorcet_winner: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """The JSON shape above; `from_dict` takes it back."""
        return {
            "rule": self.rule,
            "version": self.version,
            "seats": self.n_seats,
            "options": list(self.options),
            "winners": list(self.winners),
            "order": list(self.order),
            "ties": [tie.as_dict() for tie in self.ties],
            "quota": None if self.quota is None else str(self.quota),
            "rounds": [each.as_dict() for each in self.rounds],
            "pairwise": None if self.pairwise is None else [list(row) for row in self.pairwise],
            "condorcet_winner": self.condorcet_winner,
            "n_ballots": self.n_ballots,
            "n_blank": self.n_blank,
            "missed_by": exact_strings(self.missed_by),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Count":
        """The count that `as_dict` wrote down."""
        return cls(
            rule=stored["rule"],
            version=stored["version"],
            n_seats=stored["seats"],
            options=tuple(stored["options"]),
            winners=tuple(stored["winners"]),
            order=tuple(stored["order"]),
            ties=tuple(_tie(tie) for tie in stored["ties"]),
            rounds=tuple(_round(each) for each in stored["rounds"]),
            n_ballots=stored["n_ballots"],
            n_blank=stored["n_blank"],
            missed_by=_fractions(stored["missed_by"]),
            quota=None if stored["quota"] is None else Fraction(stored["quota"]),
            pairwise=None if stored["pairwise"] is None else tuple(tuple(row) for row in stored["pairwise"]),
            condorcet_winner=stored["condorcet_winner"],
        )


def exact_strings(totals: Mapping[int, Fraction | int]) -> dict[str, str]:
    """Numbers by position as JSON holds them: {"0": "12", "3": "7/2"}, in order of position."""
    return {str(position): str(totals[position]) for position in sorted(totals)}


def _fractions(stored: Mapping[str, str]) -> dict[int, Fraction]:
    return {int(position): Fraction(number) for position, number in stored.items()}


def _tie(stored: Mapping[str, Any]) -> Tie:
    return Tie(stored["round"], tuple(stored["options"]), tuple(stored["chosen"]), stored["broken_by"])


_ROUND_KEYS = frozenset({"n", "totals", "elected", "eliminated", "transfers", "note"})


def _round(stored: Mapping[str, Any]) -> Round:
    return Round(
        n=stored["n"],
        totals=_fractions(stored["totals"]),
        elected=tuple(stored["elected"]),
        eliminated=tuple(stored["eliminated"]),
        transfers=tuple(Transfer(each["from"], each["to"], Fraction(each["votes"])) for each in stored["transfers"]),
        note=stored["note"],
        more={key: value for key, value in stored.items() if key not in _ROUND_KEYS},
    )
