"""Sending events: one thread for each endpoint, in the order in which the events came about.

A receiver that does not answer at all is tried again after 1, 2, 4 … 60 seconds, and nothing is sent past it, so it
finds everything in order when it is back. A receiver that refuses one event gets that event again after such a
pause, and the others meanwhile. Nothing is ever given up.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from membership.sandbox.kinds import Obj
from membership.sandbox.webhooks.post import Line, Unreachable

if TYPE_CHECKING:
    from membership.sandbox.app import Sandbox

LONGEST_PAUSE = 60.0
_BATCH = 50
_OK = range(200, 300)
_DUE = (
    "SELECT d.seq, d.event, d.attempts, e.body FROM delivery d JOIN o_event e ON e.id = d.event"
    " WHERE d.endpoint = ? AND d.state = 'waiting' AND d.next_at <= ? ORDER BY d.seq LIMIT ?"
)


@dataclass(frozen=True)
class Due:
    """An event that is to be sent now."""

    seq: int
    event: str
    attempts: int
    body: str


def pause_after(attempts: int) -> float:
    """Seconds until the next attempt after so many failed ones: 1, 2, 4 … 60."""
    return float(min(2.0 ** max(attempts - 1, 0), LONGEST_PAUSE))


class Sender(threading.Thread):
    """The thread of one endpoint."""

    def __init__(self, sandbox: "Sandbox", endpoint: Obj, is_held: Callable[[], bool]) -> None:
        super().__init__(name=f"deliver to {endpoint['id']}", daemon=True)
        self._sandbox, self._is_held = sandbox, is_held
        self.endpoint = endpoint["id"]
        self._url, self._secret = endpoint["url"], endpoint["_secret"]
        self._line = Line(self._url)
        self._failures = 0
        self._wait_until = 0.0
        self.news = threading.Event()
        self.stopping = False

    def run(self) -> None:
        """Send until `stop` is called."""
        while not self.stopping:
            self.news.clear()
            pause = self._wait_until - time.monotonic()
            if pause > 0 or self._is_held() or not self._send_batch():
                self.news.wait(min(max(pause, 0.05), 1.0) if pause > 0 else 0.25)
        self._line.close()

    def stop(self) -> None:
        """Let the thread end after the message that is on its way."""
        self.stopping = True
        self.news.set()

    def hurry(self) -> None:
        """Forget the pause after a failure."""
        self._wait_until, self._failures = 0.0, 0
        self.news.set()

    def _send_batch(self) -> bool:
        """Send what is due; False where nothing was."""
        due = self._due()
        done: list[tuple[str, int, float, str | None, int]] = []
        for item in due:
            if self.stopping or self._is_held():
                break
            outcome = self._send(item)
            if outcome is None:
                break
            done.append(outcome)
        if done:
            with self._sandbox.store.transaction():
                self._sandbox.store.db.executemany(
                    "UPDATE delivery SET state = ?, attempts = ?, next_at = ?, last_error = ? WHERE seq = ?", done
                )
        return bool(done)

    def _due(self) -> list[Due]:
        store = self._sandbox.store
        with store.transaction():
            rows = store.db.execute(_DUE, (self.endpoint, time.time(), _BATCH)).fetchall()
        return [Due(*row) for row in rows]

    def _send(self, item: Due) -> tuple[str, int, float, str | None, int] | None:
        """State, attempts, next time, error and seq to write; None where the receiver is not there."""
        fate = self._sandbox.faults.fate(item.event, item.attempts)
        if fate.drop:
            return "dropped", item.attempts, 0.0, "dropped on purpose", item.seq
        if fate.delay_seconds:
            return "waiting", item.attempts + 1, time.time() + fate.delay_seconds, "delayed on purpose", item.seq
        secret = "whsec_wrong_on_purpose" if fate.wrong_signature else self._secret
        try:
            status = 0
            for _ in range(2 if fate.duplicate else 1):
                status = self._line.send(item.body.encode(), secret)
        except Unreachable as error:
            self._failures += 1
            self._wait_until = time.monotonic() + pause_after(self._failures)
            self._note(item.seq, str(error))
            return None
        self._failures = 0
        if status in _OK:
            return "delivered", item.attempts + 1, 0.0, None, item.seq
        attempts = item.attempts + 1
        return "waiting", attempts, time.time() + pause_after(attempts), f"HTTP {status}", item.seq

    def _note(self, seq: int, error: str) -> None:
        with self._sandbox.store.transaction():
            self._sandbox.store.db.execute(
                "UPDATE delivery SET attempts = attempts + 1, last_error = ? WHERE seq = ?", (error, seq)
            )


class Deliverer:
    """All senders of a sandbox. `hold` stops them while the clock is being moved."""

    def __init__(self, sandbox: "Sandbox") -> None:
        self._sandbox = sandbox
        self._senders: dict[str, Sender] = {}
        self._held = threading.Event()
        self._lock = threading.Lock()
        self._closed = False

    def wake(self) -> None:
        """There is news, or another endpoint; cheap."""
        wanted = {endpoint["id"]: endpoint for endpoint in self._sandbox.endpoints()}
        with self._lock:
            if self._closed:
                return
            for gone in self._senders.keys() - wanted.keys():
                self._senders.pop(gone).stop()
            for name in wanted.keys() - self._senders.keys():
                self._senders[name] = Sender(self._sandbox, wanted[name], self._held.is_set)
                self._senders[name].start()
            for sender in self._senders.values():
                sender.news.set()

    def hold(self) -> None:
        """Send nothing until `go_on`; a message that is on its way still arrives."""
        self._held.set()

    def go_on(self) -> None:
        """Send again."""
        self._held.clear()
        self.wake()

    def hurry(self) -> None:
        """Try everything that waits now."""
        with self._sandbox.store.transaction():
            self._sandbox.store.db.execute("UPDATE delivery SET next_at = 0 WHERE state = 'waiting'")
        with self._lock:
            for sender in self._senders.values():
                sender.hurry()

    def restart(self) -> None:
        """Begin anew after endpoints changed their address or secret."""
        with self._lock:
            senders, self._senders = list(self._senders.values()), {}
        for sender in senders:
            sender.stop()
        self.wake()

    def close(self) -> None:
        """End all threads."""
        with self._lock:
            self._closed = True
            senders, self._senders = list(self._senders.values()), {}
        for sender in senders:
            sender.stop()
        for sender in senders:
            sender.join(timeout=12)
