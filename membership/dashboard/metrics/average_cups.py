"""How many cups of coffee a month an average support is."""

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from membership.dashboard.metrics.metric import Definition, Kind, Lens, Line, Result, Unit
from membership.dashboard.metrics.reading import levels, never_rolled
from membership.dashboard.queries.sums import Level, find_rolled_to
from membership.dashboard.rules.periods import Period, pieces
from membership.web.filters import day_short, decimal

HUNDREDTH = Decimal("0.01")


class AverageCups:
    """Cups a month of all running supports, divided by how many there are, at the end of each day."""

    key = "average-cups"
    unit = Unit.CUPS
    kind = Kind.LEVEL
    is_up_good = True
    title = _l("Average cups")
    definition = Definition(
        _l(
            "What running supports give a month, in cups at the price of a cup when each was promised, divided by the"
            " number of supports. A yearly support counts a twelfth a month; fees that givers cover are no cups; "
            "single gifts and supports that are paused do not count."
        ),
        _l("Our own unit: the price of one coffee, as the newsroom sets it per currency."),
    )

    def measure(self, at: datetime, period: Period, lens: Lens) -> Result:
        """At the end of each piece; of supports in one currency, or of all."""
        del at
        rolled_to, cut = find_rolled_to(), tuple(pieces(period.start_on, period.end_on, period.step))
        found = [_average(level) for level in levels("cups", period.start_on, [end for _start, end in cut], lens)]
        notes = never_rolled(rolled_to)
        if found[-1] is None and rolled_to:
            notes = (_("No support is running, so there is no average."),)
        line = Line("average-cups", self.title, tuple(found[1:]))
        return Result(rolled_to, period, self.unit, self.kind, found[-1], found[0], cut, (line,), notes=notes)

    def words(self, result: Result) -> str:
        """By how much it changed."""
        change, since = result.change, day_short(result.pieces[0][0])
        if not isinstance(change, Decimal):
            return str(_("There is nothing to compare with yet."))
        if not change:
            return str(_("The same as on %(day)s.", day=since))
        if change > 0:
            return str(_("%(number)s more since %(day)s.", number=decimal(change), day=since))
        return str(_("%(number)s less since %(day)s.", number=decimal(-change), day=since))


def _average(level: dict[str, Level]) -> Decimal | None:
    n = sum(each.n for each in level.values())
    milli = sum(each.amount for each in level.values())
    return (Decimal(milli) / n / 1000).quantize(HUNDREDTH, ROUND_HALF_EVEN) if n > 0 else None


AVERAGE_CUPS = AverageCups()
