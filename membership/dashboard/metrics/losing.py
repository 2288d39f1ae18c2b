"""What churn and life-time value both need: how many supports there were, and how many ended, by cause."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from membership.dashboard.metrics.metric import Lens
from membership.dashboard.metrics.reading import Pieces, levels
from membership.dashboard.queries import sums
from membership.patrons.rules import Loss

ENDS = (Loss.CHOSEN, Loss.FAILED, Loss.STOPPED, Loss.PAUSED)
"""What ends a support. One that goes on in another currency has not ended."""
DAYS_A_MONTH = Decimal("30.436875")
"""Of the Gregorian calendar: 146,097 days in 4,800 months."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Supports of a range of days: how many ran when each piece began, and how many ended in it, by cause."""

    running: tuple[int, ...]
    ended: dict[str, tuple[int, ...]]

    @property
    def n(self) -> int:
        """How many ended."""
        return sum(sum(each) for each in self.ended.values())

    def n_of(self, cause: str) -> int:
        """How many ended by one cause."""
        return sum(self.ended.get(cause, ()))


def lost(cut: Pieces, lens: Lens) -> Lost:
    """What ended in each of `cut`. A cause that was never written down is the giver's choice: ours are all written."""
    ended = {cause.value: [0] * len(cut) for cause in ENDS}
    at = 0
    for row in sums.days_of("losses", cut[0][0], cut[-1][1], lens.currency):
        while row.day_on >= cut[at][1]:
            at += 1
        cause = row.dim or Loss.CHOSEN.value
        if cause in ended:
            ended[cause][at] += row.n
    before = levels("supports", cut[0][0], [end for _start, end in cut], lens)[:-1]
    running = tuple(sum(each.n for each in level.values()) for level in before)
    return Lost(running, {cause: tuple(values) for cause, values in ended.items()})


def support_months(start_on: date, end_on: date, lens: Lens) -> Decimal:
    """For how many months supports ran in `[start_on, end_on)`, all of them together: each counts with the days at
    whose end it ran.
    """
    days = [start_on + timedelta(days=n + 1) for n in range((end_on - start_on).days)]
    n_days = sum(each.n for level in levels("supports", start_on, days, lens)[1:] for each in level.values())
    return n_days / DAYS_A_MONTH
