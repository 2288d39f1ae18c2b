"""Calls to Stripe: how long we wait, how many at once, how often, and what a failure means.

A web request waits seven seconds at most, is never repeated here, and at most `WEB_CALLS` of a process wait at
a time: a hanging Stripe cannot take the threads that serve pages. The worker waits longer, repeats, and keeps
under Stripe's limits per second.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, TypeVar

import stripe
import structlog
import urllib3
from flask import has_request_context
from stripe import StripeClient

from membership.config import Settings
from membership.kernel.errors import ProviderFailed

log = structlog.get_logger(__name__)

API_VERSION = "2026-10-28.endive"
"""The shape in which Stripe answers us; a test holds it against the SDK's own."""

WEB_CALLS = 6
WEB_TIMEOUT = urllib3.Timeout(connect=3, total=7)
WORKER_TIMEOUT = (5, 30)
WORKER_RETRIES = 2
BUSY_TRIES = 4

T = TypeVar("T")


class Pace:
    """Lets through at most `per_second` calls in total and `per_endpoint` of each kind, by waiting."""

    def __init__(self, per_second: int, per_endpoint: int) -> None:
        self._total_gap, self._endpoint_gap = 1 / per_second, 1 / per_endpoint
        self._next: dict[str, float] = {}
        self._lock = threading.Lock()

    def wait(self, endpoint: str) -> None:
        """Sleep until it is the turn of one call to `endpoint`."""
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next.get("", 0.0), self._next.get(endpoint, 0.0))
            self._next[""], self._next[endpoint] = turn + self._total_gap, turn + self._endpoint_gap
        time.sleep(max(0.0, turn - now))


class Calls:
    """One way to Stripe for pages and one for the worker; which one is used follows from who is asking."""

    def __init__(self, settings: Settings) -> None:
        self._hasty = _client(settings, WEB_TIMEOUT, retries=0)
        self._patient = _client(settings, WORKER_TIMEOUT, retries=WORKER_RETRIES)
        self._pace = Pace(settings.stripe_calls_per_second, settings.stripe_calls_per_endpoint)
        self._web_calls = threading.BoundedSemaphore(WEB_CALLS)

    def ask(self, endpoint: str, question: Callable[[Any], T]) -> T:
        """Call `question` with the `v1` services; `endpoint` names the kind of call for the limits.

        Raises ProviderFailed; see `failure_of`.
        """
        try:
            if has_request_context():
                with self._room():
                    return question(self._hasty.v1)
            return self._ask_patiently(endpoint, question)
        except stripe.StripeError as error:
            raise failure_of(error) from error

    @contextmanager
    def _room(self) -> Iterator[None]:
        if not self._web_calls.acquire(blocking=False):
            log.warning("stripe_no_room", limit=WEB_CALLS)
            raise ProviderFailed("provider_slow", "Stripe is slow; too many of us wait for it.", retryable=True)
        try:
            yield
        finally:
            self._web_calls.release()

    def _ask_patiently(self, endpoint: str, question: Callable[[Any], T]) -> T:
        """The SDK repeats nothing after 429 ("too many"), so we do, with growing and uneven waits."""
        for attempt in range(1, BUSY_TRIES):
            self._pace.wait(endpoint)
            try:
                return question(self._patient.v1)
            except stripe.RateLimitError:
                time.sleep(2 ** (attempt - 1) * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, no secret
        self._pace.wait(endpoint)
        return question(self._patient.v1)


def _client(settings: Settings, timeout: Any, *, retries: int) -> StripeClient:
    base = settings.stripe_api_base
    return StripeClient(
        settings.stripe_secret_key.get_secret_value(),
        stripe_version=API_VERSION,
        base_addresses={"api": base.rstrip("/")} if base else None,
        max_network_retries=retries,
        http_client=stripe.RequestsClient(timeout=timeout),
    )


def is_missing(error: ProviderFailed) -> bool:
    """Whether Stripe said that the thing asked for does not exist."""
    return error.details.get("stripe_code") == "resource_missing"


def is_certain(error: ProviderFailed) -> bool:
    """Whether Stripe refused, so that nothing was done and the same words would be refused again."""
    return not error.retryable and not error.outcome_unknown


def failure_of(error: stripe.StripeError) -> ProviderFailed:
    """What a failure of the SDK means for us: whether it may be repeated, and whether it may have been carried out.

    No answer, an unreadable answer, a conflict and 5xx leave that open. An error that Stripe itself wrote
    (JSON, 5xx) is stored by it under the idempotency key and would only be repeated: `details["spent"]`.
    Messages of Stripe may quote what a reader typed, so only codes are kept.
    """
    status = error.http_status
    has_answer = error.error is not None
    details: dict[str, Any] = {"stripe_code": error.code or "", "status": status or 0}
    if isinstance(error, stripe.RateLimitError):
        return ProviderFailed("provider_busy", "Stripe asks us to slow down.", retryable=True, **details)
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        log.error("alert_stripe_refuses_key", status=status)
        return ProviderFailed("provider_refuses_key", "Stripe does not accept our key.", retryable=False, **details)
    is_unclear = (
        isinstance(error, stripe.APIConnectionError)
        or status is None
        or status == HTTPStatus.CONFLICT
        or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        or not has_answer
    )
    if is_unclear:
        is_spent = has_answer and status is not None and status >= HTTPStatus.INTERNAL_SERVER_ERROR
        return ProviderFailed(
            "provider_unreachable" if status is None else "provider_failed",
            f"Stripe gave no usable answer ({type(error).__name__}, status {status}).",
            retryable=True,
            outcome_unknown=True,
            spent=is_spent,
            **details,
        )
    if isinstance(error, stripe.IdempotencyError):
        log.error("alert_idempotency_mismatch", status=status)
    return ProviderFailed(
        "provider_refused",
        f"Stripe refused the request ({type(error).__name__}, {error.code or 'no code'}).",
        retryable=False,
        param=getattr(error, "param", None) or "",
        decline_code=getattr(error.error, "decline_code", None) or "",
        **details,
    )
