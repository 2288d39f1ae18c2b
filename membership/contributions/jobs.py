"""What the clock does for contributions."""

from datetime import datetime

from membership.contributions import services


def abandon_overdue(now: datetime) -> None:
    """Close what was started and never paid."""
    services.abandon_overdue(now)
