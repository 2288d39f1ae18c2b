"""What the clock does for the dashboard."""

from datetime import datetime

import structlog

from membership.dashboard.services import drawing, fetching, rebuilding, staying
from membership.kernel import clock
from membership.kernel.errors import ProviderFailed

log = structlog.get_logger(__name__)


def roll(now: datetime) -> None:
    """Sum the days that changed."""
    rebuilding.roll(now)


def fetch_rates(now: datetime) -> None:
    """Ask the central banks that are set for the rates of the day."""
    try:
        fetching.fetch(now)
    except ProviderFailed as failed:
        log.warning("rates_not_fetched", code=failed.code)


def freeze_stays(now: datetime) -> None:
    """Count who stayed after polls that closed long enough ago."""
    staying.freeze(now)


def forget(now: datetime) -> None:
    """Throw away pictures that nobody has looked at for a week."""
    del now
    drawing.forget(clock.real_now())
