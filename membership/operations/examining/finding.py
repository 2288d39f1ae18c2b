"""What an examination says: one thing in three sentences."""

from dataclasses import dataclass
from enum import Enum


class Weight(Enum):
    """Fine; worth a look; or wrong, so that readers or money suffer."""

    FINE = "fine"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: a stable `code`, what it is, why it matters and how to mend it (empty where all is fine).

    The sentences are `kernel.said.Said` wherever a page shall say them in its own language.
    """

    code: str
    weight: Weight
    what: str
    why: str = ""
    mend: str = ""


def fine(code: str, what: str) -> Finding:
    """All is well with this."""
    return Finding(code, Weight.FINE, what)


def note(code: str, what: str, why: str, mend: str) -> Finding:
    """Not wrong, but worth a look."""
    return Finding(code, Weight.NOTE, what, why, mend)


def problem(code: str, what: str, why: str, mend: str) -> Finding:
    """Wrong."""
    return Finding(code, Weight.PROBLEM, what, why, mend)
