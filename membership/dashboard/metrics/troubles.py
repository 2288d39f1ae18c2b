"""Renewals that failed, and what of them came after all."""

from datetime import datetime

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from membership.dashboard.metrics.metric import Definition, Kind, Lens, Line, Result, Unit
from membership.dashboard.metrics.reading import Missing, flow, never_rolled
from membership.dashboard.queries.sums import find_rolled_to
from membership.dashboard.rules.periods import Period, pieces
from membership.kernel.money import Money
from membership.web.filters import decimal, money_short

FAILED, RECOVERED = "failed", "recovered"


class Troubles:
    """Money that failed to come, below zero, and what was recovered, above it."""

    key = "failed"
    unit = Unit.MONEY
    kind = Kind.STACK
    is_up_good = True
    title = _l("Failed and recovered")
    definition = Definition(
        _l(
            "A renewal that fails counts once, on the day of its first failed try, however often it is tried again. It "
            "counts as recovered on the day on which its money comes, by another try, another card, or because the "
            "giver paid it. The number is what was recovered less what failed: at zero everything came after all. "
            "What fails near the end of the days may still come after them."
        ),
        _l(
            "The provider's notices of this newsroom. Stripe, “Revenue recovery”, calls the money of the second kind "
            "recovered volume."
        ),
        "https://docs.stripe.com/billing/revenue-recovery",
    )

    def measure(self, at: datetime, period: Period, lens: Lens) -> Result:
        """Each piece by both; `now` is the difference."""
        del at
        rolled_to, missing = find_rolled_to(), Missing()
        cut = tuple(pieces(period.start_on, period.end_on, period.step))
        found = flow("troubles", cut, lens, missing)
        lines = []
        for key, label, sign in ((RECOVERED, _l("Recovered"), 1), (FAILED, _l("Failed"), -1)):
            values = [sign * minor for minor in found.by_piece.get(key, [0] * len(cut))]
            total = Money(sum(values), lens.shown)
            lines.append(Line(key, label, tuple(Money(v, lens.shown) for v in values), total, found.n.get(key, 0)))
        was = flow("troubles", (period.before,), lens, missing).total
        before = Money(was.get(RECOVERED, 0) - was.get(FAILED, 0), lens.shown)
        now = Money(sum(line.total.minor for line in lines if isinstance(line.total, Money)), lens.shown)
        notes = (*never_rolled(rolled_to), *missing.notes(lens))
        return Result(rolled_to, period, self.unit, self.kind, now, before, cut, tuple(lines), notes=notes)

    def words(self, result: Result) -> str:
        """How many failed, and how many were recovered."""
        recovered, failed = result.lines
        if not failed.n and not recovered.n:
            return str(_("No renewal failed."))
        n_failed, n_came = failed.n or 0, recovered.n or 0
        began = ngettext("%(n)s renewal failed", "%(n)s renewals failed", n_failed, n=decimal(n_failed, 0))
        came = ngettext("%(n)s came after all", "%(n)s came after all", n_came, n=decimal(n_came, 0))
        amount = money_short(recovered.total) if isinstance(recovered.total, Money) else ""
        return f"{began}, {came} ({amount})."


TROUBLES = Troubles()
