"""One clock for both sides, which only moves when the story says so; nobody sleeps."""

import sys
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import membership.wiring
from membership.kernel import clock
from membership.sandbox.clock import SandboxClock

BEGINNING = datetime(2027, 1, 29, 9, 30, tzinfo=UTC)
"""Two days before the end of a month that is longer than the next one."""
WHO_WAITS = ("membership.billing", "membership.contributions")
"""Modules that wait for somebody, or measure how long something takes, stand in these rooms."""
assert membership.wiring, "all rooms are loaded"


class Hours:
    """`at` is the time of both sides. Each look at it takes a millisecond, so that no two moments are the same."""

    def __init__(self) -> None:
        self.at = BEGINNING
        self._lived = timedelta()

    def begin_again(self) -> None:
        """Back to the beginning; but a stop watch never runs backwards."""
        self._lived += self.at - BEGINNING + timedelta(hours=1)
        self.at = BEGINNING

    def look(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at

    def in_days(self, n_days: int) -> datetime:
        return self.at + timedelta(days=n_days)

    def pass_by(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    def _seconds(self) -> float:
        return self.at.timestamp()

    def _stop_watch(self) -> float:
        return (self._lived + self.at - BEGINNING).total_seconds()

    def govern(self, monkeypatch) -> None:
        monkeypatch.setattr(clock, "real_now", self.look)
        monkeypatch.setattr(SandboxClock, "real", staticmethod(self._seconds))
        watch = SimpleNamespace(monotonic=self._stop_watch, sleep=self.pass_by)
        for name, module in list(sys.modules.items()):
            if name.startswith(WHO_WAITS) and getattr(module, "time", None) is time:
                monkeypatch.setattr(module, "time", watch)
        monkeypatch.setattr("stripe._http_client.time", SimpleNamespace(sleep=self.pass_by, time=self._seconds))
