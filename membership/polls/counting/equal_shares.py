"""Method of Equal Shares: each voter holds an equal share of the budget, spent only on options they ticked.

An option is bought when its supporters can pay its cost together, each the same or all they have left. Of those the one
is bought that has the most effective votes: its cost divided by the highest amount that one supporter pays.
Every share begins at budget / voters and is raised by `unit` until the next raise would spend more than the budget;
the last purchases that fit stand (add1). Then, where the profile says so, options that still fit are added, most ticks
first (decision 22).

Rounds are the purchases at the last share, then the additions. `totals`: effective votes of every option that could
be paid; at additions the ticks of those that fit. `note`: null for a purchase, "most_ticks" for an addition.
In `more`: `share`, what each voter held at the start (purchases only); `cost` of the option; `paid`, pairs of amount
and number of voters who paid it, highest first: [["1/2", 3], ["1/4", 1]] (purchases only); `left`, what is left of the
budget after this round.
`missed_by`: how much more money the supporters would have needed after the last purchase.

Source: D. Peters, G. Pierczyński, P. Skowron, Proportional Participatory Budgeting with Additive Utilities (NeurIPS
2021), with cost utilities; as used by Wieliczka, Świecie, Aarau and Assen (equalshares.net).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm
from operator import itemgetter, sub

from membership.polls.counting.crowds import Crowds
from membership.polls.counting.groups import Groups
from membership.polls.counting.lots import Lots
from membership.polls.counting.profile import Profile
from membership.polls.counting.result import Count, Round
from membership.polls.counting.rule import Rule, _l


def count(profile: Profile, groups: Groups, n_seats: int) -> Count:
    """Buy, raise the shares, buy again, then add what fits.

    Without costs every option costs 1, `n_seats` is the budget and shares are raised by 1/voters; with costs `n_seats`
    says nothing. Options that nobody ticked are never taken. Blank ballots hold their share and spend nothing.
    """
    terms = _Terms.of(profile, groups.n_ballots, n_seats)
    crowds = Crowds(profile)
    lots = Lots(profile.lot_order)
    market = _last_that_fits(terms, crowds, lots)
    additions = _additions(market, terms, crowds.everyone.votes, lots) if profile.fills_up else ()
    rounds = [*market.rounds, *additions]
    winners = [winner for each in rounds for winner in each.elected]
    rest = {option: ticks for option, ticks in enumerate(crowds.everyone.votes) if option not in winners}
    return Count(
        rule=RULE.slug,
        version=RULE.version,
        n_seats=len(winners) if profile.costs else n_seats,
        options=profile.options,
        winners=tuple(winners),
        order=(*winners, *lots.sorted(rest)),
        ties=tuple(lots.ties),
        rounds=tuple(rounds),
        n_ballots=groups.n_ballots,
        n_blank=groups.n_blank,
        missed_by={option: market.missing(option) for option in rest},
    )


@dataclass(frozen=True)
class _Terms:
    """The money in whole numbers, all multiplied by `scale`. One raise adds `step` to all shares together."""

    costs: tuple[int, ...]
    budget: int
    step: int
    n_voters: int
    scale: int

    @classmethod
    def of(cls, profile: Profile, n_voters: int, n_seats: int) -> "_Terms":
        if profile.costs is None:
            return cls((1,) * len(profile.options), n_seats, 1, n_voters, 1)
        if profile.budget is None:
            raise ValueError("Where options have costs there must be a budget.")
        costs, budget, unit = list(map(Fraction, profile.costs)), Fraction(profile.budget), Fraction(profile.unit)
        scale = lcm(budget.denominator, unit.denominator, *(cost.denominator for cost in costs))
        whole = tuple(int(cost * scale) for cost in costs)
        return cls(whole, int(budget * scale), int(unit * scale) * n_voters, n_voters, scale)


def _last_that_fits(terms: _Terms, crowds: Crowds, lots: Lots) -> "_Market":
    """The purchases at the highest share before one raise more would spend more than the budget."""

    def after(raises: int) -> _Market:
        return _Market(terms, crowds, lots, terms.budget + raises * terms.step)

    wanted = [option for option, ticks in enumerate(crowds.everyone.votes) if ticks]
    raises = 0
    if sum(terms.costs[option] for option in wanted) <= terms.budget:
        # No raise can spend too much, and in the end all is bought; that share is found by doubling.
        while after(raises).try_all() != len(wanted):
            raises = 2 * raises + 1
    else:
        while (market := after(raises + 1)).try_all() is not None:
            raises = max(raises + 1, _raises_without_news(market, wanted))
    market = after(raises)
    market.buy_all()
    return market


def _raises_without_news(market: "_Market", wanted: list[int]) -> int:
    """So many raises cannot spend too much: until then those who tick what `market` could not buy have less than its
    cost, even if they spent on nothing else. So nothing else is bought, and what it bought together is affordable.

    Without this leap one lone tick for a costly option among thousands of voters would need a million markets.
    """
    terms, ticks = market.terms, market.ticks
    highest_pots = ((terms.costs[o] * terms.n_voters - 1) // ticks[o] for o in wanted if o not in market.bought)
    return (min(highest_pots) - terms.budget) // terms.step


class _Market:
    """Purchases at one share. Money in purses is in whole numbers: that of `terms` times `_unit`."""

    def __init__(self, terms: _Terms, crowds: Crowds, lots: Lots, pot: int) -> None:
        everyone = crowds.everyone
        self.left = terms.budget
        self.rounds: list[Round] = []
        # Options that are not bought yet and could be paid when they were last looked at, with their effective votes
        # then. These only ever sink, so an option whose old number is too low needs no new one.
        self._open = {option: Fraction(votes) for option, votes in enumerate(everyone.votes) if votes}
        self.bought: set[int] = set()
        self.terms = terms
        self.ticks = everyone.votes
        self._crowds = crowds
        self._lots = lots
        self._pot = pot
        self._unit = terms.n_voters
        # What one member of each crowd has left, poorest first. Who has nothing left is in no crowd.
        self._purses = [(pot, everyone)] if everyone.size and pot else []
        # For each option how many of those in the crowds tick it.
        self._payers = list(everyone.votes)

    def try_all(self) -> int | None:
        """How many options would be bought; None as soon as they cost more than the budget."""
        n_bought = 0
        while best := self._best():
            option = self._lots.first(best)
            self._buy(option, *best[option])
            n_bought += 1
            if self.left < 0:
                return None
        return n_bought

    def buy_all(self) -> None:
        """Buy for good: write every round, and record the ties."""
        while True:
            offers = {option: offer for option in self._open if (offer := self._offer(option))}
            if not offers:
                return
            votes = {option: self._effective_votes(option, *offer) for option, offer in offers.items()}
            option = self._lots.highest(votes, len(self.rounds) + 1)
            unit = self._unit * self.terms.scale
            paid = self._buy(option, *offers[option])
            more = {
                "share": str(Fraction(self._pot, self.terms.n_voters * self.terms.scale)),
                "cost": str(Fraction(self.terms.costs[option], self.terms.scale)),
                "paid": [[str(price / unit), paid[price]] for price in sorted(paid, reverse=True)],
                "left": str(Fraction(self.left, self.terms.scale)),
            }
            self.rounds.append(Round(len(self.rounds) + 1, votes, elected=(option,), more=more))

    def missing(self, option: int) -> Fraction:
        """How much more money those who tick `option` would need for it, after the last purchase."""
        there = sum(purse * crowd.votes[option] for purse, crowd in self._purses)
        cost = Fraction(self.terms.costs[option], self.terms.scale)
        return cost - Fraction(there, self._unit * self.terms.scale) if there else cost

    def _best(self) -> dict[int, tuple[int, int]]:
        """The offers of the options with the most effective votes."""
        best: dict[int, tuple[int, int]] = {}
        most = Fraction(0)
        for option in sorted(self._open, key=self._open.__getitem__, reverse=True):
            if self._open[option] < most:
                break
            offer = self._offer(option)
            if offer is None:
                del self._open[option]
                continue
            self._open[option] = votes = self._effective_votes(option, *offer)
            if votes > most:
                most, best = votes, {}
            if votes == most:
                best[option] = offer
        return best

    def _offer(self, option: int) -> tuple[int, int] | None:
        """What those pay who have enough, as (money, among so many); None where all together have too little.

        Supporters who have less than that pay all they have.
        """
        rest, payers = self.terms.costs[option] * self._unit, self._payers[option]
        for purse, crowd in self._purses:
            if not payers:
                return None
            if purse * payers >= rest:
                return rest, payers
            votes = crowd.votes[option]
            rest -= purse * votes
            payers -= votes
        return None

    def _effective_votes(self, option: int, rest: int, payers: int) -> Fraction:
        return Fraction(self.terms.costs[option] * self._unit * payers, rest)

    def _buy(self, option: int, rest: int, payers: int) -> Counter[Fraction]:
        """Take the money; how many paid how much, in the units of before."""
        common = gcd(rest, payers)
        price, factor = rest // common, payers // common
        paid: Counter[Fraction] = Counter()
        purses = []
        for purse, crowd in self._purses:
            theirs, others = self._crowds.split(crowd, option)
            if others.size:
                purses.append((purse * factor, others))
            if theirs.size:
                left = purse * factor - price
                paid[Fraction(price + min(left, 0), factor)] += theirs.size
                if left > 0:
                    purses.append((left, theirs))
                else:
                    self._payers = list(map(sub, self._payers, theirs.votes))
        self._purses = sorted(purses, key=itemgetter(0))
        self._unit *= factor
        self.left -= self.terms.costs[option]
        self.bought.add(option)
        del self._open[option]
        return paid


def _additions(market: _Market, terms: _Terms, ticks: list[int], lots: Lots) -> Iterator[Round]:
    """One round for each option that is added because it still fits, most ticks first."""
    left, number = market.left, len(market.rounds)
    taken = {option for each in market.rounds for option in each.elected}
    while fits := {o: n for o, n in enumerate(ticks) if n and o not in taken and terms.costs[o] <= left}:
        number += 1
        option = lots.highest(fits, number)
        taken.add(option)
        left -= terms.costs[option]
        amounts = {"cost": Fraction(terms.costs[option], terms.scale), "left": Fraction(left, terms.scale)}
        more = {name: str(amount) for name, amount in amounts.items()}
        yield Round(number, fits, elected=(option,), note="most_ticks", more=more)


RULE = Rule(
    slug="equal-shares",
    version="equal-shares/1",
    kind="approval",
    name=_l("Method of Equal Shares"),
    sentence=_l(
        "Every voter holds an equal share of the newsroom's hours, and it is spent only on topics that they ticked."
    ),
    count=count,
)
