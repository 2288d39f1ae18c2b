"""What a counting rule is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from membership.polls.counting.groups import Groups
from membership.polls.counting.profile import Profile
from membership.polls.counting.result import Count

BallotKind = Literal["approval", "ranking", "single"]


@dataclass(frozen=True)
class Rule:
    """One way to count. `slug` is its name in addresses, files and tables; `version`, such as "spav/1", goes up when
    the same ballots could be counted otherwise than before.

    `count` gets the profile, its groups and the number of seats, which is 1 or more. `name` and `sentence` are msgids
    in English, marked by `_l`: pages translate them.
    """

    slug: str
    version: str
    kind: BallotKind
    name: str
    sentence: str
    count: Callable[[Profile, Groups, int], Count]


def _l(text: str) -> str:
    """Mark a text for translation (the counting knows no Flask; `babel.cfg` names this mark)."""
    return text
