"""Answers that are the same for everybody: any website may read them, and any cache in between may keep them."""

import logging
import time
from collections.abc import Callable
from threading import Lock

from flask import Response, request

log = logging.getLogger(__name__)

# A change is seen after a minute; a cache may go on with what it has while it asks, and for a day while we are down.
KEPT_SHORTLY = "public, max-age=60, stale-while-revalidate=600, stale-if-error=86400"


def for_everybody(answer: Response, kept: str = KEPT_SHORTLY) -> Response:
    """`answer` with an ETag and the headers that say so; `kept` is its Cache-Control. Only for views that look at no
    session (audience "machine").
    """
    answer.headers["Cache-Control"] = kept
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    answer.add_etag()
    answer.make_conditional(request)
    return answer


class Kept:
    """What is the same for everybody, made at most once in `seconds` by this process, however many ask for it: by the
    first who comes after that; whoever comes meanwhile gets the one before.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = Lock()
        self._body: str | None = None
        self._fresh_until = float("-inf")

    def get(self, make: Callable[[], str]) -> str:
        """The one that is kept, or a new one. Where `make` fails, the one before does for as long again; without any,
        what it raises is raised to whoever waited for it.
        """
        body = self._body
        if body is not None and (time.monotonic() < self._fresh_until or self._lock.locked()):
            return body
        with self._lock:
            if self._body is None or time.monotonic() >= self._fresh_until:
                try:
                    self._body = make()
                except Exception:
                    if self._body is None:
                        raise
                    log.exception("shared_answer_not_made")
                self._fresh_until = time.monotonic() + self._seconds
            return self._body
