"""Time passing: what falls due by itself, test clocks on their way, and the moving of the sandbox's own clock."""

import sys
import threading
import traceback
from typing import TYPE_CHECKING

from membership.sandbox.kinds import KINDS, Obj
from membership.sandbox.resources import test_clocks
from membership.sandbox.tasks import run_next

if TYPE_CHECKING:
    from membership.sandbox.app import Sandbox

_TICK_SECONDS = 1.0


class Timekeeper(threading.Thread):
    """One thread that looks every second, and at once when woken, for what is due."""

    def __init__(self, sandbox: "Sandbox") -> None:
        super().__init__(name="timekeeper", daemon=True)
        self._sandbox = sandbox
        self._woken = threading.Event()
        self._stopping = False
        # Two movers at once would run tasks out of order.
        self._moving = threading.Lock()
        self.n_failed = 0

    def run(self) -> None:
        """Look until `close` is called."""
        while not self._stopping:
            self._woken.wait(_TICK_SECONDS)
            self._woken.clear()
            with self._moving:
                self._run_due("", self._sandbox.clock.now())
                self._run_test_clocks()

    def wake(self) -> None:
        """Look now."""
        self._woken.set()

    def close(self) -> None:
        """End the thread after the task that it is in."""
        self._stopping = True
        self._woken.set()
        if self.is_alive():
            self.join(timeout=30)

    def move_to(self, target: int) -> int:
        """Move the sandbox's clock forward to a second, running all that falls due on the way; the new offset.

        Events of the time that passed are held back until the listeners know the new time. A reset on the way ends
        the move: the new world begins at the machine's time.
        """
        sandbox = self._sandbox
        with self._moving:
            n_resets = sandbox.n_resets
            sandbox.deliverer.hold()
            try:
                self._run_due("", target)
                with sandbox.store.transaction():
                    if sandbox.n_resets != n_resets:
                        return sandbox.clock.offset
                    sandbox.clock.offset += max(target - sandbox.clock.now(), 0)
                    sandbox.store.set_setting("offset", sandbox.clock.offset)
                sandbox.tell_listeners()
            finally:
                sandbox.deliverer.go_on()
        return sandbox.clock.offset

    def _run_test_clocks(self) -> None:
        sandbox = self._sandbox
        while not self._stopping:
            with sandbox.store.transaction():
                found = sandbox.store.find(KINDS["test_helpers.test_clock"], {"status": "advancing"}, limit=1)
                clock = dict(found[0]) if found else None
            if clock is None:
                return
            self._run_due(clock["id"], clock["_target"])
            with sandbox.store.transaction():
                current = sandbox.store.get(clock["id"])
                if current is not None and current["status"] == "advancing":
                    test_clocks.arrive(sandbox.world(), current)

    def _run_due(self, clock_id: str, until: int) -> None:
        """Run the tasks of one clock in their order, each in a transaction of its own, at its own second."""
        while not self._stopping:
            try:
                if not self._run_one(clock_id, until):
                    return
            except Exception:  # noqa: BLE001 - the edge: it is printed, and answered or counted
                self.n_failed += 1
                traceback.print_exc(file=sys.stderr)
                self._drop(clock_id, until)

    def _run_one(self, clock_id: str, until: int) -> bool:
        sandbox = self._sandbox
        with sandbox.store.transaction():
            due = sandbox.store.next_timer(clock_id, until)
            if due is None:
                return False
            self._set_time(clock_id, due[2])
            return run_next(sandbox.world(), clock_id, until)

    def _set_time(self, clock_id: str, at: int) -> None:
        sandbox = self._sandbox
        if clock_id:
            clock: Obj | None = sandbox.store.get(clock_id)
            if clock is not None:
                clock["frozen_time"] = max(clock["frozen_time"], at)
        elif at > sandbox.clock.now():
            sandbox.clock.offset += at - sandbox.clock.now()
            sandbox.store.set_setting("offset", sandbox.clock.offset)

    def _drop(self, clock_id: str, until: int) -> None:
        store = self._sandbox.store
        with store.transaction():
            due = store.next_timer(clock_id, until)
            if due is not None:
                store.set_timer(due[0], due[1], None, clock_id)
