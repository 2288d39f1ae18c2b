"""Exact numbers of a count, and how many digits of them a reader needs."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

FEWEST_DIGITS = 2
MOST_DIGITS = 5


@dataclass(frozen=True)
class Amount:
    """A number of votes, points or hours: `exact`, and to be shown with `digits` after the point."""

    exact: Fraction
    digits: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether it can be counted one by one, so that words after it take a plural form."""
        return self.exact.denominator == 1

    @property
    def shown(self) -> Decimal:
        """The number as it is shown; a whole one without digits after the point."""
        if self.is_whole:
            return Decimal(self.exact.numerator)
        number = Decimal(self.exact.numerator) / Decimal(self.exact.denominator)
        return number.quantize(Decimal(1).scaleb(-self.digits), ROUND_HALF_EVEN)

    @property
    def pattern(self) -> str:
        """How Babel writes it."""
        return "#,##0" if self.is_whole else "#,##0." + "#" * self.digits


def digits_for(groups: Iterable[Iterable[Fraction]]) -> int:
    """How many digits after the point tell apart what differs in each of `groups` (the totals of one round).

    Two where there is any fraction, more where two totals would look equal, five at most; 0 where all are whole.
    """
    needed = 0
    for group in groups:
        values = set(group)
        if all(value.denominator == 1 for value in values):
            continue
        needed = max(needed, FEWEST_DIGITS)
        while needed < MOST_DIGITS and len({round(value, needed) for value in values}) < len(values):
            needed += 1
    return needed


def percent_of(part: Fraction, whole: Fraction) -> str:
    """A length for a drawing, such as "62.5%" of `whole`; rounded, which no eye sees. At least 0, at most all."""
    if whole <= 0:
        return "0%"
    share = min(max(part / whole, Fraction(0)), Fraction(1))
    return f"{float(share * 100):.4g}%"
