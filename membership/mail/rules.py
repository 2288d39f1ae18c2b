"""When a mail is tried again, and when it is given up. Pure functions of values."""

from datetime import timedelta
from enum import Enum

# Longer than the slowest conversation with a mail server, so that a lease runs out only when its owner died.
LEASE = timedelta(minutes=3)
GIVE_UP_AFTER = timedelta(days=3)
KEEP_ADDRESSES = timedelta(days=30)
LONGEST_WAIT = timedelta(minutes=60)
LONGEST_WAIT_FOR_SERVER = timedelta(minutes=5)
WAIT_AFTER_SILENCE = timedelta(minutes=30)
MOST_UNANSWERED = 2

# Addresses of people who are gone end with this; nothing is ever sent there (RFC 2606: no such domain can exist).
NOBODY = "@erased.invalid"


class Failure(Enum):
    """Why an attempt failed."""

    # The server cannot be reached, refuses us or our sender: nothing is wrong with this mail.
    SERVER = "server"
    # This mail was refused for now (4xx), or the conversation about it broke off.
    TEMPORARY = "temporary"
    # This recipient or this mail was refused for good (5xx).
    PERMANENT = "permanent"
    # The whole mail was handed over, and the answer never came: it may have been accepted.
    UNANSWERED = "unanswered"
    # It could not be written: a template or the data behind it is broken.
    RENDERING = "rendering"


def backoff(attempts: int, longest: timedelta = LONGEST_WAIT) -> timedelta:
    """How long to wait after the n-th attempt (from 1): 1, 2, 4 … minutes, at most `longest`."""
    return min(timedelta(minutes=2 ** min(attempts - 1, 20)), longest)


def most_attempts() -> int:
    """How many attempts fit into GIVE_UP_AFTER. Counted, not timed, so that an outage of ours costs no mail."""
    attempts, waited = 1, timedelta()
    while waited + backoff(attempts) <= GIVE_UP_AFTER:
        waited += backoff(attempts)
        attempts += 1
    return attempts


def next_step(failure: Failure, attempts: int, n_unanswered: int) -> timedelta | None:
    """How long a mail waits after a failed attempt; None: it is given up.

    A server that is down is waited for without end. A mail that was handed over twice without an answer is
    given up, since a reader would otherwise get a copy with every attempt (faults.md F13).
    """
    if failure is Failure.PERMANENT:
        return None
    if failure is Failure.SERVER:
        return backoff(attempts, LONGEST_WAIT_FOR_SERVER)
    if failure is Failure.UNANSWERED:
        return WAIT_AFTER_SILENCE if n_unanswered < MOST_UNANSWERED else None
    return backoff(attempts) if attempts < most_attempts() else None
