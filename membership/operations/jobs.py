"""What the clock does about the installation itself."""

from datetime import datetime

from membership.kernel import clock
from membership.operations.services import counting, examining, watching
from membership.web import heartbeat, settings


def examine(now: datetime) -> None:
    """Examine the installation and keep what was found, by real time."""
    heartbeat.beat_worker(now)  # whoever examines is alive, also in the first minute
    examining.examine(settings(), clock.real_now())


def count(now: datetime) -> None:
    """Count what came, and look whether something that should have come did not."""
    counting.count(now)
    watching.watch(now)
