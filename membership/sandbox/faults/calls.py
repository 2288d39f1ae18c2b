"""What may go wrong with a call of the API: ordered one by one, or as a mixture by seed."""

import random
import socket
import time
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from membership.sandbox.protocol import idempotency
from membership.sandbox.protocol.errors import ApiError
from membership.sandbox.protocol.idempotency import Answer
from membership.sandbox.store import dumps

if TYPE_CHECKING:
    from membership.sandbox.app import Sandbox

What = Literal["500", "503", "429", "409", "403", "html", "truncated", "slow", "hang", "lost_reply"]

# In the words of `--help` and of the control page.
CALL_FAULTS: dict[What, str] = {
    "500": "answered 500 without being carried out, and kept for its idempotency key as Stripe does",
    "503": "answered 503 without being carried out",
    "429": "answered 429 (too many requests) without being carried out",
    "409": "answered 409 (another request holds the object) without being carried out",
    "403": "answered 403 (a restricted key may not do this) without being carried out",
    "html": "answered 502 with a page of HTML without being carried out",
    "truncated": "carried out, and half of the answer arrives",
    "slow": "waits for some seconds and is then carried out",
    "hang": "waits for some seconds; then the connection is closed without an answer, and nothing was carried out",
    "lost_reply": "carried out, and the connection is closed without an answer",
}
_HTML = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
_ERRORS = {
    "500": ApiError("An unknown error occurred (on purpose).", status=500, kind="api_error"),
    "503": ApiError("The service is unavailable (on purpose).", status=503, kind="api_error"),
    "429": ApiError("Too many requests (on purpose).", status=429, code="rate_limit"),
    "409": ApiError("Another request holds this object (on purpose).", status=409, code="lock_timeout"),
    "403": ApiError(
        "The provided key does not have the required permissions for this endpoint (on purpose).", status=403
    ),
}


class ConnectionLost(Exception):  # noqa: N818 - reads as a sentence
    """The connection is to be closed without an answer."""


def hang_up(environ: dict[str, Any]) -> None:
    """Close the connection of a request without an answer."""
    connection: socket.socket | None = environ.get("sandbox.socket")
    if connection is not None:
        connection.shutdown(socket.SHUT_RDWR)


class CallFault(BaseModel):
    """What is to happen (`CALL_FAULTS`) to the next `times` calls that match "METHOD /path"; `*` matches anything."""

    model_config = ConfigDict(extra="forbid")
    match: str
    do: What
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
        if self.do in {"lost_reply", "truncated"}:
            return None
        if self.do == "html":
            return Answer(502, _HTML, request_id), {"Content-Type": "text/html"}
        error = _ERRORS[self.do]
        answer = Answer(error.status, dumps(error.envelope()), request_id)
        if self.do == "500" and key is not None:
            with sandbox.store.transaction():
                idempotency.remember(sandbox.store, key, wanted, answer, sandbox.clock.now())
        return answer, {}

    def after(self, answer: Answer) -> Answer:
        """What arrives of the answer to a call that was carried out."""
        if self.do == "lost_reply":
            raise ConnectionLost
        if self.do == "truncated":
            return Answer(answer.status, answer.body[: len(answer.body) // 2], answer.request_id)
        return answer


class CallMix(BaseModel):
    """Faults by chance for every call that matches: `shares` says how often each happens, from 0 to 1.

    Which call is hit by what is settled by `seed` and by how many calls matched since the mixture was ordered, so
    that the same story told again meets the same faults. `seconds` is for slow and hang.
    """

    model_config = ConfigDict(extra="forbid")
    seed: int = 0
    match: str = "* /v1/*"
    shares: dict[What, float]
    seconds: float = Field(2.0, ge=0, le=300)

    @field_validator("shares")
    @classmethod
    def _fit(cls, shares: dict[What, float]) -> dict[What, float]:
        if any(share < 0 for share in shares.values()) or sum(shares.values()) > 1:
            raise ValueError("The shares are from 0 to 1, and 1 at most together.")
        return shares

    def pick(self, number: int) -> CallFault | None:
        """What befalls the call of that number; None where it goes well."""
        throw = random.Random(f"{self.seed}:{number}").random()  # noqa: S311 - repeatable on purpose
        for what, share in sorted(self.shares.items()):
            if throw < share:
                return CallFault(match=self.match, do=what, times=1, seconds=self.seconds)
            throw -= share
        return None
