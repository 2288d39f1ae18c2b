"""Why monthly recurring revenue changed: new, more, back, less, lost; and exchange rates."""

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from membership.dashboard.metrics.metric import Definition, Kind, Lens, Line, Result, Unit
from membership.dashboard.metrics.mrr import MONTHS_A_YEAR, MRR, STRIPE_MRR
from membership.dashboard.metrics.reading import Flow, Missing, Pieces, flow
from membership.dashboard.rules.periods import Period, pieces
from membership.dashboard.sources.movements import CURRENCY_CHANGED
from membership.kernel.money import Money
from membership.patrons.rules import MovementKind
from membership.web.filters import money_short

RATES = "rates"
LABELS: dict[str, Any] = {
    MovementKind.NEW.value: _l("New"),
    MovementKind.MORE.value: _l("Raised"),
    MovementKind.BACK.value: _l("Came back"),
    MovementKind.LESS.value: _l("Lowered"),
    MovementKind.LOST.value: _l("Lost"),
    CURRENCY_CHANGED: _l("Other currency"),
    RATES: _l("Exchange rates"),
}
ALWAYS = tuple(
    kind.value
    for kind in (MovementKind.NEW, MovementKind.MORE, MovementKind.BACK, MovementKind.LESS, MovementKind.LOST)
)


class Movements:
    """A twelfth of every movement, by kind. With what exchange rates did, they are the change of the revenue."""

    key = "movements"
    unit = Unit.MONEY
    kind = Kind.STACK
    is_up_good = True
    title = _l("Movements of monthly revenue")
    definition = Definition(
        _l(
            "New: a support of somebody who had never stopped one. Raised and lowered: a running support that was "
            "changed. Lost: one that ended, lapsed unpaid, or was paused. Came back: one that runs again, or a new "
            "one of somebody who had stopped. They are counted per support, on the day on which they took effect, at "
            "the rate of that day; what rates alone did to supports that did not change stands by itself. All "
            "together are the change of the monthly recurring revenue."
        ),
        _l(
            "Stripe, “Billing metric definitions”, section “MRR growth”: new, reactivation, expansion, less "
            "contraction and churned, adjusted for foreign currency; per support rather than per person, and a pause "
            "counts as lost."
        ),
        STRIPE_MRR,
    )

    def measure(self, at: datetime, period: Period, lens: Lens) -> Result:
        """Each piece by kind; `now` is by how much the monthly revenue changed, rates among that."""
        cut, missing = tuple(pieces(period.start_on, period.end_on, period.step)), Missing()
        level = MRR.measure(at, period, lens)
        lines = _lines(flow("movements", cut, lens, missing), cut, lens)
        if not missing.days and not level.notes:
            lines = (*lines, *_rates_line(level, lines, lens))
        was = MRR.measure(at, Period(period.range, *period.before, period.before), lens)
        notes = level.notes or missing.notes(lens)
        return Result(level.at, period, self.unit, self.kind, level.change, was.change, cut, lines, notes=notes)

    def words(self, result: Result) -> str:
        """What brought most, and what took most."""
        moved = {line.label: line.total for line in result.lines if isinstance(line.total, Money) and line.total.minor}
        most = max(moved, key=lambda label: moved[label].minor, default=None)
        least = min(moved, key=lambda label: moved[label].minor, default=None)
        parts = []
        if most is not None and moved[most].minor > 0:
            amount = money_short(moved[most])
            parts.append(
                _("Of monthly revenue most came by: %(what)s, %(amount)s.", what=str(most).lower(), amount=amount)
            )
        if least is not None and moved[least].minor < 0:
            amount = money_short(-moved[least])
            parts.append(
                _("Of monthly revenue most went by: %(what)s, %(amount)s.", what=str(least).lower(), amount=amount)
            )
        return " ".join(parts) or str(_("Nothing moved."))


def _monthly(yearly_minor: int, lens: Lens) -> Money:
    return Money(int((Decimal(yearly_minor) / MONTHS_A_YEAR).quantize(Decimal(1), ROUND_HALF_EVEN)), lens.shown)


def _lines(found: Flow, cut: Pieces, lens: Lens) -> tuple[Line, ...]:
    kinds = [*ALWAYS, *(kind for kind in (CURRENCY_CHANGED,) if found.n.get(kind))]
    return tuple(
        Line(
            kind,
            LABELS[kind],
            tuple(_monthly(minor, lens) for minor in found.by_piece.get(kind, [0] * len(cut))),
            _monthly(found.total.get(kind, 0), lens),
            found.n.get(kind, 0),
        )
        for kind in kinds
    )


def _rates_line(level: Result, lines: tuple[Line, ...], lens: Lens) -> tuple[Line, ...]:
    """What is left of the change of the level: rates, and cents of rounding. None where that is nothing."""
    ends = [value.minor if isinstance(value, Money) else 0 for value in (level.before, *level.lines[0].values)]
    moved = [
        sum(value.minor for line in lines if isinstance(value := line.values[at], Money))
        for at in range(len(level.pieces))
    ]
    left = [after - before - by for before, after, by in zip(ends, ends[1:], moved, strict=False)]
    total = ends[-1] - ends[0] - sum(line.total.minor for line in lines if isinstance(line.total, Money))
    if not any(left) and not total:
        return ()
    values = tuple(Money(minor, lens.shown) for minor in left)
    return (Line(RATES, LABELS[RATES], values, Money(total, lens.shown), is_drawn=False),)


MOVEMENTS = Movements()
