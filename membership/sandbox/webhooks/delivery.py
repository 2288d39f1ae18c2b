"""Sending events: one thread for each endpoint, in the order in which the events came about.

An event that is refused is sent again as `retries` says, and the others meanwhile. Where retries are patient, nothing
is sent past a receiver that does not answer at all, so it finds everything in order when it is back; otherwise that
counts as a refusal. What was given up stays listed with `delivery_success=false` and can be replayed.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from membership.sandbox.kinds import Obj
from membership.sandbox.webhooks.post import Line, Unreachable
from membership.sandbox.webhooks.retries import next_attempt, pause_after

if TYPE_CHECKING:
    from membership.sandbox.app import Sandbox

# State, attempts, next time, error and seq of a delivery.
Written = tuple[str, int, float, str | None, int]
_BATCH = 50
_OK = range(200, 300)
_DUE = (
    "SELECT d.seq, e.seq, d.attempts, d.next_at, d.last_error IS NULL, e.body"
    " FROM delivery d JOIN o_event e ON e.id = d.event"
    " WHERE d.endpoint = ? AND d.state = 'waiting' AND d.next_at <= ? ORDER BY d.seq LIMIT ?"
)


@dataclass(frozen=True)
class Due:
    """A delivery that is to be made now.

    `number` counts events since the last reset, `planned` is the second for which this attempt was planned (0: as
    soon as possible), `is_fresh` is so before anything happened to it.
    """

    seq: int
    number: int
    attempts: int
    planned: float
    is_fresh: int
    body: str


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
        done: list[Written] = []
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
            rows = store.db.execute(_DUE, (self.endpoint, self._now(), _BATCH)).fetchall()
        return [Due(*row) for row in rows]

    def _now(self) -> float:
        return self._sandbox.clock.moment()

    def _send(self, item: Due) -> Written | None:
        """What to write about a delivery; None where the receiver is not there and is waited for."""
        fate = self._sandbox.faults.fate(item.number, is_first=bool(item.is_fresh))
        if fate.drop:
            return "dropped", item.attempts, 0.0, "dropped on purpose", item.seq
        if fate.delay_seconds:
            return "waiting", item.attempts, self._now() + fate.delay_seconds, "delayed on purpose", item.seq
        secret = "whsec_wrong_on_purpose" if fate.wrong_signature else self._secret
        is_patient = self._sandbox.settings.webhook_retries == "patient"
        try:
            status = 0
            for _ in range(2 if fate.duplicate else 1):
                status = self._line.send(item.body.encode(), secret)
        except Unreachable as error:
            if not is_patient:
                return self._refused(item, str(error))
            self._failures += 1
            self._wait_until = time.monotonic() + pause_after(self._failures)
            self._note(item.seq, str(error))
            return None
        self._failures = 0
        if status in _OK:
            return "delivered", item.attempts + 1, 0.0, None, item.seq
        return self._refused(item, f"HTTP {status}")

    def _refused(self, item: Due, error: str) -> Written:
        attempts, now = item.attempts + 1, self._now()
        again = next_attempt(self._sandbox.settings.webhook_retries, attempts, item.planned or now, now)
        if again is None:
            return "failed", attempts, 0.0, error, item.seq
        return "waiting", attempts, again, error, item.seq

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
        """Try everything now that waits or was given up."""
        with self._sandbox.store.transaction():
            self._sandbox.store.db.execute(
                "UPDATE delivery SET state = 'waiting', next_at = 0 WHERE state IN ('waiting', 'failed')"
            )
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
