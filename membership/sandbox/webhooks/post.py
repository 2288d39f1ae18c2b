"""One signed POST, as Stripe makes it."""

import http.client
import ssl
import time
from urllib.parse import urlsplit

from stripe._webhook import WebhookSignature

TIMEOUT_SECONDS = 10.0


class Unreachable(Exception):  # noqa: N818 - reads as a sentence
    """Nobody answered at that address."""


class Line:
    """A connection to one receiver, kept open between messages; for one thread."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._host = parts.hostname or ""
        self._port = parts.port
        self._secure = parts.scheme == "https"
        self._connection: http.client.HTTPConnection | None = None

    def send(self, body: bytes, secret: str) -> int:
        """POST the body, signed with the machine's time; the status of the answer. Raises Unreachable."""
        for fresh in (False, True):
            try:
                return self._send(body, secret)
            except (OSError, http.client.HTTPException) as error:
                was_kept_open = self._connection is not None and not fresh
                self.close()
                # The other side may have closed a connection that was kept open: that is no failure yet.
                if not was_kept_open or isinstance(error, TimeoutError):
                    raise Unreachable(f"{type(error).__name__}: {error}") from error
        raise Unreachable("no answer")

    def _send(self, body: bytes, secret: str) -> int:
        if self._connection is None:
            self._connection = self._open()
            self._connection.connect()
        headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Stripe/1.0 (sandbox)"}
        headers["Stripe-Signature"] = signature(body, secret)
        self._connection.request("POST", self._path, body, headers)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status

    def _open(self) -> http.client.HTTPConnection:
        if self._secure:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(self._host, self._port, timeout=TIMEOUT_SECONDS, context=context)
        return http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_SECONDS)

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def signature(body: bytes, secret: str, at: float | None = None) -> str:
    """The Stripe-Signature header for a body: scheme v1, HMAC-SHA-256 over the second and the body."""
    moment = int(time.time() if at is None else at)
    return str(WebhookSignature.generate_signature_header(body.decode(), secret, moment))
