"""Single transferable vote by the rules of Scottish councils; with one seat it is instant-runoff voting.

Source: The Scottish Local Government Elections Order 2007 (SSI 2007/42), schedule 1, rules 45-52; the same in SSI
2011/399. The quota is floor(votes / (seats + 1)) + 1. In each round those who reach it are elected; then one
surplus is passed on (the largest first), or where there is none the lowest option is excluded. All ballots of a pile go
on at their value times surplus / total of the pile, cut (not rounded) after 5 decimals (weighted inclusive Gregory).
As soon as as many options are left as seats, they are elected without further transfers. Ties: whoever had more in the
latest earlier round in which they differed; else the published lot order.

Values are integers in units of 0.00001 votes. Where several options share a rank and more than one of them is still in
the count when the ballot comes to it, the ballot ends there: whose it is is not clear. That is what Burlington did in
2009 (its totals agree). A ballot that begins so counts for nobody and not for the quota.

`totals` of a round: votes at its beginning, for all options but those excluded. What was done then says `note`:
* "surplus": that of the one option in `transfers`' "from" was passed on.
* "exclusion": `eliminated` holds one option, its votes were passed on.
* "last_places": the options in `elected` took the last places; `eliminated` may hold the one excluded just before.
* "filled": with those elected in this round all seats were taken.
In `more`: `exhausted`, votes that had no further choice before this round; `lost`, votes cut off after 5 decimals
before this round. Totals, exhausted and lost together are the votes of the first round.
`missed_by`, against the lowest of those that stayed in its last round: how many votes fewer it had.
"""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from membership.polls.counting.groups import Groups, Members
from membership.polls.counting.lots import Lots
from membership.polls.counting.profile import Profile
from membership.polls.counting.result import BrokenBy, Count, Round, Tie, Transfer
from membership.polls.counting.rule import Rule, _l

# One vote in the units of this file.
VOTE = 100_000


def count(profile: Profile, groups: Groups, n_seats: int) -> Count:
    """Count in rounds until all seats are taken."""
    stage = _Stage(profile, groups, n_seats)
    while stage.step():
        pass
    return Count(
        rule=RULE.slug,
        version=RULE.version,
        n_seats=n_seats,
        options=profile.options,
        winners=tuple(stage.winners),
        order=(*stage.winners, *stage.in_order(stage.continuing, is_recorded=False), *reversed(stage.excluded)),
        ties=tuple(stage.lots.ties),
        rounds=tuple(stage.rounds),
        n_ballots=groups.n_ballots,
        n_blank=groups.n_blank,
        missed_by=_missed_by(stage.rounds, stage.winners),
        quota=stage.quota // VOTE,
    )


def _missed_by(rounds: Sequence[Round], winners: Sequence[int]) -> dict[int, Fraction | int]:
    """Each loser against the lowest of those that stayed when it went, or of the winners if it was there at the end."""
    missed: dict[int, Fraction | int] = {}
    settled: set[int] = set()
    for each in rounds:
        for loser in each.eliminated:
            stayed = [each.totals[other] for other in each.totals if other != loser and other not in settled]
            missed[loser] = min(stayed) - each.totals[loser]
        settled.update(each.elected)
    last = rounds[-1].totals
    for loser in last.keys() - missed.keys() - set(winners):
        missed[loser] = min(last[winner] for winner in winners) - last[loser]
    return missed


