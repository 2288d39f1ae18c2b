"""What most metrics do with roll-ups: flows put into pieces, levels at the end of each, amounts through a lens."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from flask_babel import gettext as _
from flask_babel import ngettext

from membership.dashboard.metrics.metric import Lens
from membership.dashboard.queries import sums
from membership.dashboard.queries.rates import DayRates
from membership.dashboard.queries.sums import Level
from membership.dashboard.rules.periods import Period
from membership.kernel.money import MINOR_DIGITS
from membership.newsroom.queries import day_of
from membership.web.filters import day_short

Pieces = tuple[tuple[date, date], ...]
ONE_DAY = timedelta(days=1)


@dataclass(slots=True)
class Missing:
    """Amounts that could not be brought into the reporting currency: by currency, the days without a rate."""

    days: dict[str, set[date]] = field(default_factory=dict)

    def add(self, currency: str, day: date) -> None:
        """One more day."""
        self.days.setdefault(currency, set()).add(day)

    def notes(self, lens: Lens) -> tuple[str, ...]:
        """A sentence per currency; none where nothing is missing."""
        return tuple(
            ngettext(
                "There is no exchange rate from %(currency)s to %(reporting)s for %(num)s day (%(day)s): what came "
                "then in this currency is left out. At the server, `membership rates` reads or sets one.",
                "There is no exchange rate from %(currency)s to %(reporting)s for %(num)s days (the first is %(day)s): "
                "what came then in this currency is left out. At the server, `membership rates` reads or sets one.",
                len(days),
                currency=currency,
                reporting=lens.reporting,
                day=day_short(min(days)),
            )
            for currency, days in sorted(self.days.items())
        )


@dataclass(frozen=True, slots=True)
class Flow:
    """What came in a range: by dimension, the value of each piece and of all; and how many."""

    by_piece: Mapping[str, Sequence[int]]
    total: Mapping[str, int]
    n: Mapping[str, int]


def flow(measure: str, pieces: Pieces, lens: Lens, missing: Missing) -> Flow:
    """The amounts of a measure in each of `pieces` (which follow each other), in minor units of the lens's currency."""
    by_piece: dict[str, list[int]] = {}
    n: dict[str, int] = {}
    at = 0
    for row in sums.days_of(measure, pieces[0][0], pieces[-1][1], lens.currency):
        while row.day_on >= pieces[at][1]:
            at += 1
        value = row.amount if lens.currency else row.reporting_minor
        n[row.dim] = n.get(row.dim, 0) + row.n
        if value is None:
            missing.add(row.currency, row.day_on)
            continue
        by_piece.setdefault(row.dim, [0] * len(pieces))[at] += value
    return Flow(by_piece, {dim: sum(values) for dim, values in by_piece.items()}, n)


def folded(each: Mapping[str, Sequence[int]], wanted: Callable[[str], bool], n_pieces: int) -> tuple[int, ...]:
    """Piece by piece, the sum over those dimensions that are `wanted`."""
    chosen = [values for dim, values in each.items() if wanted(dim)]
    return tuple(sum(values[at] for values in chosen) for at in range(n_pieces))


def levels(measure: str, start_on: date, ends: Iterable[date], lens: Lens) -> list[dict[str, Level]]:
    """Where a measure stood, by currency: before `start_on`, then at the end of the day before each of `ends` (ordered,
    none earlier than `start_on`).
    """
    standing = sums.level_before(measure, start_on, lens.currency)
    found = [dict(standing)]
    ends = list(ends)
    rows = iter(sums.days_of(measure, start_on, ends[-1], lens.currency) if ends else ())
    row = next(rows, None)
    for end in ends:
        while row is not None and row.day_on < end:
            old = standing.get(row.currency, Level(0, 0))
            standing[row.currency] = Level(old.n + row.n, old.amount + row.amount)
            row = next(rows, None)
        found.append(dict(standing))
    return found


class Worth:
    """What levels in several currencies are worth together on a day, by the rate of that day."""

    def __init__(self, period: Period, at: datetime, lens: Lens, missing: Missing, currencies: Iterable[str]) -> None:
        self._lens, self._missing = lens, missing
        self._today = day_of(at)
        self._rates = DayRates(period.start_on - ONE_DAY, period.last_on, self._today, set(currencies))

    def minor(self, level: Mapping[str, Level], on: date, divisor: int = 1) -> int:
        """`amount / divisor` of all currencies in minor units of the lens's, rounded half to even once. What has no
        rate on that day is left out, and noted.
        """
        total = Decimal(0)
        reporting = self._lens.shown
        for currency, each in level.items():
            if not each.amount or (self._lens.currency and currency != self._lens.currency):
                continue
            rate = Decimal(1) if currency == reporting else self._rates.find(currency, min(on, self._today))
            if rate is None:
                self._missing.add(currency, on)
                continue
            total += Decimal(each.amount).scaleb(MINOR_DIGITS[reporting] - MINOR_DIGITS[currency]) * rate
        return int((total / divisor).quantize(Decimal(1), ROUND_HALF_EVEN))


def never_rolled(at: datetime | None) -> tuple[str, ...]:
    """The note of an installation whose days nobody has summed yet."""
    return () if at else (_("Nothing has been summed yet. Is the worker running? It does so every minute."),)
