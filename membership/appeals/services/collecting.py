"""What pages tell is collected in memory and counted together: a commit every few seconds instead of one per reader.

One collector per web process. What it holds is bounded, and is written within ten seconds, when it is full, or when the
process ends; a process that is killed loses what came since the last time, a few seconds of views and no money.
"""

import logging
import threading
import time
from collections.abc import Callable
from multiprocessing.util import Finalize
from typing import cast

from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from membership.appeals.services import counting
from membership.appeals.services.counting import Received

log = logging.getLogger(__name__)

MOST_HELD = 2_000
"""Batches, each of 8 KB at most and mostly of a few hundred bytes."""
FLUSH_SECONDS = 5
LATEST_SECONDS = 10
MOST_WAITED_SECONDS = 1
# Of what ends with a process, before whatever may close the database.
END_PRIORITY = 100


class Collector:
    """Takes batches and has them counted; may be asked by any number of threads."""

    def __init__(self, app: Flask, now: Callable[[], float] = time.monotonic) -> None:
        self._app, self._now = app, now
        self._held: list[Received] = []
        self._holding, self._flushing = threading.Lock(), threading.Lock()
        self._tried_at = now()
        # Whether the database did not take it the last time.
        self._is_refused = False
        self._n_lost = 0
        self._timer: threading.Timer | None = None
        self._end: Finalize | None = None

    @property
    def n_held(self) -> int:
        """How many batches wait to be counted."""
        return len(self._held)

    def take(self, batch: Received) -> None:
        """Hold a batch; where it is time, have all of them counted before this returns."""
        with self._holding:
            self._held.append(batch)
            if self._is_refused:  # then it is asked again after a while, not by everybody who comes
                self._drop_oldest()
            is_full = len(self._held) >= MOST_HELD and not self._is_refused
            has_waited = self._now() - self._tried_at >= FLUSH_SECONDS
            self._watch()
        if is_full:
            self._make_room()
        elif has_waited:
            self.flush()

    def flush(self) -> None:
        """Have everything that is held counted; what the database does not take is held for the next time."""
        if not self._flushing.acquire(blocking=False):
            return  # somebody is at it, and what came meanwhile has a turn of its own
        try:
            self._flush()
        finally:
            self._flushing.release()

    def _make_room(self) -> None:
        # Faster than it is counted nothing is taken: whoever comes waits until there is room again, but no longer than
        # a moment. The threads that wait here are those that take money.
        if not self._flushing.acquire(timeout=MOST_WAITED_SECONDS):
            with self._holding:
                self._drop_oldest()
            return
        try:
            if len(self._held) >= MOST_HELD and not self._is_refused:
                self._flush()
        finally:
            self._flushing.release()

    def end(self) -> None:
        """Have everything counted at last: the process ends. Waits for whoever is at it."""
        with self._flushing:
            self._flush()
        with self._holding:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._end is not None:
                self._end.cancel()
                self._end = None

    def _flush(self) -> None:
        with self._holding:
            taken, self._held = self._held, []
            n_lost, self._n_lost = self._n_lost, 0
            self._tried_at = self._now()
        if n_lost:  # said once in a while, not for each
            log.error("appeal_counts_lost", extra={"n_batches": n_lost})
        if not taken:
            return
        try:
            # A context of its own, so that the session of a request that happened to bring the last one is left alone.
            with self._app.app_context():
                counting.count(taken)
        except SQLAlchemyError:
            log.exception("appeal_counts_wait", extra={"n_batches": len(taken)})
            with self._holding:
                self._held, self._is_refused = taken + self._held, True
                self._drop_oldest()
                self._watch()
        else:
            self._is_refused = False

    def _drop_oldest(self) -> None:
        if (n_over := len(self._held) - MOST_HELD) > 0:
            del self._held[:n_over]
            self._n_lost += n_over

    def _watch(self) -> None:
        """See to it that what is held is counted soon, though nobody else may come, and that the end is heard of."""
        if self._end is None:
            # Runs at the end of a process of `multiprocessing`, as granian's are, and of any other one (by atexit).
            self._end = Finalize(None, self.end, exitpriority=END_PRIORITY)
        if self._timer is None:
            self._timer = threading.Timer(LATEST_SECONDS, self._on_time)
            self._timer.daemon = True
            self._timer.start()

    def _on_time(self) -> None:
        with self._holding:
            self._timer = None
        self.flush()
        with self._holding:
            if self._held and self._timer is None:
                self._watch()


def install(app: Flask) -> None:
    """Give the app a collector; it starts nothing before the first batch comes."""
    app.extensions["membership.appeal_collector"] = Collector(app)


def collector() -> Collector:
    """The collector of this process."""
    return cast("Collector", current_app.extensions["membership.appeal_collector"])
