"""What came of one appeal, variant by variant."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from membership.appeals.queries import get_by_public_id
from membership.appeals.rules.evidence import WORTH, Evidence, Interval, State
from membership.dashboard.queries import appeals
from membership.dashboard.queries.appeals import VariantNumbers
from membership.kernel import clock
from membership.newsroom.queries import reporting_currency
from membership.web.access import audience
from membership.web.filters import percent

appeals_bp = Blueprint("appeal_numbers", __name__)

SOURCE = "R. Johari, P. Koomen, L. Pekelis, D. Walsh, Peeking at A/B tests, KDD 2017"
# Beyond a hundredfold a number says no more than its sign.
MOST_LIFT = 100


@appeals_bp.get("/staff/appeals/<public_id>/numbers")
@audience("staff", may="dashboard.see")
def numbers(public_id: str) -> ResponseReturnValue:
    """Answer: which variant brings more, how surely, and what showing anything brings at all."""
    appeal, at = get_by_public_id(public_id), clock.now()
    rows = appeals.numbers_of(public_id, at)
    return render_template(
        "dashboard/appeal_numbers.html", appeal=appeal, at=at, rows=rows, currency=reporting_currency(),
        n_without_rate=sum(row.paid.n_without_rate for row in rows), worth=WORTH,
        source=SOURCE,
    )  # fmt: skip


@appeals_bp.app_template_filter("lift_words")
def lift_words(lift: Interval) -> str:
    """How much more or less it may be, of what the other one brings: "−5% to +12%"; "" where nothing is known."""
    if lift.low is None or (lift.high is None and lift.low <= -1):
        return ""
    if lift.high is None or lift.high > MOST_LIFT:
        return str(_("more than %(low)s", low=_signed(lift.low)))
    return str(_("%(low)s to %(high)s", low=_signed(lift.low), high=_signed(lift.high)))


@appeals_bp.app_template_filter("verdict_words")
def verdict_words(row: VariantNumbers) -> str:
    """What may be said of a variant, in a few words."""
    if row.against is None:
        return str(_("The others are compared with this one"))
    if row.against.state is State.EARLY:
        return str(_("Too early to say"))
    if row.against.state is State.EQUAL:
        return str(_("No difference worth waiting for"))
    return _ahead(row, row.against)


def _ahead(row: VariantNumbers, said: Evidence) -> str:
    if row.is_holdout:
        return str(_("Showing it brings more") if said.is_more else _("Showing it brings less"))
    first, second = ("A", row.variant.upper())[:: -1 if said.is_more else 1]
    return str(_("%(one)s is ahead of %(other)s", one=first, other=second))


def _signed(ratio: float) -> str:
    words = percent(abs(ratio))
    # A zero has no sign, also one that was rounded to it.
    return words if words == percent(0) else f"{'+' if ratio > 0 else '−'}{words}"
