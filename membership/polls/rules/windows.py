"""When a poll takes ballots, when people are reminded, and how few ballots are too few to take apart."""

from datetime import datetime, timedelta

from membership.kernel.errors import Conflict

# With fewer counted ballots only the winners are said: totals would tell who chose what.
FEW = 5
REMIND_BEFORE = timedelta(hours=48)
# Somebody who heard of the opening a moment ago needs no reminder.
QUIET_AFTER_OPENING = timedelta(hours=24)


def refuse_unless_open(state: str, opens_at: datetime, closes_at: datetime, at: datetime) -> None:
    """Raise Conflict `poll_not_open` or `poll_closed` unless a ballot may be cast at `at`, in [opens_at, closes_at)."""
    if state == "draft" or (state == "open" and at < opens_at):
        raise Conflict("poll_not_open", "This poll is not open yet.")
    if state != "open" or at >= closes_at:
        raise Conflict("poll_closed", "This poll is closed.")


def is_reminder_due(opens_at: datetime, closes_at: datetime, now: datetime) -> bool:
    """Whether those who have not voted are told now that the poll closes soon."""
    return closes_at - REMIND_BEFORE <= now < closes_at and now >= opens_at + QUIET_AFTER_OPENING
