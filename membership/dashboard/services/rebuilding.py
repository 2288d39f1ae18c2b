"""Roll-ups from nothing: every day of every source, and before that what an older version never wrote down."""

from collections.abc import Callable
from datetime import datetime

from membership.dashboard.services.noticing import begin_anew, notice
from membership.dashboard.services.summing import sum_some
from membership.patrons.services import catch_up_patron_time

Progress = Callable[[str, int, int | None], None]
"""Told `(what, how many are done, of how many)`; None where nobody knows."""


def roll(now: datetime) -> int:
    """Bring every roll-up up to `now`; how many days were summed. The first time, and after another zone or reporting
    currency was set, all of them.
    """
    return rebuild(now) if not notice(now) else _sum_all(now, None, _quiet)


def rebuild(now: datetime, progress: Progress | None = None) -> int:
    """Sum every day anew. Pages go on reading meanwhile: each day is replaced as a whole. Killed, it goes on with the
    next `roll`. Rates of days that are frozen stay.
    """
    tell = progress or _quiet
    n_people, last_id = 0, catch_up_patron_time(0)
    while last_id is not None:
        n_people += 1
        tell("people", n_people, None)
        last_id = catch_up_patron_time(last_id)
    return _sum_all(now, begin_anew(now), tell)


def _sum_all(now: datetime, n_waiting: int | None, tell: Progress) -> int:
    n_done = 0
    while n := sum_some(now):
        n_done += n
        tell("days", n_done, n_waiting)
    return n_done


def _quiet(_what: str, _n: int, _of: int | None) -> None:
    """Nobody watches."""
