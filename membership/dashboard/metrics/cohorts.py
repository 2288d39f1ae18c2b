"""How many of those who became patrons in a month still are one, month after month."""

from collections import Counter
from datetime import date, datetime
from decimal import Decimal

from dateutil.relativedelta import relativedelta
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from membership.dashboard.metrics.metric import Definition, Kind, Lens, Result, Table, Unit
from membership.dashboard.metrics.reading import never_rolled
from membership.dashboard.metrics.shares import part
from membership.dashboard.queries.sums import find_rolled_to, steps_by_dim
from membership.dashboard.rules.periods import Period
from membership.newsroom.queries import day_of
from membership.web.filters import decimal, month_name, percent

FEWEST_MONTHS, MOST_MONTHS = 12, 24


class Cohorts:
    """Patrons by the month since which they are one: a row for each month, a column for each month after it."""

    key = "cohorts"
    unit = Unit.PERCENT
    kind = Kind.HEATMAP
    is_up_good = True
    title = _l("Retention by month of joining")
    definition = Definition(
        _l(
            "Each row is the people who first became patrons in a month, and still were one when it ended. The columns "
            "tell which part of them was a patron at the end of each month after it: also those who had left and came "
            "back. The number at the top is of all rows but the newest together: the part that was a patron at the end "
            "of the last month that is over. Twelve months at least are shown, twenty-four at most, up to the last of "
            "the chosen days."
        ),
        _l(
            "Cohort analysis as it is common for subscriptions: “N-month retention” by the month of the first payment; "
            "here by membership, so that gifts and free memberships count as well."
        ),
    )

    def measure(self, at: datetime, period: Period, lens: Lens) -> Result:
        """A table: the month, how many they were, and a ratio for each month after it (None: not over yet)."""
        del lens
        rolled_to = find_rolled_to()
        months = _months(period)
        ends = [month + relativedelta(months=1) for month in months]
        levels = _levels(months, ends)
        rows, kept, sizes = [], 0, 0
        n_over = sum(end <= min(day_of(at), period.end_on) for end in ends)
        for number, month in enumerate(months[:n_over]):
            size = levels[number].get(_name(month), 0)
            shares = tuple(part(levels[later].get(_name(month), 0), size) for later in range(number + 1, n_over))
            rows.append((month_name(month), size, *shares, *[None] * number))
            if number < n_over - 1:
                sizes, kept = sizes + size, kept + levels[n_over - 1].get(_name(month), 0)
        headings = (_("Joined in"), _("People"), *(str(n) for n in range(1, n_over)))
        notes = never_rolled(rolled_to)
        if rolled_to and not sizes:
            notes = (_("It takes a month that is over, and another one after it, to say who stayed."),)
        table = Table(headings, tuple(rows))
        return Result(rolled_to, period, self.unit, self.kind, part(kept, sizes), None, table=table, notes=notes)

    def words(self, result: Result) -> str:
        """What the headline means."""
        if not isinstance(result.now, Decimal) or result.table is None:
            return str(_("It is too early to say who stays."))
        n = sum(row[1] for row in result.table.rows[:-1])
        return str(
            _(
                "Of %(n)s people who joined in these months, %(share)s are patrons still.",
                n=decimal(n, 0),
                share=percent(result.now),
            )
        )


def _months(period: Period) -> list[date]:
    """First days of the months that are shown, the last one that of the last chosen day."""
    last = period.last_on.replace(day=1)
    wanted = (last.year - period.start_on.year) * 12 + last.month - period.start_on.month + 1
    n = min(max(wanted, FEWEST_MONTHS + 1), MOST_MONTHS + 1)
    return [last - relativedelta(months=n - 1 - number) for number in range(n)]


def _levels(months: list[date], ends: list[date]) -> list[Counter[str]]:
    """By end of month, how many of each cohort are patrons then."""
    steps = iter(steps_by_dim("cohorts", [_name(month) for month in months], months[0], ends[-1]))
    step = next(steps, None)
    standing: Counter[str] = Counter()
    found = []
    for end in ends:
        while step is not None and step[0] < end:
            standing[step[1]] += step[2]
            step = next(steps, None)
        found.append(Counter(standing))
    return found


def _name(month: date) -> str:
    return f"{month:%Y-%m}"


COHORTS = Cohorts()
