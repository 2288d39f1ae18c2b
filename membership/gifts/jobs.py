"""What the clock does for gifts."""

from datetime import datetime

from membership.gifts import services


def send_due(now: datetime) -> None:
    """Mail the gifts whose day has come."""
    services.send_due(now)


def remind(now: datetime) -> None:
    """Tell givers whose gift nobody redeemed."""
    services.remind(now)


def forget(now: datetime) -> None:
    """Empty what names receivers of gifts that are over."""
    services.forget(now)
