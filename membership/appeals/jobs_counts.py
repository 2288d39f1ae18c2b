"""What the clock does about counts of appeals."""

from datetime import datetime

from membership.appeals.services import counting
from membership.kernel import clock


def tidy(now: datetime) -> None:
    """Forget batches that no browser sends again, and make days of hours that are long past."""
    counting.forget(clock.real_now())
    counting.roll(now)
