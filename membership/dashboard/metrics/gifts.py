"""Single gifts and money by other ways, less what went back."""

from collections.abc import Callable
from datetime import datetime

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from membership.dashboard.metrics.metric import Definition, Kind, Lens, Line, Result, Unit
from membership.dashboard.metrics.reading import Flow, Missing, Pieces, flow, folded, never_rolled
from membership.dashboard.queries.sums import find_rolled_to
from membership.dashboard.rules.periods import Period, pieces
from membership.kernel.money import Money
from membership.web.filters import decimal, money_short


def _is_single(dim: str) -> bool:
    return dim.startswith(("once:", "gift:"))


LINES: tuple[tuple[str, object, Callable[[str], bool]], ...] = (
    ("card", _l("Card"), lambda dim: dim == "once:card"),
    ("other", _l("Other ways"), lambda dim: dim.startswith("once:") and dim != "once:card"),
    ("gift", _l("Gift memberships"), lambda dim: dim.startswith("gift:")),
)


class Gifts:
    """Money that promises nothing further, by the day on which it was paid, less what went back on its day."""

    key = "gifts"
    unit = Unit.MONEY
    kind = Kind.STACK
    is_up_good = True
    title = _l("One-time and other gifts")
    definition = Definition(
        _l(
            "Single gifts by card, whatever came by bank transfer, PayPal, crypto or cash, and memberships that were "
            "bought for others, on the day on which they were paid. What goes back is taken off on the day on which it "
            "leaves, whenever it came. Fees are not taken off. Other currencies count at the rate of the day."
        ),
        _l("The books of this newsroom: payments and what was returned of them."),
    )

    def measure(self, at: datetime, period: Period, lens: Lens) -> Result:
        """Each piece by where it came from, and what went back below zero."""
        del at
        rolled_to, missing = find_rolled_to(), Missing()
        cut = tuple(pieces(period.start_on, period.end_on, period.step))
        came, went = flow("payments", cut, lens, missing), flow("returned", cut, lens, missing)
        lines = (*_came(came, cut, lens), _went(went, cut, lens))
        before = (period.before,)
        was = _net(flow("payments", before, lens, missing), flow("returned", before, lens, missing), lens)
        notes = (*never_rolled(rolled_to), *missing.notes(lens))
        return Result(
            rolled_to,
            period,
            self.unit,
            self.kind,
            _net(came, went, lens),
            was,
            cut,
            lines,
            notes=notes,
        )

    def words(self, result: Result) -> str:
        """How many there were, and the change."""
        n = sum(line.n or 0 for line in result.lines if line.key != "returned")
        count = ngettext("%(n)s gift.", "%(n)s gifts.", n, n=decimal(n, 0))
        change = result.change
        if not isinstance(change, Money) or not change.minor:
            compared = _("The same as in the days before.")
        elif change.minor > 0:
            compared = _("%(amount)s more than in the days before.", amount=money_short(change))
        else:
            compared = _("%(amount)s less than in the days before.", amount=money_short(-change))
        return f"{count} {compared}"


def _came(came: Flow, cut: Pieces, lens: Lens) -> list[Line]:
    lines = []
    for key, label, is_its in LINES:
        values = folded(came.by_piece, is_its, len(cut))
        n = sum(count for dim, count in came.n.items() if is_its(dim))
        if key == "card" or n:
            lines.append(
                Line(key, label, tuple(Money(v, lens.shown) for v in values), Money(sum(values), lens.shown), n)
            )
    return lines


def _went(went: Flow, cut: Pieces, lens: Lens) -> Line:
    values = tuple(-minor for minor in folded(went.by_piece, _is_single, len(cut)))
    n = sum(count for dim, count in went.n.items() if _is_single(dim))
    return Line(
        "returned", _l("Given back"), tuple(Money(v, lens.shown) for v in values), Money(sum(values), lens.shown), n
    )


def _net(came: Flow, went: Flow, lens: Lens) -> Money:
    in_, out = (sum(minor for dim, minor in each.total.items() if _is_single(dim)) for each in (came, went))
    return Money(in_ - out, lens.shown)


GIFTS = Gifts()
