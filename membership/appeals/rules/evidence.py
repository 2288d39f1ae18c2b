"""What may be said of two variants: which one brings more contributions per view, and how surely. Pure functions.

An editor looks every day, and stops when it looks good. A test that is made to be looked at once is then wrong far more
often than it says: at 5 %, looked at twenty times, it finds a difference that is none in a quarter of all cases (P.
Armitage, C. K. McPherson, B. C. Rowe, Journal of the Royal Statistical Society A 132 (1969), pages 235-244). What is
used here holds however often one looks and whenever one stops ("always valid"): the mixture sequential probability
ratio test for the difference of two shares with a normal mixture, as in

    R. Johari, P. Koomen, L. Pekelis, D. Walsh, "Peeking at A/B tests: why it matters, and what to do about it", KDD
    2017, pages 1517-1525 (after H. Robbins, "Statistical methods related to the law of the iterated logarithm", Annals
    of Mathematical Statistics 41 (1970), pages 1397-1409).

With d the difference of the two shares and V the variance of d, the likelihood of what was seen under differences drawn
from a normal distribution around 0 with standard deviation tau, relative to no difference at all, is

    Lambda = sqrt(V / (V + tau^2)) * exp(tau^2 * d^2 / (2 * V * (V + tau^2)))

Without a difference it ever reaches 1/alpha with a probability of at most alpha. It rests on the shares being nearly
normal, which few contributions are not: so nothing is said before `LEAST_VIEWS` and `LEAST_PAID`, and V is the larger
of two estimates, each side by itself and both as if there were no difference. Where one side is small (a hold-out of a
tenth) and happens to have nothing yet, the first alone would take that nothing for certain.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import exp, log, sqrt

ALPHA = 0.05
LEAST_VIEWS, LEAST_PAID = 1_000, 10
"""Of each side, and of both together: before that it is too early to say anything."""

TAU = 0.001
"""How large a difference is looked for first, as the standard deviation of the mixture: one contribution in 1,000
views.

It is fixed beforehand and for everybody, since the test holds for no other choice; any choice is valid, and decides
only which differences are found soon. Of the readers of an article 0.1 % to 1 % give, and differences that matter are a
fifth to a half of that: 0.2 to 5 in 1,000. A lift of a fifth is found in half of all cases (of 100 runs, looked at up
to thirty times) by so many views of each side:

    share of those who give     tau 0.0002      tau 0.001       tau 0.005
    0.1 %                       550,000         700,000         950,000
    0.5 %                       190,000         110,000         120,000
    1 %                         over 495,000    60,000          65,000
"""

WORTH = 0.10
"""A relative difference up to this is not worth waiting for."""

STEPS = 60
"""Halvings of a search: beyond what a float tells apart."""


class State(StrEnum):
    """What may be said."""

    EARLY = "early"
    AHEAD = "ahead"
    EQUAL = "equal"


@dataclass(frozen=True, slots=True)
class Arm:
    """A variant: `n_views` of it, and `n_paid` contributions that came of them."""

    n_views: int
    n_paid: int

    @property
    def share(self) -> float:
        """Contributions per view; 0 without views."""
        return self.n_paid / self.n_views if self.n_views else 0


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high`, at every look at once; None: there is no bound."""

    low: float | None
    high: float | None

    def is_within(self, most: float) -> bool:
        """Whether nothing in it is further from 0 than `most`."""
        return self.low is not None and self.high is not None and -most <= self.low and self.high <= most


@dataclass(frozen=True, slots=True)
class Evidence:
    """What may be said of `b` against `a`: the difference of contributions per view, and the same as a share of `a`'s
    ("lift": 0.2 is a fifth more). `is_more`, where it is decided: whether it is `b` that is ahead.
    """

    state: State
    difference: Interval
    lift: Interval
    is_more: bool | None = None


NOTHING = Evidence(State.EARLY, Interval(None, None), Interval(None, None))


