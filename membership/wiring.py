"""The fuse box: the payment provider, who hears which news, and what the clock does. All on one screen.

Lower rooms know nothing of higher ones; all news that travels upwards passes through the tables here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask

from membership.config import Settings


@dataclass(frozen=True, slots=True)
class Job:
    """Something the worker does: `function(now, *args)`; `every_seconds` makes it a sweeper as well.

    Every job is idempotent and finds its work in the database; the queue only says "soon" (ADR 0005).
    """

    function: Callable[..., None]
    every_seconds: int | None = None


# Event class -> the functions that are told, in this order, in the same transaction as the money.
EVENT_HANDLERS: dict[type[Any], tuple[Callable[[Any], None], ...]] = {}

JOBS: dict[str, Job] = {}


def install(app: Flask, settings: Settings) -> None:
    """Connect the rooms of this app."""
    app.extensions["membership.handlers"] = EVENT_HANDLERS
