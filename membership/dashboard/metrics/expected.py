"""What comes in the next 30 days, if everybody's payment goes through."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from dateutil.relativedelta import relativedelta
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from membership.dashboard.metrics.metric import Definition, Kind, Lens, Line, Result, Unit
from membership.dashboard.metrics.reading import Missing, Pieces, Worth, flow
from membership.dashboard.queries.ahead import RETRY, Due, due
from membership.dashboard.queries.sums import Level
from membership.dashboard.rules.days import start_of
from membership.dashboard.rules.periods import Period, Range, Step, pieces
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from membership.newsroom.queries import day_of, zone
from membership.web.filters import decimal, money_short

N_DAYS = 30
LABELS = {Rhythm.MONTHLY.value: _l("Monthly"), Rhythm.YEARLY.value: _l("Yearly"), RETRY: _l("Tried again")}


class Expected:
    """Charges of the next 30 days, whatever days are looked at."""

    key = "expected"
    unit = Unit.MONEY
    kind = Kind.FLOW
    is_up_good = True
    title = _l("Expected in the next %(days)s days", days=N_DAYS)
    definition = Definition(
        _l(
            "What running supports are to be charged within %(days)s days from today on, by the day of the charge: "
            "monthly and yearly renewals, changed amounts as they will be, and renewals that failed and are tried "
            "again. It leaves out supports that end or are paused, single gifts, and supports that begin in these "
            "days. Not every payment goes through: “Failed and recovered” tells how many do. Other currencies count "
            "at today's rate. It is always the next %(days)s days, whatever days are chosen.",
            days=N_DAYS,
        ),
        _l("Our own: the next payment of each running support, as the payment company states it."),
    )

    def measure(self, at: datetime, period: Period, lens: Lens) -> Result:
        """Day by day; compared with what renewals brought in the 30 days before today."""
        today = day_of(at)
        end_on, first_on = today + timedelta(days=N_DAYS), today - timedelta(days=N_DAYS)
        period = Period(Range.OWN, today, end_on, (first_on, today))
        cut, missing = tuple(pieces(today, end_on, Step.DAY)), Missing()
        found = list(_twice(due([start_of(end, zone()) for _start, end in cut], lens.currency), cut))
        worth = Worth(period, at, lens, missing, {each.currency for each in found})
        lines = []
        for kind, label in LABELS.items():
            of_kind = [each for each in found if each.kind == kind]
            if kind == Rhythm.MONTHLY or of_kind:
                values = tuple(
                    Money(worth.minor(_level(each for each in of_kind if each.at == number), today), lens.shown)
                    for number in range(len(cut))
                )
                total, n = Money(sum(value.minor for value in values), lens.shown), sum(each.n for each in of_kind)
                lines.append(Line(kind, label, values, total, n))
        came = flow("payments", (period.before,), lens, missing).total
        before = sum(minor for dim, minor in came.items() if dim.startswith((Rhythm.MONTHLY, Rhythm.YEARLY)))
        now = Money(sum(line.total.minor for line in lines if isinstance(line.total, Money)), lens.shown)
        before_words = Money(before, lens.shown)
        return Result(at, period, self.unit, self.kind, now, before_words, cut, tuple(lines), notes=missing.notes(lens))

    def words(self, result: Result) -> str:
        """How many charges there will be, and what monthly and yearly support brought before."""
        n = sum(line.n or 0 for line in result.lines)
        count = ngettext("%(n)s charge is due.", "%(n)s charges are due.", n, n=decimal(n, 0))
        before = money_short(result.before) if isinstance(result.before, Money) else ""
        compared = _(
            "Monthly and yearly payments of the %(days)s days before, first ones among them, brought %(amount)s.",
            days=N_DAYS,
            amount=before,
        )
        return f"{count} {compared}"


def _twice(found: Iterable[Due], cut: Pieces) -> Iterator[Due]:
    """All charges, with those of a month later where a month is so short that both fall within these days."""
    numbers = {start_on: number for number, (start_on, _end) in enumerate(cut)}
    for each in found:
        yield each
        again = numbers.get(cut[each.at][0] + relativedelta(months=1))
        if each.kind == Rhythm.MONTHLY and again is not None:
            yield each._replace(at=again)


def _level(found: Iterable[Due]) -> dict[str, Level]:
    level: dict[str, Level] = {}
    for each in found:
        old = level.get(each.currency, Level(0, 0))
        level[each.currency] = Level(old.n + each.n, old.amount + each.minor)
    return level


EXPECTED = Expected()
