"""Counting the opened ballots by the poll's rule, and by every other rule that fits them."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from membership.polls.counting import RULES, Choice, Profile, count, nobody_unless_named
from membership.polls.models import Poll, PollOption
from membership.polls.rules import FEW, ballot_kind, lot_order


@dataclass(frozen=True, slots=True)
class Tally:
    """The result as it is kept: JSON of the count, winners by the other rules, version of the counting."""

    version: str
    count: dict[str, Any]
    other_rules: dict[str, Any]
    n_blank: int


def tally(poll: Poll, options: list[PollOption], groups: list[tuple[int, Choice]]) -> Tally:
    """Count `groups` of equal choices; where none names a topic, none is chosen. With fewer than `FEW` ballots only the
    winners remain, by number.
    """
    n_ballots = sum(n for n, _ in groups)
    ours = nobody_unless_named(count(poll.rule, _profile(poll, options, groups, poll.rule), poll.n_seats))
    if n_ballots < FEW:
        return Tally(ours.version, _winners_only(ours.as_dict()), {}, 0)
    others = {
        slug: list(count(slug, _profile(poll, options, groups, slug), len(ours.winners)).winners)
        for slug, rule in RULES.items()
        if slug != poll.rule and rule.kind == ballot_kind(poll.rule) and ours.winners
    }
    return Tally(ours.version, ours.as_dict(), others, ours.n_blank)


def _profile(poll: Poll, options: list[PollOption], groups: list[tuple[int, Choice]], rule: str) -> Profile:
    """What `rule` counts. Where hours are not shared, every topic costs one of as many as there are places."""
    costs: tuple[Fraction | int, ...] | None = None
    budget: int | None = None
    if rule == "equal-shares":
        costs = tuple(option.hours or 1 for option in options) if poll.budget_hours else (1,) * len(options)
        budget = poll.budget_hours or poll.n_seats
    return Profile(
        options=tuple(option.title for option in options),
        lot_order=lot_order(poll.lot_seed or "", len(options)),
        groups=groups,
        costs=costs,
        budget=budget,
        unit=Fraction(1, max(1, sum(n for n, _ in groups))),
    )


def _winners_only(counted: dict[str, Any]) -> dict[str, Any]:
    winners = sorted(counted["winners"])
    empty = {"order": winners, "ties": [], "rounds": [], "missed_by": {}, "n_blank": 0}
    unsaid = {"pairwise": None, "condorcet_winner": None, "quota": None}
    return counted | {"winners": winners} | empty | unsaid
