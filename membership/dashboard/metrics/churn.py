"""Which part of the supports ended, and why."""

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from membership.dashboard.metrics.losing import ENDS, lost
from membership.dashboard.metrics.metric import Definition, Kind, Lens, Line, Result, Unit
from membership.dashboard.metrics.reading import Pieces, never_rolled
from membership.dashboard.queries.sums import find_rolled_to
from membership.dashboard.rules.periods import Period, pieces
from membership.patrons.rules import Loss
from membership.web.filters import decimal

TEN_THOUSANDTH = Decimal("0.0001")
LABELS = {
    Loss.CHOSEN: _l("Ended by choice"),
    Loss.FAILED: _l("No payment came"),
    Loss.STOPPED: _l("Ended by us"),
    Loss.PAUSED: _l("Paused"),
}


class Churn:
    """Supports that ended, as a part of those that ran when the days began."""

    key = "churn"
    unit = Unit.PERCENT
    kind = Kind.STACK
    is_up_good = False
    title = _l("Churn")
    definition = Definition(
        _l(
            "Supports that ended in these days, divided by the supports that ran when the days began. By choice: the "
            "giver stopped it, or staff did so for them; it counts when the paid period is over. No payment came: the "
            "card failed to the last try. Ended by us: after a dispute, or because somebody had two. Paused: a pause "
            "counts as an end when it begins, and as one that is back when it is over, so that a pause nobody comes "
            "back from is not forgotten. A support that goes on in another currency has not ended. The shares of "
            "months do not add up to that of a year, for each is of the supports that ran when it began."
        ),
        _l(
            "Stripe, “Billing metric definitions”, section “Subscriber churn rate”: churned, divided by those at the "
            "start of the period; here per support, in the days that are shown, and without adding those who came in "
            "them to the divisor. Chosen and failed are kept apart as “voluntary” and “involuntary churn”."
        ),
        "https://docs.stripe.com/billing/subscriptions/analytics/glossary",
    )

    def measure(self, at: datetime, period: Period, lens: Lens) -> Result:
        """The share of each piece by cause; `now` is that of all days, of the supports that ran when they began."""
        del at
        rolled_to = find_rolled_to()
        cut = tuple(pieces(period.start_on, period.end_on, period.step))
        found = lost(cut, lens)
        lines = tuple(
            Line(
                cause.value,
                LABELS[cause],
                tuple(_share(n, of) for n, of in zip(found.ended[cause.value], found.running, strict=True)),
                _share(found.n_of(cause.value), found.running[0]),
                found.n_of(cause.value),
            )
            for cause in ENDS
            if cause in {Loss.CHOSEN, Loss.FAILED} or found.n_of(cause.value)
        )
        notes = never_rolled(rolled_to)
        if rolled_to and not found.running[0]:
            notes = (_("No support ran when these days began, so there is nothing to divide by."),)
        now, was = _share(found.n, found.running[0]), _before(period.before, lens)
        return Result(rolled_to, period, self.unit, self.kind, now, was, cut, lines, notes=notes)

    def words(self, result: Result) -> str:
        """How many ended, and how many of them by choice."""
        n_by = {line.key: line.n or 0 for line in result.lines}
        n = sum(n_by.values())
        if not n:
            return str(_("No support ended."))
        ended = ngettext("%(n)s support ended", "%(n)s supports ended", n, n=decimal(n, 0))
        return str(
            _(
                "%(ended)s: %(chosen)s by choice, %(failed)s because no payment came.",
                ended=ended,
                chosen=decimal(n_by.get(Loss.CHOSEN, 0), 0),
                failed=decimal(n_by.get(Loss.FAILED, 0), 0),
            )
        )


def _share(n: int, of: int) -> Decimal | None:
    return (Decimal(n) / of).quantize(TEN_THOUSANDTH, ROUND_HALF_EVEN) if of > 0 else None


def _before(span: Pieces | tuple[object, object], lens: Lens) -> Decimal | None:
    found = lost((span,), lens)  # type: ignore[arg-type]  # two days
    return _share(found.n, found.running[0])


CHURN = Churn()
