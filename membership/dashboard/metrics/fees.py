"""What the payment company kept."""

from datetime import datetime
from decimal import Decimal

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from membership.dashboard.metrics.metric import Definition, Kind, Lens, Line, Result, Unit
from membership.dashboard.metrics.reading import Missing, flow, never_rolled
from membership.dashboard.queries.sums import find_rolled_to
from membership.dashboard.rules.periods import Period, pieces
from membership.kernel.money import Money
from membership.web.filters import money_short, percent

LABELS = {"fee": _l("Of payments"), "reversal_fee": _l("Of disputes and refunds")}
CARD = ":card"


class Fees:
    """Fees as the provider stated them, by the day of the payment or dispute that they are for."""

    key = "fees"
    unit = Unit.MONEY
    kind = Kind.STACK
    is_up_good = False
    title = _l("Fees")
    definition = Definition(
        _l(
            "What the payment company kept of payments, and what it took for disputes, on the day of the payment or "
            "the dispute. A fee that it states some days late is put on the day of its payment. The share is of "
            "everything that was paid by card in the same days, before anything went back."
        ),
        _l("The books of this newsroom: the fees that the payment company states for each payment."),
    )

    def measure(self, at: datetime, period: Period, lens: Lens) -> Result:
        """Each piece by what it was kept for. `now` is the sum; the line "card" in no picture is what came by card."""
        del at
        rolled_to, missing = find_rolled_to(), Missing()
        cut = tuple(pieces(period.start_on, period.end_on, period.step))
        found, before = flow("fees", cut, lens, missing), flow("fees", (period.before,), lens, missing)
        lines = tuple(
            Line(
                kind, label, tuple(Money(v, lens.shown) for v in found.by_piece.get(kind, [0] * len(cut))),
                Money(found.total.get(kind, 0), lens.shown), found.n.get(kind, 0),
            )
            for kind, label in LABELS.items() if kind == "fee" or found.n.get(kind)
        )  # fmt: skip
        totals = (Money(sum(each.total.values()), lens.shown) for each in (found, before))
        notes = (*never_rolled(rolled_to), *missing.notes(lens), *_share(found.total.get("fee", 0), cut, lens))
        return Result(rolled_to, period, self.unit, self.kind, next(totals), next(totals), cut, lines, notes=notes)

    def words(self, result: Result) -> str:
        """By how much they changed."""
        change = result.change
        if not isinstance(change, Money) or not change.minor:
            return str(_("The same as in the days before."))
        if change.minor > 0:
            return str(_("%(amount)s more than in the days before.", amount=money_short(change)))
        return str(_("%(amount)s less than in the days before.", amount=money_short(-change)))


def _share(fee_minor: int, cut: tuple[tuple[object, object], ...], lens: Lens) -> tuple[str, ...]:
    """Which part of what came by card that is; nothing where nothing came, or a rate is missing."""
    missing = Missing()
    paid = flow("payments", cut, lens, missing).total  # type: ignore[arg-type]  # the same pieces
    by_card = sum(minor for dim, minor in paid.items() if dim.endswith(CARD))
    if not by_card or missing.days:
        return ()
    return (
        _(
            "Of everything paid by card, %(share)s went to fees of payments.",
            share=percent(Decimal(fee_minor) / by_card),
        ),
    )


FEES = Fees()
