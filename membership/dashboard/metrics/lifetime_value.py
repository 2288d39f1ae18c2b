"""What a support brings until it ends, at the pace at which supports end now."""

from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from membership.dashboard.metrics.losing import lost, support_months
from membership.dashboard.metrics.metric import Definition, Kind, Lens, Result, Unit
from membership.dashboard.metrics.mrr import MRR
from membership.dashboard.metrics.reading import never_rolled
from membership.dashboard.queries.sums import find_rolled_to
from membership.dashboard.rules.periods import Period
from membership.kernel.money import Money
from membership.web.filters import decimal

FEWEST_ENDS = 10
"""After n ends the standard error of such an estimate is 1/√n of it: with ten a third, with fewer too much."""


class LifetimeValue:
    """Average monthly support, times the months that a support lasts at the present pace of ends."""

    key = "lifetime-value"
    unit = Unit.MONEY
    kind = Kind.NUMBER
    is_up_good = True
    title = _l("Lifetime value")
    definition = Definition(
        _l(
            "What an average support will have brought when it ends, should supports go on ending as they did in "
            "these days: the average support a month at their end, times the months for which one lasts. For how "
            "long one lasts is told by the days: all months that supports ran in them, divided by the supports that "
            "ended. With fewer than %(least)s ends it is too early to say. Fees are not taken off; pauses count as "
            "ends.",
            least=FEWEST_ENDS,
        ),
        _l(
            "Stripe, “Billing metric definitions”, section “Subscriber lifetime value”: average revenue per subscriber "
            "divided by the churn rate. Months that ran, divided by ends, is the maximum likelihood estimate of how "
            "long something lasts that ends at a constant pace (Epstein and Sobel, “Life Testing”, 1953)."
        ),
        "https://docs.stripe.com/billing/subscriptions/analytics/glossary",
    )

    def measure(self, at: datetime, period: Period, lens: Lens) -> Result:
        """`now` by the days of the period, `before` by those before it; None where it is too early to say."""
        rolled_to = find_rolled_to()
        level = MRR.measure(at, period, lens)
        now, n_ended = _value(level, period.start_on, period.end_on, lens)
        was, _n = _value(MRR.measure(at, Period(period.range, *period.before, period.before), lens),
                         *period.before, lens)  # fmt: skip
        notes = (*(level.notes or never_rolled(rolled_to)), *(() if now or not rolled_to else (_too_early(n_ended),)))
        return Result(rolled_to, period, self.unit, self.kind, now, was, notes=notes)

    def words(self, result: Result) -> str:
        """What it means, in a sentence."""
        if result.now is None:
            return str(_("It is too early to say what a support will bring."))
        return str(_("So much will an average support have brought when it ends, if supports end as they did now."))


def _too_early(n_ended: int) -> str:
    return str(ngettext(
        "Only %(n)s support ended in these days; with fewer than %(least)s it is too early to say how long one lasts. "
        "Choose a longer time.",
        "Only %(n)s supports ended in these days; with fewer than %(least)s it is too early to say how long one lasts. "
        "Choose a longer time.",
        n_ended, n=decimal(n_ended, 0), least=FEWEST_ENDS,
    ))  # fmt: skip


def _value(level: Result, start_on: date, end_on: date, lens: Lens) -> tuple[Money | None, int]:
    """The value by the days `[start_on, end_on)`, and how many supports ended in them."""
    n_ended, n_running = lost(((start_on, end_on),), lens).n, level.lines[0].n or 0
    if n_ended < FEWEST_ENDS or n_running <= 0 or not isinstance(level.now, Money):
        return None, n_ended
    months = support_months(start_on, end_on, lens) / n_ended
    minor = Decimal(level.now.minor) / n_running * months
    return Money(int(minor.quantize(Decimal(1), ROUND_HALF_EVEN)), lens.shown), n_ended


LIFETIME_VALUE = LifetimeValue()
