"""What we ask the provider to do: written down before it is asked, with a key that makes it happen once.

Between any two steps the process may die. Before `sent` is committed nothing was asked; after it, the sweeper
repeats the request with the same key, which the provider answers with what it did the first time
(brandur.org/idempotency-keys; Stripe's "Idempotent requests", API 2026-10-28).
"""

import hashlib
import json
import time
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import structlog
from flask import current_app
from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

from membership.billing import rules
from membership.billing.models import ProviderIntent
from membership.billing.port import CheckoutRequest, OpenedCheckout, PaymentProvider
from membership.db import db, is_sqlite, outside_call, transaction
from membership.kernel import clock
from membership.kernel.errors import Conflict, ProviderFailed
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=15)
WAIT_SECONDS = 8.0
# Stripe wants 30 minutes; one more for the way there.
SHORTEST_PAGE = timedelta(minutes=31)
WISH = ("reference", "rhythm", "charge", "email", "checkout_id")
OPEN, CLOSE = "open_checkout", "close_checkout"
FINISH_AT_A_TIME = 100


def open_checkout(request: CheckoutRequest, attempt_key: str) -> OpenedCheckout:
    """Open the hosted page for `request`, once per `attempt_key`.

    Asked again with the same key (double click, second tab, after a crash) it gives the same page, or repeats
    the request so that the provider cannot do it twice. After a refusal, and after a page was closed, it asks
    anew. Only who, what for and how much must agree with the first time; a repetition uses the first words.

    Raises Conflict where the key belongs to another request, ProviderFailed where no page came of it: nothing
    was charged, and asking again is safe.
    """
    wanted = _freeze(request)
    intent = _claim(OPEN, attempt_key, wanted, reference=request.reference)
    if intent.state != "done":
        intent = _send(intent)
    return _opened(intent)


def close_checkout(checkout_id: str) -> bool:
    """Close a hosted page: True once nobody can pay there any more, False if somebody already has.

    Raises ProviderFailed where that could not be found out.
    """
    intent = _claim(CLOSE, checkout_id, {"checkout_id": checkout_id}, reference="")
    if intent.state != "done":
        intent = _send(intent)
    return intent.closed_at is not None


def finish_open(now: datetime) -> int:
    """Resolve requests without an answer after a minute of real time; returns how many were looked at.

    Within 23 hours they are repeated with the same key; later the provider may have forgotten the key, and a
    page that nobody was sent to has long run out. A page found this way is closed: nobody will see it.
    """
    del now
    at = clock.real_now()
    query = (
        select(ProviderIntent.id, ProviderIntent.kind, ProviderIntent.sent_at)
        .where(
            ProviderIntent.state.in_(("new", "sent", "unknown")),
            ProviderIntent.sent_at < at - rules.SENT_IS_OLD,
            ProviderIntent.lease_until < at,
        )
        .order_by(ProviderIntent.sent_at)
        .limit(FINISH_AT_A_TIME)
    )
    rows = db.session.execute(query).all()
    for intent_id, kind, sent_at in rows:
        if at - sent_at > rules.KEYS_LAST:
            _give_up(intent_id)
            continue
        try:
            _finish(intent_id, kind)
        except ProviderFailed as failed:
            log.warning("intent_still_open", intent_id=intent_id, code=failed.code)
            if failed.retryable:
                break
    return len(rows)


def _finish(intent_id: int, kind: str) -> None:
    intent = _take_over(intent_id)
    if intent is None:
        return
    intent = _send(intent)
    if kind == OPEN and intent.provider_id is not None:
        close_checkout(intent.provider_id)


# The rows -------------------------------------------------------------------------------------------------


