"""What weighs how much: the weights of ballots under SPAV, and who paid what under equal shares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from membership.polls.counting.result import Count, Round
from membership.polls.explaining.amounts import Amount, digits_for, percent_of

# Fractions that fonts have a sign for; others are written with a stroke.
SIGNS = {"1/2": "½", "1/3": "⅓", "1/4": "¼", "1/5": "⅕", "1/6": "⅙", "1/8": "⅛"}


@dataclass(frozen=True)
class Weight:
    """`n` ballots that count `value` each ("1", "½", "1/7"), because `n_chosen` of their topics are chosen already.

    `x` and `width` are their place in a line of all ballots.
    """

    value: str
    n_chosen: int
    n: int
    x: str
    width: str


@dataclass(frozen=True)
class Paid:
    """`n` voters who paid `amount` hours each."""

    amount: Amount
    n: int


@dataclass(frozen=True)
class Purchase:
    """One topic and its hours. `share` is what each voter held at the start; None and no `paid` where the topic
    was added afterwards because it still fitted. `left` is what remains of all hours.
    """

    cost: Amount
    left: Amount
    share: Amount | None
    paid: tuple[Paid, ...]

    @property
    def n_paid(self) -> int:
        """How many paid."""
        return sum(paid.n for paid in self.paid)


@dataclass(frozen=True)
class BudgetPart:
    """One topic's part of all hours; `option` None: what was left over."""

    option: int | None
    hours: Amount
    x: str
    width: str


@dataclass(frozen=True)
class Budget:
    """All hours and where they went, in the order of the rounds."""

    hours: Amount
    parts: tuple[BudgetPart, ...]


def weights_of(each: Round) -> tuple[Weight, ...]:
    """The weights of a SPAV round, heaviest first; empty for other rules."""
    pairs = [(Fraction(value), int(n)) for value, n in each.more.get("weights", ())]
    everybody = Fraction(sum(n for _, n in pairs))
    weights, before = [], 0
    for value, n in pairs:
        weights.append(
            Weight(
                SIGNS.get(str(value), str(value)), int(1 / value) - 1, n, percent_of(Fraction(before), everybody),
                percent_of(Fraction(n), everybody),
            )
        )  # fmt: skip
        before += n
    return tuple(weights)


def purchase_of(more: Mapping[str, Any]) -> Purchase | None:
    """What was paid in a round of equal shares; None for other rules."""
    if "cost" not in more:
        return None
    share = more.get("share")
    paid = [(Fraction(amount), int(n)) for amount, n in more.get("paid", ())]
    digits = digits_for([[amount for amount, _ in paid], [Fraction(share or 0)]])
    return Purchase(
        Amount(Fraction(more["cost"]), 2),
        Amount(Fraction(more["left"]), 2),
        Amount(Fraction(share), digits) if share is not None else None,
        tuple(Paid(Amount(amount, digits), n) for amount, n in paid),
    )


def budget_of(count: Count) -> Budget | None:
    """Where the hours went; None where the rule knows no hours or nothing was bought."""
    purchases = [(each.elected[0], purchase_of(each.more)) for each in count.rounds if each.elected]
    bought = [(option, purchase) for option, purchase in purchases if purchase is not None]
    if not bought:
        return None
    left = bought[-1][1].left.exact
    costs: Sequence[tuple[int | None, Fraction]] = [(option, purchase.cost.exact) for option, purchase in bought]
    everything = sum((cost for _, cost in costs), left)
    parts, before = [], Fraction(0)
    for option, cost in [*costs, (None, left)]:
        if cost:
            parts.append(
                BudgetPart(option, Amount(cost, 2), percent_of(before, everything), percent_of(cost, everything))
            )
        before += cost
    return Budget(Amount(everything, 2), tuple(parts))
