"""`Idempotency-Key`: the first answer to a key is kept for 24 hours and given again.

Stripe keeps the answer once it began to carry the request out, errors of the server included; requests that
are refused before that (a bad parameter) leave the key free. A second request while the first is on its way is
refused with 409 rather than made to wait.
"""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from membership.sandbox.protocol.errors import ApiError
from membership.sandbox.store import Store

KEPT_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Answer:
    """What was answered: the status, the body as it went out, and the id of the request that was carried out."""

    status: int
    body: str
    request_id: str


class Keys:
    """The keys that are under way, for one sandbox."""

    def __init__(self) -> None:
        self._busy: set[str] = set()
        self._lock = threading.Lock()

    @contextmanager
    def under_way(self, key: str | None) -> Iterator[None]:
        """Hold the key; ApiError 409 idempotency_key_in_use where another request holds it."""
        if key is None:
            yield
            return
        with self._lock:
            if key in self._busy:
                raise ApiError(
                    "There is currently another in-progress request using this Idempotent Key.",
                    status=409,
                    kind="idempotency_error",
                    code="idempotency_key_in_use",
                )
            self._busy.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._busy.discard(key)


def digest(method: str, path: str, body: bytes) -> str:
    """What a request asks for, in short; the same for the same parameters."""
    return hashlib.sha256(f"{method} {path}\n".encode() + body).hexdigest()


def recall(store: Store, key: str, request: str, now: int) -> Answer | None:
    """The kept answer; None where there is none or it is over a day old. ApiError 400 for other parameters."""
    row = store.db.execute("SELECT request, status, body, request_id, at FROM answer WHERE key = ?", (key,)).fetchone()
    if row is None or now - row[4] >= KEPT_SECONDS:
        return None
    if row[0] != request:
        raise ApiError(
            "Keys for idempotent requests can only be used with the same parameters they were first used with."
            f" Try using a key other than '{key}' if you meant to execute a different request.",
            kind="idempotency_error",
        )
    return Answer(row[1], row[2], row[3])


def remember(store: Store, key: str, request: str, answer: Answer, now: int) -> None:
    """Keep an answer for the key."""
    store.db.execute(
        "INSERT OR REPLACE INTO answer (key, request, request_id, status, body, at) VALUES (?, ?, ?, ?, ?, ?)",
        (key, request, answer.request_id, answer.status, answer.body, now),
    )
