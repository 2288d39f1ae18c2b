"""The fuse box: the payment provider, who hears which news, and what the clock does. All on one screen.

Lower rooms know nothing of higher ones; all news that travels upwards passes through the tables here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask

from membership.accounts import emails as _accounts_emails  # noqa: F401 - enters its mails into the catalogue
from membership.accounts import jobs as accounts
from membership.config import Settings
from membership.mail import jobs as mail
from membership.web import heartbeat


@dataclass(frozen=True, slots=True)
class Job:
    """Something the worker does: `function(now, *args)`; `every_seconds` makes it a sweeper as well.

    Every job is idempotent and finds its work in the database; the queue only says "soon" (ADR 0005).
    """

    function: Callable[..., None]
    every_seconds: int | None = None


# Event class -> the functions that are told, in this order, in the same transaction as the money.
EVENT_HANDLERS: dict[type[Any], tuple[Callable[[Any], None], ...]] = {}

JOBS: dict[str, Job] = {
    "accounts.forget": Job(accounts.forget, every_seconds=24 * 3600),
    "mail.deliver": Job(mail.deliver),
    "mail.sweep": Job(mail.sweep, every_seconds=60),
    "mail.forget": Job(mail.forget, every_seconds=24 * 3600),
    "worker.heartbeat": Job(heartbeat.beat_worker, every_seconds=heartbeat.BEAT_SECONDS),
}


def install(app: Flask, settings: Settings) -> None:
    """Connect the rooms of this app."""
    app.extensions["membership.handlers"] = EVENT_HANDLERS
