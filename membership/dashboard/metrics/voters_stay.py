"""Whether those who vote stay patrons more often than those who do not."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from membership.dashboard.metrics.metric import Definition, Kind, Lens, Result, Table, Unit
from membership.dashboard.metrics.shares import HEADINGS, WILSON_SOURCE, WILSON_URL, cells, part
from membership.dashboard.queries.polls import Stay, stays_in
from membership.dashboard.rules.days import STAYS_AFTER
from membership.dashboard.rules.periods import Period
from membership.dashboard.rules.wilson import wilson
from membership.polls.rules import FEW
from membership.web.filters import percent

Group = tuple[int, int]
"""How many stayed, of how many."""


class VotersStay:
    """Of those on the roll of a poll: voters against the others, 90 days after the close."""

    key = "voters-stay"
    unit = Unit.PERCENT
    kind = Kind.TABLE
    is_up_good = True
    title = _l("Do voters stay?")
    definition = Definition(
        _l(
            "Of the people on the roll of a poll, those who voted and those who did not: how many of each were "
            "patrons %(days)s days after it closed. A poll belongs to the day on which those %(days)s days were "
            "over; it is counted once, then, and never again. The real share lies between “at least” and “at most” "
            "in 95 of 100 cases; where the two ranges overlap, it is too early to say. That voters stay does not "
            "mean that they stay because they vote. Groups of fewer than %(few)s people are never shown, nor kept. "
            "Who is on two rolls counts twice. Only whether somebody voted is used, never for what: nobody knows "
            "that.",
            days=STAYS_AFTER.days,
            few=FEW,
        ),
        WILSON_SOURCE,
        WILSON_URL,
    )

    def measure(self, at: datetime, period: Period, lens: Lens) -> Result:
        """`now` is the share of voters who stayed, of all polls together."""
        del lens
        polls, was = stays_in(period.start_on, period.end_on), stays_in(*period.before)
        rows = _rows(_("All together"), _voters(polls), _others(polls))
        each = (row for poll in polls for row in _rows(poll.title, _voters([poll]), _others([poll])))
        headings = (_l("Poll"), _l("Who"), _l("People"), _l("Stayed"), *HEADINGS)
        voters, before = _voters(polls), _voters(was)
        return Result(
            at, period, self.unit, self.kind, _share(voters), _share(before), table=Table(headings, (*rows, *each))
        )  # fmt: skip

    def words(self, result: Result) -> str:
        """Both shares, and what they say."""
        voters, others = result.table.rows[:2] if result.table else ((None,) * 8,) * 2
        if voters[4] is None or others[4] is None:
            return str(
                _(
                    "No poll had its %(days)s days over in these days, with enough people in both groups.",
                    days=STAYS_AFTER.days,
                )
            )
        told = _(
            "Of those who voted, %(voters)s were patrons %(days)s days later; of the others, %(others)s.",
            days=STAYS_AFTER.days,
            voters=percent(voters[4]),
            others=percent(others[4]),
        )
        return f"{told} {voters[7]}."


def _voters(polls: Sequence[Stay]) -> Group:
    told = [
        (poll.n_voters_stayed, poll.n_voters) for poll in polls if poll.n_voters and poll.n_voters_stayed is not None
    ]
    return sum(stayed for stayed, _n in told), sum(n for _stayed, n in told)


def _others(polls: Sequence[Stay]) -> Group:
    told = [
        (poll.n_others_stayed, poll.n_others) for poll in polls if poll.n_others and poll.n_others_stayed is not None
    ]
    return sum(stayed for stayed, _n in told), sum(n for _stayed, n in told)


def _share(group: Group) -> Any:
    return part(*group)


def _rows(name: str, voters: Group, others: Group) -> tuple[tuple[Any, ...], ...]:
    verdict = _verdict(voters, others)
    return (_row(name, _("Voted"), voters, verdict), _row(name, _("Did not vote"), others, verdict))


def _row(name: str, who: str, group: Group, verdict: str) -> tuple[Any, ...]:
    stayed, n = group
    if not n:
        return (name, who, _("fewer than %(few)s", few=FEW), None, None, None, None, verdict)
    _few, low, high, said = cells(stayed, n, verdict)
    return (name, who, n, stayed, _share(group), low, high, said)


def _verdict(voters: Group, others: Group) -> str:
    """What both intervals say together."""
    if not voters[1] or not others[1]:
        return str(_("Nothing to compare with"))
    one, other = wilson(*voters), wilson(*others)
    if one.overlaps(other):
        return str(_("Too early to say"))
    return str(_("Voters stay more often") if one.low > other.high else _("Voters stay less often"))


VOTERS_STAY = VotersStay()
