"""Whether the newsroom publishes what members chose: the numbers of the public page, for the desk."""

from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from membership.dashboard.metrics.metric import Definition, Kind, Lens, Result, Table, Unit
from membership.dashboard.metrics.shares import part
from membership.dashboard.rules.periods import Period
from membership.newsroom.queries import day_of
from membership.topics import queries as topics
from membership.topics.queries import Promise as Kept
from membership.web.filters import decimal


class Promise:
    """Chosen topics, and what became of them. As it is now: no days can be chosen."""

    key = "promise"
    unit = Unit.PERCENT
    kind = Kind.TABLE
    is_up_good = True
    title = _l("Our promise: chosen topics that were published")
    definition = Definition(
        _l(
            "Of all topics that a poll ever chose, the share that has a published story, also counting those that were "
            "dropped or are not due yet. Days are from the close of the poll to the story: half of the stories took "
            "fewer, half more. Overdue is what was promised for a day that is over. They are numbers of today, whatever"
            " days are chosen above, and the same ones that everybody sees at /promise."
        ),
        _l("Our own measure, in public: the page “Our promise” shows the same from the record of every topic."),
    )

    def measure(self, at: datetime, period: Period, lens: Lens) -> Result:
        """`now` is the share; there is no number of before."""
        del lens
        kept = topics.promise(at, day_of(at))
        headings = (_l("Chosen topics"), _l("Number"), _l("The share"))
        now = part(kept.n_published, kept.n_chosen)
        notes = (_("These are the numbers of today, whatever days are chosen."),)
        return Result(at, period, self.unit, self.kind, now, None, table=Table(headings, _rows(kept)), notes=notes)

    def words(self, result: Result) -> str:
        """What was published, and what is late."""
        if result.table is None or result.now is None:
            return str(_("No poll has chosen anything yet."))
        n_chosen, n_published, n_overdue = (result.table.rows[at][1] for at in (0, 1, 3))
        told = _(
            "%(n)s of %(all)s chosen topics have a story.", n=decimal(n_published, 0), all=decimal(n_chosen, 0)
        )  # fmt: skip
        late = _("Nothing is overdue.")
        if n_overdue:
            late = ngettext("%(num)s is overdue.", "%(num)s are overdue.", n_overdue)
        return f"{told} {late}"


def _rows(kept: Kept) -> tuple[tuple[Any, ...], ...]:
    counted = (
        (_("Chosen by polls"), kept.n_chosen),
        (_("Published"), kept.n_published),
        (_("In work, not overdue"), len(kept.in_work)),
        (_("Overdue"), len(kept.overdue)),
        (_("Dropped"), kept.n_dropped),
    )
    return (
        *((words, n, part(n, kept.n_chosen)) for words, n in counted),
        (_("Days from poll to story, the median"), kept.median_days, None),
    )


PROMISE = Promise()
