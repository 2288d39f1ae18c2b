"""What the clock does for the desk: runs for many people are worked off, drafts of them are forgotten."""

import time
from datetime import datetime

import structlog

from membership.db import db
from membership.front.queries.runs import list_going_on
from membership.front.services import runs

log = structlog.get_logger(__name__)

# A sweep ends before a worker that is told to stop would be cut off (20 seconds), and then comes again at once.
SWEEP_SECONDS = 15.0
# Between two steps others get their turn at the database, which on SQLite is for one writer at a time.
PAUSE_SECONDS = 0.05


def work_off(now: datetime, run_id: int | None = None) -> bool:
    """Go on with one run, or with all in turn, until everybody has had theirs or the time is over; True: there is more
    to do.
    """
    end = time.monotonic() + SWEEP_SECONDS
    unfinished = list_going_on() if run_id is None else [run_id]
    while unfinished and time.monotonic() < end:
        unfinished = [each for each in unfinished if _go_on(now, each)]
    return bool(unfinished)


def forget(now: datetime) -> None:
    """Delete drafts that nobody started."""
    runs.forget_drafts(now)


def _go_on(now: datetime, run_id: int) -> bool:
    try:
        is_more = runs.step(run_id, now)
    except Exception:  # the edge: a run that fails must not stop the others; the next sweep tries it again
        db.session.rollback()
        log.exception("run_failed", run_id=run_id)
        return False
    if is_more:
        time.sleep(PAUSE_SECONDS)
    return is_more
