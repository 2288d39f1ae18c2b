"""How many of those who may vote do."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from membership.dashboard.metrics.metric import Definition, Kind, Lens, Result, Table, Unit
from membership.dashboard.metrics.shares import part
from membership.dashboard.queries.polls import Closed, closed_in
from membership.dashboard.rules.periods import Period
from membership.newsroom.queries import day_of
from membership.polls.rules import FEW
from membership.web.filters import decimal


class Turnout:
    """Voted, of all on the roll, as both were written down at the close."""

    key = "turnout"
    unit = Unit.PERCENT
    kind = Kind.TABLE
    is_up_good = True
    title = _l("Turnout of polls")
    definition = Definition(
        _l(
            "Of the people on the roll of each poll that was closed in these days, the share that voted; a blank "
            "ballot is a vote, and so is one that was set aside since its payment went back. Everybody is counted, "
            "so there is nothing to estimate. The first row is all polls together: who is on two rolls counts twice. "
            "A poll in which fewer than %(few)s people voted is named without its numbers, and left out of those of "
            "all together; one that was cancelled has no turnout.",
            few=FEW,
        ),
        _l(
            "International IDEA, “Voter turnout database”: votes cast, divided by registered voters. The roll of a poll"
            " is frozen when it opens."
        ),
        "https://www.idea.int/data-tools/data/voter-turnout-database",
    )

    def measure(self, at: datetime, period: Period, lens: Lens) -> Result:
        """`now` is the turnout of all polls of the period together."""
        del lens
        polls, was = closed_in(period.start_on, period.end_on), closed_in(*period.before)
        headings = (_l("Poll"), _l("Closed"), _l("On the roll"), _l("Voted"), _l("Turnout"))
        rows = (_all(polls), *(_row(poll) for poll in polls))
        return Result(
            at, period, self.unit, self.kind, _turnout(polls), _turnout(was), table=Table(headings, rows)
        )  # fmt: skip

    def words(self, result: Result) -> str:
        """How many polls there were, and how many voted."""
        rows = result.table.rows if result.table else ()
        n_polls = len(rows) - 1
        if n_polls < 1:
            return str(_("No poll was closed in these days."))
        counted = ngettext("%(num)s poll was closed.", "%(num)s polls were closed.", n_polls)
        if not isinstance(result.now, Decimal):
            return str(counted)
        voted, n_roll = (decimal(rows[0][at], 0) for at in (3, 2))
        said = _("%(voted)s of %(n)s who could vote did.", voted=voted, n=n_roll)
        return f"{counted} {said}"


def _told(polls: Sequence[Closed]) -> Sequence[Closed]:
    return [poll for poll in polls if poll.n_voted >= FEW]


def _turnout(polls: Sequence[Closed]) -> Decimal | None:
    n_roll, n_voted = (sum(getattr(poll, name) for poll in _told(polls)) for name in ("n_roll", "n_voted"))
    return part(n_voted, n_roll)


def _all(polls: Sequence[Closed]) -> tuple[Any, ...]:
    told = _told(polls)
    n_roll, n_voted = sum(poll.n_roll for poll in told), sum(poll.n_voted for poll in told)
    return (_("All together"), None, n_roll, n_voted, _turnout(polls))


def _row(poll: Closed) -> tuple[Any, ...]:
    if poll.n_voted < FEW:
        return (poll.title, day_of(poll.closed_at), None, _("fewer than %(few)s", few=FEW), None)
    return (poll.title, day_of(poll.closed_at), poll.n_roll, poll.n_voted, _turnout([poll]))


TURNOUT = Turnout()
