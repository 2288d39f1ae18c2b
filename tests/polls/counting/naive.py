"""The rules once more, as plainly as they can be written: one ballot at a time, fractions, no speed.

Made from the sources named in the rules' files and from nothing else, so that a mistake would have to be made twice.
Each answers the positions of the winners in order of election.
"""

from fractions import Fraction


def ballots_of(profile):
    return [choice for size, choice in profile.groups for _ in range(size)]


def ticks_of(profile):
    return [{option for rank in choice for option in rank} for choice in ballots_of(profile)]


def highest(profile, totals, n):
    return sorted(totals, key=lambda option: (-totals[option], profile.lot_order.index(option)))[:n]


def approval(profile, n_seats):
    ballots = ticks_of(profile)
    return highest(profile, {o: sum(o in b for b in ballots) for o in range(len(profile.options))}, n_seats)


def plurality(profile, n_seats):
    firsts = [choice[0] for choice in ballots_of(profile) if choice]
    return highest(profile, {o: firsts.count((o,)) for o in range(len(profile.options))}, n_seats)


def spav(profile, n_seats):
    ballots, winners = ticks_of(profile), []
    while len(winners) < min(n_seats, len(profile.options)):
        scores = {
            option: sum((Fraction(1, 1 + len(b.intersection(winners))) for b in ballots if option in b), Fraction(0))
            for option in range(len(profile.options))
            if option not in winners
        }
        winners += highest(profile, scores, 1)
    return winners


def pairwise(profile):
    def rank(choice, option):
        return next((place for place, rank in enumerate(choice) if option in rank), len(choice))

    n, ballots = len(profile.options), ballots_of(profile)
    return [[sum(rank(b, one) < rank(b, other) for b in ballots) for other in range(n)] for one in range(n)]


def stv(profile, n_seats):  # noqa: C901 - read beside the law, from top to bottom
    """Scottish rules 45-52, a list of papers for each candidate: [preferences, value in 1/100000]."""
    n, lot = len(profile.options), profile.lot_order
    piles = {option: [] for option in range(n)}
    for choice in ballots_of(profile):
        if choice and len(choice[0]) == 1:
            piles[choice[0][0]].append([choice, 100_000])
    quota = (sum(map(len, piles.values())) // (n_seats + 1) + 1) * 100_000
    n_seats = min(n_seats, n)
    hopeful, winners, waiting, kept, stages = set(range(n)), [], [], {}, []

    def votes(option):
        return kept[option] if option in kept else sum(value for _, value in piles[option])

    def by_votes(options, *, most_first):
        """Most (or fewest) first; equals by the latest stage that tells them apart; then by lot."""
        sign = -1 if most_first else 1
        return sorted(options, key=lambda o: (*(sign * s[o] for s in reversed(stages)), -sign * lot.index(o)))

    def give(papers):
        for preferences, value in papers:
            named = [hopeful.intersection(rank) for rank in preferences if hopeful.intersection(rank)]
            if named and len(named[0]) == 1:
                piles[named[0].pop()].append([preferences, value])

    while True:
        stages.append({option: votes(option) for option in hopeful | set(winners)})
        reached = by_votes([option for option in hopeful if votes(option) >= quota], most_first=True)
        winners += reached
        waiting += [option for option in reached if votes(option) > quota]
        hopeful -= set(reached)
        if len(winners) == n_seats:
            return winners
        if len(hopeful) == n_seats - len(winners):
            return winners + by_votes(hopeful, most_first=True)
        if waiting:
            source = by_votes(waiting, most_first=True)[0]
            waiting.remove(source)
            total, papers = votes(source), piles[source]
            kept[source] = quota
            give([[preferences, value * (total - quota) // total] for preferences, value in papers])
        else:
            loser = by_votes(hopeful, most_first=False)[0]
            hopeful.remove(loser)
            if len(hopeful) == n_seats - len(winners):
                return winners + by_votes(hopeful, most_first=True)
            give(piles.pop(loser))


def equal_shares(profile, n_seats):  # noqa: C901 - read beside the paper, from top to bottom
    ballots, n = ticks_of(profile), len(profile.options)
    costs = [Fraction(cost) for cost in profile.costs or [1] * n]
    budget = Fraction(n_seats if profile.costs is None else profile.budget)
    unit = Fraction(1, max(1, len(ballots))) if profile.costs is None else Fraction(profile.unit)
    fans = {option: [i for i, b in enumerate(ballots) if option in b] for option in range(n)}
    wanted = [option for option in range(n) if fans[option]]
    if not wanted:
        return []

    def bought_with(share):
        purses, bought = [share] * len(ballots), []
        while True:
            best = {}
            for option in set(wanted) - set(bought):
                if sum(purses[i] for i in fans[option]) < costs[option]:
                    continue
                rest, payers = costs[option], sorted(purses[i] for i in fans[option])
                while payers and payers[0] * len(payers) < rest:
                    rest -= payers.pop(0)
                best[option] = rest / len(payers)
            if not best:
                return bought
            option = highest(profile, {o: costs[o] / price for o, price in best.items()}, 1)[0]
            for i in fans[option]:
                purses[i] -= min(purses[i], best[option])
            bought.append(option)

    share = budget / len(ballots)
    winners = bought_with(share)
    while len(winners) < len(wanted):
        share += unit
        more = bought_with(share)
        if sum(costs[option] for option in more) > budget:
            break
        winners = more
    while profile.fills_up:
        left = budget - sum(costs[option] for option in winners)
        fits = {option: len(fans[option]) for option in wanted if option not in winners and costs[option] <= left}
        if not fits:
            break
        winners = winners + highest(profile, fits, 1)
    return winners


RULES = {"approval": approval, "plurality": plurality, "spav": spav, "stv": stv, "equal-shares": equal_shares}