class _Stage:
    """The state of the count between two rounds. Votes are integers in units of 1/VOTE."""

    def __init__(self, profile: Profile, groups: Groups, n_seats: int) -> None:
        self.lots = Lots(profile.lot_order)
        self.rounds: list[Round] = []
        self.winners: list[int] = []
        self.excluded: list[int] = []
        self.continuing = list(range(groups.n_options))
        self._groups = groups
        self._n_seats = min(n_seats, groups.n_options)
        # For each option its ballots by their value, and what they are worth together.
        self._piles: list[dict[int, Members]] = [{VOTE: members} for members in groups.first_choices]
        self._totals = {option: size * VOTE for option, size in groups.sizes(groups.first_choices).items()}
        self._history: list[dict[int, int]] = []
        self._surpluses: list[int] = []
        self._exhausted = self._lost = 0
        self.quota = (sum(self._totals.values()) // VOTE // (n_seats + 1) + 1) * VOTE

    def step(self) -> bool:
        """Do one round and write it down; False where it was the last."""
        self._history.append(dict(self._totals))
        more = {"exhausted": str(_votes(self._exhausted)), "lost": str(_votes(self._lost))}
        elected = self._elect([option for option in self.continuing if self._totals[option] >= self.quota])
        excluded: tuple[int, ...] = ()
        transfers: tuple[Transfer, ...] = ()
        n_open = self._n_seats - len(self.winners)
        note = "last_places" if n_open else "filled"
        if n_open and len(self.continuing) > n_open:
            if self._surpluses:
                note, transfers = "surplus", self._pass_on_surplus()
            else:
                excluded = (self._exclude_lowest(),)
                if len(self.continuing) > n_open:
                    note, transfers = "exclusion", self._pass_on_all(excluded[0])
        if note == "last_places":
            elected += self._elect(self.continuing)
        totals = {option: _votes(total) for option, total in self._history[-1].items()}
        self.rounds.append(Round(len(self._history), totals, tuple(elected), excluded, transfers, note, more))
        return note in {"surplus", "exclusion"}

    def _elect(self, options: list[int]) -> list[int]:
        """Elect all of `options`, those with more votes first."""
        elected = self.in_order(options, is_recorded=True)
        self.winners += elected
        self._surpluses += [option for option in elected if self._totals[option] > self.quota]
        self.continuing = [option for option in self.continuing if option not in elected]
        return elected

    def _pass_on_surplus(self) -> tuple[Transfer, ...]:
        """Pass on the largest. Of equal ones that of whoever was elected first: with more votes earlier, or by lot."""
        source = max(self._surpluses, key=self._totals.__getitem__)
        self._surpluses.remove(source)
        total, self._totals[source] = self._totals[source], self.quota
        return self._pass_on(source, total - self.quota, total)

    def _exclude_lowest(self) -> int:
        least = min(self._totals[option] for option in self.continuing)
        tied = [option for option in self.continuing if self._totals[option] == least]
        option, broken_by = self._settle(tied, -1)
        if len(tied) > 1:
            self.lots.ties.append(Tie(len(self._history), tuple(tied), (option,), broken_by))
        self.continuing.remove(option)
        self.excluded.append(option)
        return option

    def _pass_on_all(self, source: int) -> tuple[Transfer, ...]:
        total = self._totals.pop(source)
        return self._pass_on(source, total, total)

    def _pass_on(self, source: int, votes: int, total: int) -> tuple[Transfer, ...]:
        """Give `votes` of the pile's `total` to the next choices on its ballots."""
        pile, self._piles[source] = self._piles[source], {}
        passed: dict[int | None, int] = {}
        for value, ballots in pile.items():
            new = value * votes // total if total else 0
            for target, members in self._next_choices(ballots):
                passed[target] = passed.get(target, 0) + new * self._groups.size(members)
                if target is not None:
                    self._piles[target][new] = self._piles[target].get(new, 0) | members
        for target, worth in passed.items():
            if target is None:
                self._exhausted += worth
            else:
                self._totals[target] += worth
        self._lost += votes - sum(passed.values())
        return tuple(Transfer(source, target, _votes(worth)) for target, worth in passed.items() if worth)

    def _next_choices(self, ballots: Members) -> Iterator[tuple[int | None, Members]]:
        """The parts of `ballots` by the first continuing option that they name; None: they can go no further."""
        ended = 0
        for rank, shared in zip(self._groups.ranks, self._groups.shared, strict=True):
            unclear = self._unclear(ballots & shared, rank)
            ballots ^= unclear
            ended |= unclear
            for option in self.continuing:
                if members := ballots & rank[option]:
                    ballots ^= members
                    yield option, members
            if not ballots:
                break
        yield None, ballots | ended

    def _unclear(self, ballots: Members, rank: list[Members]) -> Members:
        """Those of `ballots` that name several continuing options in `rank`."""
        seen = several = 0
        for option in self.continuing if ballots else ():
            members = ballots & rank[option]
            several |= seen & members
            seen |= members
        return several

    def in_order(self, options: Iterable[int], *, is_recorded: bool) -> list[int]:
        """`options` by their votes now, then by those of earlier rounds, then by lot."""
        left, order = list(options), []
        while left:
            most = max(self._totals[option] for option in left)
            tied = sorted(option for option in left if self._totals[option] == most)
            group, by = self._line_up(tied)
            if len(tied) > 1 and is_recorded:
                self.lots.ties.append(Tie(len(self._history), tuple(tied), tuple(group), by))
            order += group
            left = [option for option in left if option not in group]
        return order

    def _line_up(self, tied: Sequence[int]) -> tuple[list[int], BrokenBy]:
        """All of `tied`, the one that goes first at the head, and whether the lot was needed for any."""
        left, group = list(tied), []
        by: BrokenBy = "earlier_round"
        while left:
            option, broken_by = self._settle(left, 1)
            if len(left) > 1 and broken_by == "lot":
                by = "lot"
            left.remove(option)
            group.append(option)
        return group, by

    def _settle(self, tied: Sequence[int], sign: int) -> tuple[int, BrokenBy]:
        """The one of `tied` with most (`sign` 1) or fewest (-1) votes in the latest round that tells them apart.

        Where none does, the lot: its first option for most, its last for fewest.
        """
        left = list(tied)
        for earlier in reversed(self._history[:-1]):
            best = max(sign * earlier[option] for option in left)
            left = [option for option in left if sign * earlier[option] == best]
            if len(left) == 1:
                return left[0], "earlier_round"
        return (self.lots.first(left) if sign > 0 else self.lots.last(left)), "lot"


def _votes(units: int) -> Fraction:
    return Fraction(units, VOTE)


RULE = Rule(
    slug="stv",
    version="stv/1",
    kind="ranking",
    name=_l("Single transferable vote"),
    sentence=_l(
        "Rank your favourites; votes that a topic does not need, or that could not help it, go on to the next choice on"
        " the same ballot."
    ),
    count=count,
)
