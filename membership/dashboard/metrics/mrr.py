"""Monthly recurring revenue."""

from datetime import datetime

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from membership.dashboard.metrics.metric import Definition, Kind, Lens, Line, Result, Unit
from membership.dashboard.metrics.reading import ONE_DAY, Missing, Worth, levels, never_rolled
from membership.dashboard.queries.sums import find_rolled_to
from membership.dashboard.rules.periods import Period, pieces
from membership.kernel.money import Money
from membership.web.filters import day_short, money_short

MONTHS_A_YEAR = 12
STRIPE_MRR = "https://docs.stripe.com/billing/subscriptions/analytics/glossary"


class Mrr:
    """A twelfth of what all running supports bring in a year, at the end of each day."""

    key = "mrr"
    unit = Unit.MONEY
    kind = Kind.LEVEL
    is_up_good = True
    title = _l("Monthly recurring revenue")
    definition = Definition(
        _l(
            "What all running supports bring in a month: monthly ones as they are, a twelfth of yearly ones. It "
            "includes fees that givers cover, supports whose payment is being retried, and those that end at the "
            "close of a paid period until then. It leaves out single gifts, and supports while they are paused. Other"
            " currencies count at the rate of each day."
        ),
        _l(
            "Stripe, “Billing metric definitions”, section “Monthly Recurring Revenue (MRR)”; a pause counts as "
            "nothing."
        ),
        STRIPE_MRR,
    )

    def measure(self, at: datetime, period: Period, lens: Lens) -> Result:
        """At the end of each piece, in the lens's currency."""
        rolled_to, cut, missing = (
            find_rolled_to(),
            tuple(pieces(period.start_on, period.end_on, period.step)),
            Missing(),
        )
        found = levels("supports", period.start_on, [end for _start, end in cut], lens)
        worth = Worth(period, rolled_to or at, lens, missing, {code for level in found for code in level})
        days = [period.start_on - ONE_DAY, *(end - ONE_DAY for _start, end in cut)]
        values = [
            Money(worth.minor(level, day, MONTHS_A_YEAR), lens.shown) for level, day in zip(found, days, strict=True)
        ]
        notes = (*never_rolled(rolled_to), *missing.notes(lens))
        line = Line("mrr", self.title, tuple(values[1:]), n=sum(level.n for level in found[-1].values()))
        return Result(rolled_to, period, self.unit, self.kind, values[-1], values[0], cut, (line,), notes=notes)

    def words(self, result: Result) -> str:
        """Such as "€48 a month more since Nov 1"."""
        change, since = result.change, day_short(result.pieces[0][0])
        if not isinstance(change, Money) or not change.minor:
            return str(_("The same a month as on %(day)s.", day=since))
        if change.minor > 0:
            return str(_("%(amount)s a month more since %(day)s.", amount=money_short(change), day=since))
        return str(_("%(amount)s a month less since %(day)s.", amount=money_short(-change), day=since))


MRR = Mrr()
