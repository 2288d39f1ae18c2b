"""What the clock does about corrections."""

from datetime import datetime

from membership.corrections.services import owning


def forget(now: datetime) -> None:
    """Empty addresses that nobody will write to any more."""
    owning.forget(now)
