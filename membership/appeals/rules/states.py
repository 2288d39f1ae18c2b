"""Where an appeal stands, and where it may go from there. Pure functions of values."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from membership.kernel.errors import InvalidInput


class State(StrEnum):
    """What became of an appeal. What was stopped stays so: a copy is a new appeal, counted by itself."""

    DRAFT = "draft"
    RUNNING = "running"
    STOPPED = "stopped"


class Deed(StrEnum):
    """What staff do with an appeal, as its events and the audit log name it."""

    DRAFTED = "drafted"
    COPIED = "copied"
    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"
    STARTED = "started"
    SHORTENED = "shortened"
    STOPPED = "stopped"


NEXT: Mapping[State, frozenset[State]] = {
    State.DRAFT: frozenset({State.RUNNING}),
    State.RUNNING: frozenset({State.STOPPED}),
    State.STOPPED: frozenset(),
}
# A test is honest only where every reader was shown the same words by the same rules: only a draft changes.
CHANGEABLE = frozenset({State.DRAFT})
# The shelves of the desk, in their order.
SHELVES = (State.RUNNING, State.DRAFT, State.STOPPED)


def may_become(now: State, then: State) -> bool:
    """Whether an appeal may go from `now` to `then`; staying is no move."""
    return then in NEXT[now]


def may_change(state: State) -> bool:
    """Whether rules and words of an appeal in `state` may still be other ones."""
    return state in CHANGEABLE


def is_shown(state: State, starts_at: datetime | None, ends_at: datetime | None, at: datetime) -> bool:
    """Whether readers may see it at `at`: it runs, has begun and has not ended."""
    return state is State.RUNNING and starts_at is not None and starts_at <= at and (ends_at is None or at < ends_at)


def is_over(state: State, ends_at: datetime | None, at: datetime) -> bool:
    """Whether it runs and its end is past: it is still to be stopped, and shown to nobody."""
    return state is State.RUNNING and ends_at is not None and ends_at <= at


def first_moment(wanted: datetime | None, at: datetime) -> datetime:
    """From when on an appeal that is started at `at` is shown: never from before that."""
    return at if wanted is None or wanted < at else wanted


def check_sooner(
    starts_at: datetime | None, ends_at: datetime | None, wanted: datetime | None, at: datetime
) -> datetime:
    """The new end of a running appeal; InvalidInput where it is none, past, before the start, or later than before."""
    if wanted is None:
        raise InvalidInput("end_missing", "Please choose a day and a time.", field="ends_at")
    if wanted <= at or (starts_at is not None and wanted <= starts_at):
        raise InvalidInput("end_past", "This is past already. To end it now, stop it.", field="ends_at")
    if ends_at is not None and wanted >= ends_at:
        raise InvalidInput("end_later", "It can only end sooner than planned, never later.", field="ends_at")
    return wanted