def _claim(kind: str, attempt_key: str, wanted: dict[str, Any], *, reference: str) -> ProviderIntent:
    """The intent of this key: done, or sent and ours to send. Waits for another sender of the same key."""
    digest = _digest(wanted)
    end = time.monotonic() + WAIT_SECONDS
    while True:
        with transaction(f"billing.{kind}.intend"):
            _insert(kind, attempt_key, wanted, digest, reference)
            intent = db.session.scalars(
                select(ProviderIntent)
                .where(ProviderIntent.kind == kind, ProviderIntent.attempt_key == attempt_key)
                .with_for_update()
            ).one()
            if intent.request_digest != digest:
                raise Conflict("other_request", f"The key {attempt_key} belongs to another request.")
            is_ours = _take_turn(intent, wanted)
            db.session.flush()
        if is_ours or intent.state == "done":
            return intent
        if time.monotonic() > end:
            raise ProviderFailed(
                "still_asking", "The same request is still on its way.", retryable=True, outcome_unknown=True
            )
        time.sleep(0.1)


def _insert(kind: str, attempt_key: str, wanted: dict[str, Any], digest: str, reference: str) -> None:
    insert = insert_on_sqlite if is_sqlite() else insert_on_postgresql
    at = clock.real_now()
    db.session.execute(
        insert(ProviderIntent)
        .values(
            kind=kind,
            attempt_key=attempt_key,
            idempotency_key=_new_key(),
            n_attempts=1,
            reference=reference,
            request_digest=digest,
            request=wanted,
            state="new",
            sent_at=at,
            lease_until=at,
        )
        .on_conflict_do_nothing(index_elements=["kind", "attempt_key"])
    )


def _take_turn(intent: ProviderIntent, wanted: dict[str, Any]) -> bool:
    """Make a row that may be sent ours; False where it is done, or another sender is at it."""
    at = clock.real_now()
    if intent.state == "done" and not (intent.kind == OPEN and intent.closed_at is not None):
        return False
    if intent.state in {"new", "sent", "unknown"} and intent.lease_until > at:
        return False
    if intent.state in {"refused", "done"}:
        _start_over(intent, wanted, at)
    elif intent.state == "new":
        intent.sent_at = at
    intent.state, intent.lease_until = "sent", at + LEASE
    return True


def _start_over(intent: ProviderIntent, wanted: dict[str, Any], at: datetime) -> None:
    """A new attempt, under a new key: the provider repeats its stored answer to the old one."""
    intent.idempotency_key, intent.n_attempts = _new_key(), intent.n_attempts + 1
    intent.request, intent.sent_at = _with_time_left(wanted), at
    intent.provider_id = intent.url = intent.expires_at = intent.closed_at = intent.error = None


def _with_time_left(wanted: dict[str, Any]) -> dict[str, Any]:
    """A page must stay open for half an hour, also one that is asked for again a while after the first."""
    if "expires_at" not in wanted:
        return wanted
    earliest = clock.now() + SHORTEST_PAGE
    return wanted | {"expires_at": max(datetime.fromisoformat(wanted["expires_at"]), earliest).isoformat()}


def _take_over(intent_id: int) -> ProviderIntent | None:
    """For the sweeper: make an abandoned row ours; None where somebody was quicker."""
    at = clock.real_now()
    abandoned = or_(ProviderIntent.state == "new", ProviderIntent.state == "sent", ProviderIntent.state == "unknown")
    with transaction("billing.intent.take_over"):
        taken = db.session.scalar(
            update(ProviderIntent)
            .where(ProviderIntent.id == intent_id, abandoned, ProviderIntent.lease_until < at)
            .values(state="sent", lease_until=at + LEASE)
            .returning(ProviderIntent.id),
            execution_options={"synchronize_session": False},
        )
    return None if taken is None else db.session.get_one(ProviderIntent, intent_id, populate_existing=True)


