"""Who goes first among equals: the published lot order, and nothing that is drawn while counting."""

from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction

from membership.polls.counting.result import Tie

Totals = Mapping[int, Fraction | int]


class Lots:
    """The lot order of one count and the ties that it recorded."""

    def __init__(self, lot_order: Sequence[int]) -> None:
        self.ties: list[Tie] = []
        self._place = {option: place for place, option in enumerate(lot_order)}

    def sorted(self, totals: Totals) -> list[int]:
        """Options by their totals, highest first, equals by lot. Records nothing."""
        return sorted(totals, key=lambda option: (-totals[option], self._place[option]))

    def first(self, options: Collection[int]) -> int:
        """The one that wins a tie among `options`. Records nothing."""
        return min(options, key=self._place.__getitem__)

    def last(self, options: Collection[int]) -> int:
        """The one that loses a tie among `options`. Records nothing."""
        return max(options, key=self._place.__getitem__)

    def highest(self, totals: Totals, number: int) -> int:
        """The option with the highest total; a tie is recorded for round `number`."""
        most = max(totals.values())
        tied = tuple(sorted(option for option, total in totals.items() if total == most))
        chosen = self.first(tied)
        if len(tied) > 1:
            self.ties.append(Tie(number, tied, (chosen,), "lot"))
        return chosen

    def record_block(self, totals: Totals, order: Sequence[int], n_seats: int, number: int) -> None:
        """Record every tie that touches the first `n_seats` of `order`, which `sorted` gave."""
        winners = order[:n_seats]
        for total in dict.fromkeys(totals[winner] for winner in winners):
            tied = tuple(sorted(option for option in totals if totals[option] == total))
            if len(tied) > 1:
                chosen = tuple(winner for winner in winners if totals[winner] == total)
                self.ties.append(Tie(number, tied, chosen, "lot"))


def block(totals: Totals, lot_order: Sequence[int], n_seats: int) -> tuple[list[int], Lots, dict[int, Fraction | int]]:
    """The options with the highest totals at once: the order of all, the ties, and by how much each loser missed."""
    lots = Lots(lot_order)
    order = lots.sorted(totals)
    lots.record_block(totals, order, n_seats, 1)
    winners = order[:n_seats]
    missed = {loser: totals[winners[-1]] - totals[loser] for loser in order[n_seats:]} if winners else {}
    return order, lots, missed
