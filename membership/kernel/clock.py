"""The one clock of the business (decision 1).

`now()` is real time plus an offset. The offset is zero in life; in the demo and in tests it is a row in the
database that web and worker read, so that a year can pass in a minute. `real_now()` is for what the outside
world also measures: webhook signatures, leases, rate limits.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def no_offset() -> timedelta:
    """The offset of a clock that shows real time."""
    return timedelta()


_offset_source: Callable[[], timedelta] = no_offset


def real_now() -> datetime:
    """The time of this machine: aware, in UTC."""
    return datetime.now(UTC)


def now() -> datetime:
    """The time of the business: aware, in UTC, with the movable offset."""
    return real_now() + _offset_source()


def use_offset(source: Callable[[], timedelta]) -> None:
    """Take the offset from `source` from now on; `use_offset(no_offset)` sets it back to zero."""
    global _offset_source  # noqa: PLW0603 - the house has one clock, and this is its only knob
    _offset_source = source
