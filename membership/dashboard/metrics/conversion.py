"""Of those who went to the payment page, how many paid: by article, section and campaign."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from membership.dashboard.metrics.metric import Definition, Kind, Lens, Result, Table, Unit
from membership.dashboard.metrics.reading import never_rolled
from membership.dashboard.metrics.shares import HEADINGS, WILSON_SOURCE, WILSON_URL, cells, share_of
from membership.dashboard.queries.sums import find_rolled_to, most_of, n_by_dim
from membership.dashboard.rules.periods import Period
from membership.dashboard.rules.wilson import LEAST
from membership.dashboard.sources.starts import ALL, CAME, KINDS
from membership.web.filters import decimal, percent

SHOWN = 25
"""So many names of each kind have a row of their own: anybody can make up names of articles, without end."""

LABELS: dict[str, Any] = {"article": _l("Article"), "section": _l("Section"), "campaign": _l("Campaign")}
Row = tuple[Any, ...]


class Conversion:
    """Both numbers belong to the day on which the payment page was opened, whenever the money came."""

    key = "conversion"
    unit = Unit.PERCENT
    kind = Kind.TABLE
    is_up_good = True
    title = _l("From the payment page to a payment")
    definition = Definition(
        _l(
            "Of those who were led to the payment page by an article, a section or a campaign (utm_campaign), the "
            "share that paid. It counts on the day on which the page was opened, also when the money came later; "
            "whoever goes there again with another amount counts once more. The real share lies between “at least” "
            "and “at most” in 95 of 100 cases. Of fewer than %(least)s it is too early to say anything. The "
            "%(shown)s names with the most visits to the payment page are shown, all others together. Who was "
            "forgotten since counts as someone who came otherwise. How many read an article is not counted yet, so "
            "this is no share of readers.",
            least=LEAST,
            shown=SHOWN,
        ),
        WILSON_SOURCE,
        WILSON_URL,
    )

    def measure(self, at: datetime, period: Period, lens: Lens) -> Result:
        """In any currency: people are not money. `now` is the share of all who came from something with a name."""
        del at, lens
        rolled_to, total = find_rolled_to(), _Counted(period.start_on, period.end_on)
        was = _Counted(*period.before)
        table = Table((_l("Where from"), _l("What that is"), _l("Went to pay"), _l("Paid"), *HEADINGS), _rows(total))
        return Result(
            rolled_to, period, self.unit, self.kind, share_of(*total.pair(CAME)), share_of(*was.pair(CAME)),
            table=table, notes=never_rolled(rolled_to),
        )  # fmt: skip

    def words(self, result: Result) -> str:
        """How many of how many; or that it is too early."""
        n, n_paid = result.table.rows[0][2:4] if result.table else (0, 0)
        if not n:
            return str(_("Nobody went to the payment page from an article, a section or a campaign."))
        counted = _(
            "%(paid)s of %(n)s who went to the payment page from an article, a section or a campaign paid.",
            paid=decimal(n_paid, 0),
            n=decimal(n, 0),
        )
        if isinstance(result.now, Decimal):
            low, high = (percent(end) for end in result.table.rows[0][5:7]) if result.table else ("", "")
            said = _("The real share lies between %(low)s and %(high)s.", low=low, high=high)
        else:
            said = _("That is too few to speak of a share.")
        return f"{counted} {said}"


class _Counted:
    """Who went to pay and who paid on some days, all of them and by kind."""

    def __init__(self, start_on: date, end_on: date) -> None:
        self.days = start_on, end_on
        self.starts = n_by_dim("starts", start_on, end_on)
        self.paid = n_by_dim("paid_starts", start_on, end_on)

    def pair(self, dim: str) -> tuple[int, int]:
        """How many paid, of how many. Both are summed one after the other, so somebody who pays in between is left."""
        return min(self.paid.get(dim, 0), self.starts.get(dim, 0)), self.starts.get(dim, 0)


def _rows(total: _Counted) -> tuple[Row, ...]:
    paid, n = total.pair(CAME)
    all_paid, all_n = total.pair(ALL)
    most = most_of("starts_by_name", *total.days, [f"{kind}:" for kind in KINDS], SHOWN)
    names = [name for found in most.values() for name in found]
    paid_of = n_by_dim("paid_starts_by_name", *total.days, dims=names)
    return (
        _row(_("All of these together"), "", paid, n),
        *(row for kind in KINDS for row in _rows_of(kind, most[f"{kind}:"], paid_of, total)),
        _row(_("Came otherwise"), "", all_paid - paid, all_n - n),
    )


def _rows_of(kind: str, most: Mapping[str, int], paid_of: Mapping[str, int], total: _Counted) -> Iterator[Row]:
    """The names of one kind that most came from, and all others together."""
    for dim, n in most.items():
        yield _row(dim.partition(":")[2], LABELS[kind], paid_of.get(dim, 0), n)
    paid, n = total.pair(kind)
    left_paid, left = paid - sum(paid_of.get(dim, 0) for dim in most), n - sum(most.values())
    if left > 0:
        yield _row(_("All others"), LABELS[kind], left_paid, left)


def _row(name: str, kind: Any, n_paid: int, n: int) -> Row:
    n_paid = max(0, min(n_paid, n))  # of two sums that are not of the very same moment
    return (str(name), str(kind), n, n_paid, *cells(n_paid, n))


CONVERSION = Conversion()
