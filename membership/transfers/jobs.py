"""What the clock does about transfers."""

from datetime import datetime

from membership.transfers import services


def book_certain(now: datetime) -> bool:
    """Look at every open line again and book what has become certain; True where there is more to do at once."""
    services.suggest_all()
    return services.book_certain(now) > 0


def remind(now: datetime) -> bool:
    """Mail those whose announced money has not come for 14 days, once."""
    return services.remind(now) > 0


def lapse(now: datetime) -> bool:
    """Close announcements whose money has not come for 60 days."""
    return services.lapse(now) > 0


def forget(now: datetime) -> bool:
    """Empty names and texts of lines that were decided 30 days ago."""
    return services.forget(now) > 0
