"""What is wrong with a setting, where, and by how much; what is needed to know it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

# One value of a setting, as history keeps it and pages name it.
Leaf = str | int | bool | None


@dataclass(frozen=True, slots=True)
class Fault:
    """One value that cannot be: its path in the setting (as in `leaves`), a stable code, and what a sentence needs."""

    path: str
    code: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The colours of the style sheet by their role, as #rrggbb, in the light and in the dark."""

    light: Mapping[str, str]
    dark: Mapping[str, str]

    def of(self, scheme: str) -> Mapping[str, str]:
        """Those of "light" or "dark"."""
        return self.dark if scheme == "dark" else self.light


@dataclass(frozen=True, slots=True)
class Bounds:
    """What settings are checked against: the style sheet's colours, the least that the payment company charges
    (currency -> minor units; a currency that is missing has none), and the currencies that are offered now.
    """

    tokens: Tokens
    least: Mapping[str, int]
    offered: Collection[str]