def compare(a: Arm, b: Arm, alpha: float = ALPHA, tau: float = TAU) -> Evidence:
    """What may be said of `b` against `a`, at whichever look. Before the least numbers, and where more paid than saw it
    (views were lost on the way), that is nothing at all.

    Where several variants are compared with one, divide `alpha` by their number.
    """
    is_odd = a.n_paid > a.n_views or b.n_paid > b.n_views
    if is_odd or min(a.n_views, b.n_views) < LEAST_VIEWS or a.n_paid + b.n_paid < LEAST_PAID:
        return NOTHING
    difference, lift = _difference(a, b, alpha, tau), _lift(a, b, alpha, tau)
    if _is_refuted(0, a, b, alpha, tau):
        return Evidence(State.AHEAD, difference, lift, is_more=b.share > a.share)
    return Evidence(State.EQUAL if lift.is_within(WORTH) else State.EARLY, difference, lift)


def log_ratio(d: float, variance: float, tau: float) -> float:
    """The logarithm of Lambda, which itself may be larger than a float can be."""
    room = tau * tau
    return 0.5 * log(variance / (variance + room)) + room * d * d / (2 * variance * (variance + room))


def ratio(d: float, variance: float, tau: float) -> float:
    """Lambda, as above."""
    return exp(min(700.0, log_ratio(d, variance, tau)))


def _difference(a: Arm, b: Arm, alpha: float, tau: float) -> Interval:
    """Every difference that is not refuted: Lambda, around it, is below 1/alpha. Solved for d."""
    variance, room = _variance(0, a, b), tau * tau
    reach = sqrt(2 * variance * (variance + room) / room * (log(1 / alpha) + 0.5 * log((variance + room) / variance)))
    d = b.share - a.share
    return Interval(d - reach, d + reach)


def _lift(a: Arm, b: Arm, alpha: float, tau: float) -> Interval:
    """Every lift r that is not refuted by the same test of b = (1 + r) * a (E. C. Fieller's way to a quotient, 1954).

    Looked for on a line from -1 (`b` has nothing) over 0 to 1 (`a` has nothing: r without end).
    """
    seen = b.share / a.share - 1 if a.n_paid else None
    at = 1.0 if seen is None else seen if seen <= 0 else seen / (1 + seen)
    ends: list[float | None] = []
    for end in (-1.0, 1.0):
        if not _is_refuted(end, a, b, alpha, tau):
            ends.append(-1.0 if end < 0 else None)
            continue
        inside, outside = at, end
        for _ in range(STEPS):
            middle = (inside + outside) / 2
            if _is_refuted(middle, a, b, alpha, tau):
                outside = middle
            else:
                inside = middle
        ends.append(outside if outside <= 0 else outside / (1 - outside))
    return Interval(*ends)


def _is_refuted(place: float, a: Arm, b: Arm, alpha: float, tau: float) -> bool:
    """Whether the lift at this place of the line from -1 to 1 is."""
    of_a, of_b = _scales(place)
    return log_ratio(of_b * b.share - of_a * a.share, _variance(place, a, b), tau) >= log(1 / alpha)


def _scales(place: float) -> tuple[float, float]:
    """By what `a` and `b` are multiplied to be compared there: the one that would be larger is made smaller."""
    return (1 + place, 1.0) if place <= 0 else (1.0, 1 - place)


def _variance(place: float, a: Arm, b: Arm) -> float:
    """Of `b` less `a`, both scaled: the larger of what each side says by itself, and both under this lift."""
    of_a, of_b = _scales(place)
    n_paid = a.n_paid + b.n_paid
    # Under it, a's share is q * of_b and b's q * of_a; rare things that are counted give q.
    q = n_paid / (of_b * a.n_views + of_a * b.n_views)
    together = _spread(of_a, min(1, q * of_b), a.n_views) + _spread(of_b, min(1, q * of_a), b.n_views)
    apart = _spread(of_a, a.share, a.n_views) + _spread(of_b, b.share, b.n_views)
    # Where neither has any spread (everybody gave, or nobody), one contribution more would have been possible.
    return max(together, apart, 1 / max(a.n_views, b.n_views) ** 2)


def _spread(scale: float, share: float, n: int) -> float:
    return scale * scale * share * (1 - share) / n
