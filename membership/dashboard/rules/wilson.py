"""How sure a share is: the interval in which the real one lies, and from how many people on it can be spoken of.

Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American
Statistical Association 22 (1927), 209-212; recommended for shares of few people by L. D. Brown, T. T. Cai and
A. DasGupta, "Interval estimation for a binomial proportion", Statistical Science 16 (2001), 101-133.
"""

from dataclasses import dataclass
from math import sqrt

Z95 = 1.959963984540054
"""The two-sided 95 % point of the normal distribution."""

LEAST = 40
"""Of fewer people no share is named. Up to here Brown, Cai and DasGupta call samples small, where intervals are so wide
(with 39 people up to 30 percentage points) that one or two people more change the story.
"""


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high`, both within 0 and 1."""

    low: float
    high: float

    def overlaps(self, other: "Interval") -> bool:
        """Whether there is a share that both hold possible."""
        return self.low <= other.high and other.low <= self.high


def wilson(n_yes: int, n: int, z: float = Z95) -> Interval:
    """The score interval of `n_yes` out of `n` people: every share p whose distance from what was seen is at most
    z standard errors, as they are at p: |n_yes/n - p| <= z * sqrt(p * (1 - p) / n). Of nobody, everything is possible.

    Raises ValueError where `n_yes` is not within 0 and `n`.
    """
    if not 0 <= n_yes <= n:
        raise ValueError(f"{n_yes} of {n} is no share.")
    if not n:
        return Interval(0, 1)
    seen, room = n_yes / n, z * z / n
    middle = (seen + room / 2) / (1 + room)
    half = z * sqrt(seen * (1 - seen) / n + room / (4 * n)) / (1 + room)
    # Exactly, where rounding would leave a hair.
    return Interval(0 if n_yes == 0 else max(0, middle - half), 1 if n_yes == n else min(1, middle + half))
