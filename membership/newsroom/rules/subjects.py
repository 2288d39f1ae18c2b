"""The seven settings, and what they have in common. Pure functions of values."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from membership.newsroom.rules.colours import Colours
from membership.newsroom.rules.faults import Leaf
from membership.newsroom.rules.plain import Goal, Languages, LateMoney, Names
from membership.newsroom.rules.prices import Prices
from membership.newsroom.rules.ways import Ways


class Subject(StrEnum):
    """What a page of the settings is about, by the name in its address."""

    PRICES = "prices"
    GOAL = "goal"
    WAYS = "ways"
    NAMES = "names"
    LANGUAGES = "languages"
    COLOURS = "colours"
    LATE = "late"


Values = Prices | Goal | Ways | Names | Languages | Colours | LateMoney

KINDS: Mapping[Subject, type[Values]] = {
    Subject.PRICES: Prices,
    Subject.GOAL: Goal,
    Subject.WAYS: Ways,
    Subject.NAMES: Names,
    Subject.LANGUAGES: Languages,
    Subject.COLOURS: Colours,
    Subject.LATE: LateMoney,
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that is other than it was; None: it was, or is, not there."""

    path: str
    before: Leaf
    after: Leaf


def values_of(subject: Subject, stored: Mapping[str, Any]) -> Values:
    """The values that history keeps as `stored`."""
    return KINDS[subject].of(stored)


def differences(before: Values, after: Values) -> list[Difference]:
    """What is other, in the order of the values; empty where nothing is."""
    was, becomes = before.leaves(), after.leaves()
    return [
        Difference(path, was.get(path), becomes.get(path))
        for path in dict.fromkeys((*was, *becomes))
        if was.get(path) != becomes.get(path)
    ]
