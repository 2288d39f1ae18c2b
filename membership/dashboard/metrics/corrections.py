"""Whether readers who report a mistake get an answer, and how soon."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from statistics import median
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from membership.corrections.queries import waits_between
from membership.corrections.rules import ANSWER_WITHIN
from membership.dashboard.metrics.metric import Definition, Kind, Lens, Result, Table, Unit
from membership.dashboard.metrics.shares import part
from membership.dashboard.rules.days import start_of
from membership.dashboard.rules.periods import Period
from membership.newsroom.queries import zone
from membership.web.filters import decimal


@dataclass(frozen=True, slots=True)
class _Answers:
    """Reports by how they were answered; `open` are those whose week is not over."""

    in_time: int
    late: int
    overdue: int
    open: int
    median_days: int | None

    @property
    def n_due(self) -> int:
        """Reports of which it is known whether they were answered in time."""
        return self.in_time + self.late + self.overdue


class Corrections:
    """Reports of mistakes, and how many of them were answered within a week."""

    key = "corrections"
    unit = Unit.PERCENT
    kind = Kind.TABLE
    is_up_good = True
    title = _l("Corrections answered in time")
    definition = Definition(
        _l(
            "Of the reports of mistakes that came in these days, the share that was answered within 7 days of 24 hours:"
            " the article was corrected, or the report declined, or marked as a duplicate of one that was. A report "
            "that has no answer yet counts against it only when its 7 days are over; spam does not count at all. What "
            "was answered stays answered when it is taken up again. Half of the answers took fewer days than the "
            "median, half more."
        ),
        _l("Our own measure: a reader who takes the trouble is owed an answer, whichever it is."),
    )

    def measure(self, at: datetime, period: Period, lens: Lens) -> Result:
        """`now` is the share of those of which it is known."""
        del lens
        here, was = _count(period.start_on, period.end_on, at), _count(*period.before, at)
        headings = (_l("Reports of mistakes"), _l("Number"), _l("The share"))
        now, before = part(here.in_time, here.n_due), part(was.in_time, was.n_due)
        return Result(at, period, self.unit, self.kind, now, before, table=Table(headings, _rows(here)))

    def words(self, result: Result) -> str:
        """How many were answered in time, and what is overdue."""
        if result.table is None or result.now is None:
            return str(_("No report of these days is due for an answer."))
        in_time, late, overdue = (result.table.rows[at][1] for at in (0, 1, 2))
        n_due = in_time + late + overdue
        told = _("Answered in time: %(n)s of %(all)s.", n=decimal(in_time, 0), all=decimal(n_due, 0))
        waits = _("Nothing is overdue.")
        if overdue:
            waits = ngettext("%(num)s is overdue.", "%(num)s are overdue.", overdue)
        return f"{told} {waits}"


def _count(start_on: date, end_on: date, at: datetime) -> _Answers:
    rows = waits_between(start_of(start_on, zone()), start_of(end_on, zone()))
    answered = [answered_at - came_at for came_at, answered_at in rows if answered_at is not None]
    waiting = [at - came_at for came_at, answered_at in rows if answered_at is None]
    in_time = sum(1 for span in answered if span <= ANSWER_WITHIN)
    overdue = sum(1 for span in waiting if span > ANSWER_WITHIN)
    return _Answers(in_time, len(answered) - in_time, overdue, len(waiting) - overdue, _median_days(answered))


def _median_days(spans: Sequence[Any]) -> int | None:
    return round(median(span.total_seconds() for span in spans) / 86400) if spans else None


def _rows(here: _Answers) -> tuple[tuple[Any, ...], ...]:
    counted = (
        (_("Answered within 7 days"), here.in_time),
        (_("Answered later"), here.late),
        (_("Not answered, and 7 days are over"), here.overdue),
    )
    return (
        *((words, n, part(n, here.n_due)) for words, n in counted),
        (_("Not answered yet, within 7 days"), here.open, None),
        (_("Days until the answer, the median"), here.median_days, None),
    )


CORRECTIONS = Corrections()
