"""How often a reader gives: a word that the ask, the payment and the books share."""

from enum import StrEnum


class Rhythm(StrEnum):
    """How often a reader gives."""

    MONTHLY = "monthly"
    YEARLY = "yearly"
    ONCE = "once"

    @property
    def times_a_year(self) -> int:
        """How often the same amount comes within a year; 0 for a one-time gift, which promises nothing."""
        return {Rhythm.MONTHLY: 12, Rhythm.YEARLY: 1, Rhythm.ONCE: 0}[self]
