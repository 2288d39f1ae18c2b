"""How many people are patrons."""

from datetime import datetime

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from membership.dashboard.metrics.metric import Definition, Kind, Lens, Line, Result, Unit
from membership.dashboard.metrics.reading import levels, never_rolled
from membership.dashboard.queries.sums import Level, find_rolled_to
from membership.dashboard.rules.periods import Period, pieces
from membership.web.filters import day_short, decimal

NOBODY = Level(0, 0)


class Patrons:
    """People who are covered, or in grace while a payment is retried, at the end of each day; today's until now."""

    key = "patrons"
    unit = Unit.PEOPLE
    kind = Kind.LEVEL
    is_up_good = True
    title = _l("Patrons")
    definition = Definition(
        _l(
            "People whose membership is covered by a payment, a gift or a free membership, or who keep it for some "
            "days while a failed payment is tried again. Each person counts once, at the end of each day in the "
            "newsroom's time zone; today counts until the moment shown."
        ),
        _l("Our own rule: the membership that opens doors and votes is what is counted."),
    )

    def measure(self, at: datetime, period: Period, lens: Lens) -> Result:
        """In any currency: people are not money."""
        del at
        rolled_to, cut = find_rolled_to(), tuple(pieces(period.start_on, period.end_on, period.step))
        found = [
            level.get("", NOBODY).n
            for level in levels("patrons", period.start_on, [e for _s, e in cut], Lens(lens.reporting))
        ]
        line = Line("patrons", self.title, tuple(found[1:]))
        return Result(
            rolled_to, period, self.unit, self.kind, found[-1], found[0], cut, (line,), notes=never_rolled(rolled_to)
        )

    def words(self, result: Result) -> str:
        """Such as "23 more patrons since Nov 1"."""
        change = result.change if isinstance(result.change, int) else 0
        since = day_short(result.pieces[0][0])
        if not change:
            return str(_("As many patrons as on %(day)s.", day=since))
        n = decimal(abs(change), 0)
        if change > 0:
            return str(ngettext(
                "%(n)s more patron since %(day)s.", "%(n)s more patrons since %(day)s.",
                change, n=n, day=since,
            ))  # fmt: skip
        return str(ngettext(
            "%(n)s fewer patron since %(day)s.", "%(n)s fewer patrons since %(day)s.",
            -change, n=n, day=since,
        ))  # fmt: skip


PATRONS = Patrons()
