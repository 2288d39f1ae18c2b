"""A newsroom in Kyiv that reports in euros: days summed up to a moment, and metrics asked of them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from membership.dashboard.metrics import METRICS, Lens, Result
from membership.dashboard.rules.periods import period_of
from membership.dashboard.services import rating, rebuilding

# Noon in Kyiv (UTC+2 in winter) on a day in the middle of a week.
NOW = datetime(2026, 11, 18, 10, tzinfo=UTC)
DAY = timedelta(days=1)


def kyiv(text: str) -> datetime:
    """A moment as a clock in Kyiv shows it, such as "2026-11-18 12:00"."""
    from zoneinfo import ZoneInfo

    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Kyiv")).astimezone(UTC)


def rate(base: str, currency: str, number: str, since: str = "2026-01-01") -> None:
    rating.set_by_hand(base, currency, Decimal(number), date.fromisoformat(since))


@pytest.fixture
def ask(app):
    """Sum everything up to `at`, then ask a metric about the days from `first` to `last`."""

    def _ask(key: str, first: str, last: str, currency: str | None = None, at: datetime = NOW) -> Result:
        rebuilding.roll(at)
        today = max(at.date(), date.fromisoformat(last))
        period = period_of("own", today, date.fromisoformat(first), date.fromisoformat(last))
        with app.test_request_context():
            result = METRICS[key].measure(at, period, Lens("EUR", currency))
            assert METRICS[key].words(result)
        return result

    return _ask


def minors(result: Result) -> dict[str, int]:
    """The whole range in minor units, by line."""
    return {line.key: line.total.minor for line in result.lines if line.total is not None}


def by_piece(result: Result, key: str = "") -> list:
    """The values of a line (of the only one), piece by piece; amounts in minor units."""
    line = next(line for line in result.lines if key in {"", line.key})
    return [getattr(value, "minor", value) for value in line.values]
