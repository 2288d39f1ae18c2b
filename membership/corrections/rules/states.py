"""Where a passage stands that readers reported, and where it may go from there. Pure functions of values."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum


class State(StrEnum):
    """What became of a passage (product.md section 5)."""

    NEW = "new"
    FIXED = "fixed"
    DECLINED = "declined"
    DUPLICATE = "duplicate"
    SPAM = "spam"


# From each state, where staff may take a passage. Whatever was decided is undone by taking it up again, so that
# nothing done by mistake is for ever; what readers were told stays told.
NEXT: Mapping[State, frozenset[State]] = {
    State.NEW: frozenset({State.FIXED, State.DECLINED, State.DUPLICATE, State.SPAM}),
    State.FIXED: frozenset({State.NEW}),
    State.DECLINED: frozenset({State.NEW}),
    State.DUPLICATE: frozenset({State.NEW}),
    State.SPAM: frozenset({State.NEW}),
}
# Readers get an answer of these.
ANSWERED = frozenset({State.FIXED, State.DECLINED})
# What another passage may be a duplicate of: not what is a duplicate itself, so that no chain and no ring comes about.
TARGETS = ANSWERED | {State.NEW}
# In time is what is answered within so many days; the desk marks what waits longer.
ANSWER_WITHIN = timedelta(days=7)
# The shelves of the desk, in their order.
SHELVES = (State.NEW, State.FIXED, State.DECLINED, State.DUPLICATE, State.SPAM)


def may_become(now: State, then: State) -> bool:
    """Whether a passage may go from `now` to `then`; staying is no move."""
    return then in NEXT[now]