def _send(intent: ProviderIntent) -> ProviderIntent:
    """Ask the provider, and write down what came of it. Raises ProviderFailed, after writing that down."""
    intent_id, kind, key, request = intent.id, intent.kind, intent.idempotency_key, intent.request or {}
    provider: PaymentProvider = current_app.extensions["membership.provider"]
    try:
        if kind == OPEN:
            with outside_call("stripe.checkout.create"):
                opened = provider.open_checkout(_thaw(request), key)
            return _answered(
                intent_id, key, provider_id=opened.provider_id, url=opened.url, expires_at=opened.expires_at
            )
        with outside_call("stripe.checkout.expire"):
            is_closed = provider.close_checkout(str(request["checkout_id"]), key)
        return _answered(
            intent_id, key, provider_id=request["checkout_id"], closed_at=clock.now() if is_closed else None
        )
    except ProviderFailed as failed:
        _failed(intent_id, key, failed)
        raise


def _answered(intent_id: int, key: str, **result: Any) -> ProviderIntent:
    with transaction("billing.intent.answered"):
        _write(intent_id, key, state="done", request=None, error=None, **result)
        intent = db.session.get_one(ProviderIntent, intent_id, populate_existing=True)
        if intent.kind == CLOSE and intent.closed_at is not None:
            _mark_closed(str(intent.provider_id), intent.closed_at)
    return intent


def _mark_closed(checkout_id: str, at: datetime) -> None:
    """The page is closed, so its opening is no result to hand out any more."""
    db.session.execute(
        update(ProviderIntent)
        .where(ProviderIntent.kind == OPEN, ProviderIntent.provider_id == checkout_id)
        .values(closed_at=at)
    )


def _failed(intent_id: int, key: str, failed: ProviderFailed) -> None:
    """Refused for certain, or unknown. A key under which the provider stored a failure is spent as well."""
    is_unknown = failed.outcome_unknown and not failed.details.get("spent")
    with transaction("billing.intent.failed"):
        if is_unknown:
            _write(intent_id, key, state="unknown", error=failed.code)
        else:
            _write(intent_id, key, state="refused", error=failed.code, request=None)


def _write(intent_id: int, key: str, **values: Any) -> None:
    """Write the outcome of one attempt; an attempt that was overtaken (another key) writes nothing."""
    at = clock.real_now()
    db.session.execute(
        update(ProviderIntent)
        .where(ProviderIntent.id == intent_id, ProviderIntent.idempotency_key == key)
        .values(answered_at=at, lease_until=at, **values),
        execution_options={"synchronize_session": False},
    )


def _give_up(intent_id: int) -> None:
    log.error("alert_intent_given_up", intent_id=intent_id)
    with transaction("billing.intent.give_up"):
        db.session.execute(
            update(ProviderIntent)
            .where(ProviderIntent.id == intent_id, ProviderIntent.state.in_(("new", "sent", "unknown")))
            .values(state="refused", error="given_up", request=None, answered_at=clock.real_now()),
            execution_options={"synchronize_session": False},
        )


def _digest(wanted: dict[str, Any]) -> str:
    """What makes two requests the same wish: who, what for and how much; not the time or language of the page."""
    wish = {key: wanted[key] for key in WISH if key in wanted}
    return hashlib.sha256(json.dumps(wish, sort_keys=True).encode()).hexdigest()


def _new_key() -> str:
    return f"membership-{uuid4()}"


def _opened(intent: ProviderIntent) -> OpenedCheckout:
    if intent.provider_id is None or intent.url is None or intent.expires_at is None:
        raise RuntimeError(f"Intent {intent.id} is {intent.state} without a page.")
    return OpenedCheckout(intent.provider_id, intent.url, intent.expires_at)


def _freeze(request: CheckoutRequest) -> dict[str, Any]:
    """The request as JSON, so that it can be repeated word for word."""
    return asdict(request) | {
        "rhythm": request.rhythm.value,
        "charge": [request.charge.minor, request.charge.currency],
        "expires_at": request.expires_at.isoformat(),
        "metadata": dict(request.metadata),
    }


def _thaw(frozen: dict[str, Any]) -> CheckoutRequest:
    return CheckoutRequest(
        **frozen
        | {
            "rhythm": Rhythm(frozen["rhythm"]),
            "charge": Money(*frozen["charge"]),
            "expires_at": datetime.fromisoformat(frozen["expires_at"]),
        }
    )
