"""Which part of the supports ended, and why."""

from datetime import date, datetime
from decimal import Decimal

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from membership.dashboard.metrics.losing import ENDS, lost, support_months
from membership.dashboard.metrics.metric import Definition, Kind, Lens, Line, Result, Unit
from membership.dashboard.metrics.reading import never_rolled
from membership.dashboard.metrics.shares import part
from membership.dashboard.queries.sums import find_rolled_to
from membership.dashboard.rules.periods import Period, pieces
from membership.patrons.rules import Loss
from membership.web.filters import decimal

LABELS = {
    Loss.CHOSEN: _l("Ended by choice"),
    Loss.FAILED: _l("No payment came"),
    Loss.STOPPED: _l("Ended by us"),
    Loss.PAUSED: _l("Paused"),
}


class Churn:
    """Supports that end in a month, as a part of those that run."""

    key = "churn"
    unit = Unit.PERCENT
    kind = Kind.STACK
    is_up_good = False
    title = _l("Churn")
    definition = Definition(
        _l(
            "Which part of the supports ends in a month: those that ended in these days, divided by all the months for "
            "which supports ran in them. In the picture and the table each part of the days is divided by the supports "
            "that ran when it began. By choice: the giver stopped it, or staff did so for them; it counts when the "
            "paid period is over. No payment came: the card failed to the last try. Ended by us: after a dispute, or "
            "because somebody had two. Paused: a pause counts as an end when it begins, and as one that is back when "
            "it is over, so that a pause nobody comes back from is not forgotten. A support that goes on in another "
            "currency has not ended."
        ),
        _l(
            "Stripe, “Billing metric definitions”, section “Subscriber churn rate”, per support and by the months that "
            "ran, so that any range compares with any other. Chosen and failed are kept apart as “voluntary” and "
            "“involuntary churn”."
        ),
        "https://docs.stripe.com/billing/subscriptions/analytics/glossary",
    )

    def measure(self, at: datetime, period: Period, lens: Lens) -> Result:
        """The share of each piece by cause; `now` is the part that ends in a month, by all days of the period."""
        del at
        rolled_to = find_rolled_to()
        cut = tuple(pieces(period.start_on, period.end_on, period.step))
        found = lost(cut, lens)
        lines = tuple(
            Line(
                cause.value,
                LABELS[cause],
                tuple(part(n, of) for n, of in zip(found.ended[cause.value], found.running, strict=True)),
                n=found.n_of(cause.value),
            )
            for cause in ENDS
            if cause in {Loss.CHOSEN, Loss.FAILED} or found.n_of(cause.value)
        )
        now, was = (_a_month(span, lens) for span in ((period.start_on, period.end_on), period.before))
        notes = never_rolled(rolled_to)
        if rolled_to and now is None:
            notes = (_("No support ran in these days, so there is nothing to divide by."),)
        return Result(rolled_to, period, self.unit, self.kind, now, was, cut, lines, notes=notes)

    def words(self, result: Result) -> str:
        """How many ended, and how many of them by choice."""
        n_by = {line.key: line.n or 0 for line in result.lines}
        n = sum(n_by.values())
        if not n:
            return str(_("No support ended."))
        ended = ngettext("%(n)s support ended in these days", "%(n)s supports ended in these days", n, n=decimal(n, 0))
        return str(
            _(
                "A month, on average. %(ended)s: %(chosen)s by choice, %(failed)s because no payment came.",
                ended=ended,
                chosen=decimal(n_by.get(Loss.CHOSEN, 0), 0),
                failed=decimal(n_by.get(Loss.FAILED, 0), 0),
            )
        )


def _a_month(span: tuple[date, date], lens: Lens) -> Decimal | None:
    return part(lost((span,), lens).n, support_months(*span, lens))


CHURN = Churn()
