"""When an event that was not taken is sent again.

`patient` is the sandbox's own way: soon, and for ever, so that a program that was stopped for lunch misses nothing.
`test` and `live` are Stripe's: in test mode three more times within some hours, in live mode for three days with
growing pauses (Stripe promises the span; the pauses are those commonly seen), and then given up. Pauses are in
sandbox time: moving the clock on makes every attempt of the time that passed.
"""

from typing import Literal

Schedule = Literal["patient", "test", "live"]

MINUTE, HOUR = 60.0, 3600.0
PAUSES: dict[Schedule, tuple[float, ...]] = {
    "test": (10 * MINUTE, HOUR, 2 * HOUR),
    "live": (5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, *(12 * HOUR,) * 4, 6 * HOUR),
}
LONGEST_PATIENCE = 60.0


def pause_after(attempts: int) -> float:
    """Seconds until the next attempt after so many failed ones, for the patient: 1, 2, 4 … 60."""
    return float(min(2.0 ** max(attempts - 1, 0), LONGEST_PATIENCE))


def next_attempt(schedule: Schedule, attempts: int, planned: float, now: float) -> float | None:
    """When to try again after `attempts` have failed, the last of them planned for `planned`; None is never.

    The patient count from `now`. At Stripe attempts follow their plan, so those of a time that was skipped are made
    one right after the other.
    """
    if schedule == "patient":
        return now + pause_after(attempts)
    pauses = PAUSES[schedule]
    return planned + pauses[attempts - 1] if attempts <= len(pauses) else None
