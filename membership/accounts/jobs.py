"""What the clock does for accounts."""

from datetime import datetime

from flask import current_app

from membership.accounts import services
from membership.accounts.services import approving
from membership.billing import forgetting
from membership.kernel import clock
from membership.web.counters import DatabaseStorage


def forget(now: datetime) -> None:
    """Delete what nobody needs: old sign-in requests, ended sessions, counters that count nothing. Real time."""
    del now
    services.forget(clock.real_now())
    services.forget_changes(clock.real_now())
    counters = current_app.extensions["membership.counters"]
    if isinstance(counters, DatabaseStorage):
        counters.forget_old()


def lapse_approvals(now: datetime) -> None:
    """Take away what no second owner agreed to in time. Real time."""
    del now
    approving.lapse()


def follow_addresses(now: datetime) -> None:
    """Give other companies the addresses that changed here."""
    services.tell_followers(now)


def erase(now: datetime) -> None:
    """Go on with everybody who is to be forgotten; empty what came since about those who are."""
    services.erase_due(now)
    forgetting.sweep()
