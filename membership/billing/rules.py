"""Decisions of billing as pure functions: when to try again, when to give up, what a receipt is called."""

from datetime import UTC, datetime, time, timedelta, tzinfo

LONGEST_WAIT = timedelta(hours=1)
WAIT_FOR_UNKNOWN = timedelta(days=3)
"""How long a notice about a reference that nobody knows is tried again before a person must look (W7)."""

MOST_FAULTS = 6
"""How often our own code may fail on a notice before it is set aside (W10); about three hours."""

MOST_MISSES = 4
"""How often the provider may say that it does not know a thing before we believe it; about two minutes."""

LEASE = timedelta(seconds=30)
"""How long one reading and booking has a thing for itself. Slower ones may be overtaken, and are then refused."""

STUCK_AFTER = timedelta(minutes=30)
"""An open notice whose turn came so long ago was forgotten by every drain: the worker does not run."""

RECONCILE_AT, CHECK_AT = time(3, 10), time(4, 10)
"""When in the newsroom's night the whole is gone through: against the provider, then in itself."""

KEEP_BODIES = timedelta(days=30)
MOST_ATTEMPTS = 100
"""How often something that nobody waits for is asked before it is given up; about four days."""

SENT_IS_OLD = timedelta(seconds=60)
KEYS_LAST = timedelta(hours=23)
"""Providers forget idempotency keys after 24 hours; later a repetition might do the thing twice."""


def wait_before(n_tries: int, *, first: timedelta = timedelta(seconds=5)) -> timedelta:
    """How long to wait after the `n_tries`-th vain attempt (from 1): doubling from `first`, at most an hour."""
    return min(first * (1 << min(max(n_tries, 1) - 1, 20)), LONGEST_WAIT)


def wait_after_fault(n_faults: int) -> timedelta:
    """How long to wait after our own code failed for the `n_faults`-th time (from 1): 10 s, 1 min, 6 min, 1 h."""
    return min(timedelta(seconds=10 * 6.0 ** min(n_faults - 1, 10)), LONGEST_WAIT)


def receipt_number(year: int, n: int) -> str:
    """The `n`-th receipt (from 1) of `year`, such as "2026-000042"."""
    return f"{year}-{n:06d}"


def last_night(now: datetime, at: time, zone: tzinfo) -> datetime:
    """When it was last `at` o'clock in `zone`, in UTC."""
    local = now.astimezone(zone)
    tonight = datetime.combine(local.date(), at, tzinfo=zone)
    if tonight > local:
        tonight = datetime.combine(local.date() - timedelta(days=1), at, tzinfo=zone)
    return tonight.astimezone(UTC)
