"""What staff do for many people at once: kinds, limits, who is left out, what can be undone."""

from datetime import datetime
from enum import StrEnum

from membership.kernel.errors import InvalidInput
from membership.kernel.words import one_line
from membership.patrons.rules import add_months

# More at once is more than anybody looks over; a narrower filter takes them in turns.
MOST_PEOPLE = 100_000
# As one by one (patrons.services.LONGEST_COMP).
MOST_MONTHS = 24
LONGEST_REASON = 200


class What(StrEnum):
    """Kinds of runs: free months, a tag put on or taken off, the mail that shows the way to sign in."""

    COMP = "comp"
    TAG = "tag"
    UNTAG = "untag"
    WAY_IN = "way_in"

    @property
    def is_undoable(self) -> bool:
        """Whether it can be taken back; a mail cannot."""
        return self is not What.WAY_IN

    @property
    def needs_reason(self) -> bool:
        """Whether it stands in everybody's history, with a reason. Tags are for staff only."""
        return self in {What.COMP, What.WAY_IN}

    @property
    def n_at_a_time(self) -> int:
        """How many people are done in one transaction: a moment, in which on SQLite nobody else writes."""
        return 25 if self.needs_reason else 250


class LeftOut(StrEnum):
    """Why nothing is done for somebody."""

    GONE = "gone"  # nobody signs in to that account any more
    COVERED = "covered"  # is covered at least as long without it
    HAS = "has"  # has that tag
    LACKS = "lacks"  # has not that tag
    STOPPED = "stopped"  # staff stopped the run before it was their turn
    LATE = "late"  # the comp would be over by now


def comp_until(at: datetime, n_months: int) -> datetime:
    """When free months that begin at `at` end; InvalidInput `months_odd` (field "months") outside 1 to MOST_MONTHS."""
    if not 1 <= n_months <= MOST_MONTHS:
        raise InvalidInput("months_odd", f"From 1 to {MOST_MONTHS} months.", field="months")
    return add_months(at, n_months)


def clean_reason(what: What, text: str) -> str | None:
    """Why, in one line; None for what needs no reason.

    InvalidInput (field "reason"): `no_reason`, `reason_too_long`.
    """
    reason = one_line(text)
    if not what.needs_reason:
        return None
    if not reason:
        raise InvalidInput("no_reason", "Please say why.", field="reason")
    if len(reason) > LONGEST_REASON:
        raise InvalidInput("reason_too_long", f"Please use at most {LONGEST_REASON} characters.", field="reason")
    return reason
