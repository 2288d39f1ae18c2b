"""Faults on demand: for the next calls that match, and for deliveries by seed."""

import random
import socket
import threading
import time
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from membership.sandbox.protocol import idempotency
from membership.sandbox.protocol.errors import ApiError
from membership.sandbox.protocol.idempotency import Answer
from membership.sandbox.store import dumps

if TYPE_CHECKING:
    from membership.sandbox.app import Sandbox

_HTML = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


class CallFault(BaseModel):
    """What is to happen to the next `times` calls that match "METHOD /path" (`*` matches anything).

    500 is answered instead of carrying the call out, and kept for its idempotency key as Stripe does; 503 the
    same without being kept. 429, 409 and html are answered and not kept; slow waits `seconds` and then goes on;
    hang waits and then closes the connection; lost_reply carries the call out and closes the connection.
    """

    model_config = ConfigDict(extra="forbid")
    match: str
    do: Literal["500", "503", "429", "409", "html", "slow", "lost_reply", "hang"]
    times: int = Field(1, ge=1)
    seconds: float = Field(8.0, ge=0, le=300)

    def before(
        self, sandbox: "Sandbox", key: str | None, wanted: str, request_id: str
    ) -> tuple[Answer, dict[str, str]] | None:
        """What is answered instead of the call; None where the call is carried out."""
        if self.do in {"slow", "hang"}:
            n_resets = sandbox.n_resets
            time.sleep(self.seconds)
            # A call from before a reset must not be carried out in the world after it.
            if self.do == "hang" or sandbox.n_resets != n_resets:
                raise ConnectionLost
            return None
        if self.do == "lost_reply":
            return None
        if self.do == "html":
            return Answer(502, _HTML, request_id), {"Content-Type": "text/html"}
        error = _ERRORS[self.do]
        answer = Answer(error.status, dumps(error.envelope()), request_id)
        if self.do == "500" and key is not None:
            with sandbox.store.transaction():
                idempotency.remember(sandbox.store, key, wanted, answer, sandbox.clock.now())
        return answer, {}

    def after(self, environ: dict[str, Any]) -> None:  # noqa: ARG002 - every fault is asked
        """Lose the answer of a call that was carried out, where that is asked for."""
        if self.do == "lost_reply":
            raise ConnectionLost


class ConnectionLost(Exception):  # noqa: N818 - reads as a sentence
    """The connection is to be closed without an answer."""


_ERRORS = {
    "500": ApiError("An unknown error occurred (on purpose).", status=500, kind="api_error"),
    "503": ApiError("The service is unavailable (on purpose).", status=503, kind="api_error"),
    "429": ApiError("Too many requests (on purpose).", status=429, code="rate_limit"),
    "409": ApiError("Another request holds this object (on purpose).", status=409, code="lock_timeout"),
}


class DeliveryFaults(BaseModel):
    """How often, from 0 to 1, the first delivery of an event goes wrong; which ones is settled by `seed`.

    `duplicate`: sent twice. `reorder`: sent some tenths of a second late, so that later ones overtake it.
    `delay`: sent `delay_seconds` late. `drop`: never sent. `wrong_signature`: sent once with a wrong one, and
    again rightly when that is refused.
    """

    model_config = ConfigDict(extra="forbid")
    seed: int = 0
    duplicate: float = Field(0, ge=0, le=1)
    reorder: float = Field(0, ge=0, le=1)
    delay: float = Field(0, ge=0, le=1)
    delay_seconds: float = Field(5, ge=0, le=3600)
    drop: float = Field(0, ge=0, le=1)
    wrong_signature: float = Field(0, ge=0, le=1)


class Script(BaseModel):
    """What `POST /_sandbox/faults` takes: calls are added, deliveries replaced."""

    model_config = ConfigDict(extra="forbid")
    calls: list[CallFault] = Field(default_factory=list)
    deliveries: DeliveryFaults | None = None


@dataclass(frozen=True)
class Fate:
    """What becomes of one delivery."""

    drop: bool = False
    duplicate: bool = False
    wrong_signature: bool = False
    delay_seconds: float = 0.0


@dataclass
class Faults:
    """The faults that are ordered at present."""

    calls: list[CallFault] = field(default_factory=list)
    deliveries: DeliveryFaults | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def order(self, script: Script) -> None:
        """Add faults."""
        with self._lock:
            self.calls += [fault.model_copy() for fault in script.calls]
            self.deliveries = script.deliveries or self.deliveries

    def clear(self) -> None:
        """Order none any more."""
        with self._lock:
            self.calls, self.deliveries = [], None

    def take(self, method: str, path: str) -> CallFault | None:
        """The first fault that matches a call, used up by one; None for a call that goes well."""
        with self._lock:
            for fault in self.calls:
                if fnmatchcase(f"{method} {path}", fault.match):
                    fault.times -= 1
                    self.calls = [other for other in self.calls if other.times > 0]
                    return fault
        return None

    def fate(self, event: str, attempts: int) -> Fate:
        """What becomes of a delivery: only the first attempt goes wrong, always in the same way for a seed."""
        wanted = self.deliveries
        if wanted is None or attempts:
            return Fate()
        dice = random.Random(f"{wanted.seed}:{event}")  # noqa: S311 - repeatable on purpose
        throws = [dice.random() for _ in range(6)]
        late = 0.2 + throws[5] if throws[1] < wanted.reorder else 0.0
        return Fate(
            drop=throws[0] < wanted.drop,
            duplicate=throws[2] < wanted.duplicate,
            wrong_signature=throws[3] < wanted.wrong_signature,
            delay_seconds=wanted.delay_seconds if throws[4] < wanted.delay else late,
        )


def hang_up(environ: dict[str, Any]) -> None:
    """Close the connection of a request without an answer."""
    connection: socket.socket | None = environ.get("sandbox.socket")
    if connection is not None:
        connection.shutdown(socket.SHUT_RDWR)
