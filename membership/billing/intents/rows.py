"""The intents as rows: claimed by one sender at a time, sent, and answered (or not)."""

import time
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import structlog
from flask import current_app
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

from membership.billing import rules
from membership.billing.intents.kinds import KINDS, Words
from membership.billing.models import ProviderIntent
from membership.billing.port import PaymentProvider
from membership.db import db, is_sqlite, outside_call, transaction
from membership.kernel import clock
from membership.kernel.errors import Conflict, ProviderFailed

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=15)
WAIT_SECONDS = 8.0
# Stripe wants 30 minutes; one more for the way there.
SHORTEST_PAGE = timedelta(minutes=31)
UNANSWERED = ("new", "sent", "unknown")


def ask(kind: str, attempt_key: str, wanted: Words, *, reference: str = "") -> ProviderIntent:
    """Have it done once per `attempt_key`, and return the row with the answer.

    Raises Conflict where the key belongs to another request or the provider's state does not allow it, and
    ProviderFailed where no answer came; what came of it is written down either way.
    """
    intent = _claim(kind, attempt_key, wanted, reference)
    return intent if intent.state == "done" else send(intent)


def plan(kind: str, attempt_key: str, wanted: Words, *, reference: str = "") -> bool:
    """Write down that it is to be asked, for the sweeper to send; joins the transaction. False: it stands already."""
    with transaction(f"billing.{kind}.plan"):
        return _insert(kind, attempt_key, wanted, reference)


def find(kind: str, attempt_key: str) -> ProviderIntent | None:
    """The row of this key as it stands now, if there is one."""
    query = select(ProviderIntent).where(ProviderIntent.kind == kind, ProviderIntent.attempt_key == attempt_key)
    return db.session.scalars(query.execution_options(populate_existing=True)).one_or_none()


# Claiming -------------------------------------------------------------------------------------------------


def _claim(kind: str, attempt_key: str, wanted: Words, reference: str) -> ProviderIntent:
    """The intent of this key: done, or sent and ours to send. Waits for another sender of the same key."""
    digest, end = KINDS[kind].digest(wanted), time.monotonic() + WAIT_SECONDS
    while True:
        with transaction(f"billing.{kind}.intend"):
            _insert(kind, attempt_key, wanted, reference)
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


def _insert(kind: str, attempt_key: str, wanted: Words, reference: str) -> bool:
    insert = insert_on_sqlite if is_sqlite() else insert_on_postgresql
    at, known = clock.real_now(), KINDS[kind]
    statement = (
        insert(ProviderIntent)
        .values(
            kind=kind,
            attempt_key=attempt_key,
            idempotency_key=new_key(),
            n_attempts=1,
            reference=reference,
            subject=wanted[known.subject],
            request_digest=known.digest(wanted),
            request=wanted,
            state="new",
            sent_at=at,
            lease_until=at,
        )
        .on_conflict_do_nothing(index_elements=["kind", "attempt_key"])
        .returning(ProviderIntent.id)
    )
    return db.session.scalar(statement) is not None


def _take_turn(intent: ProviderIntent, wanted: Words) -> bool:
    """Make a row that may be sent ours; False where it is done, or another sender is at it."""
    at = clock.real_now()
    if intent.state == "done" and not _is_used_up(intent):
        return False
    if intent.state in UNANSWERED and intent.lease_until > at and not _waits(intent):
        return False
    if intent.state in {"refused", "done"}:
        _start_over(intent, at, wanted)
    elif intent.state == "new":
        intent.sent_at = at
    intent.state, intent.lease_until = "sent", at + LEASE
    return True


def _waits(intent: ProviderIntent) -> bool:
    """Whether nobody is at it although it is put off: somebody who asks now need not wait for its turn."""
    return intent.state == "new"


def _is_used_up(intent: ProviderIntent) -> bool:
    """A page that was closed, or one for a card that ran out, is no answer to hand out any more."""
    if intent.kind == "open_card_page":
        return intent.expires_at is not None and intent.expires_at <= clock.now()
    return intent.kind == "open_checkout" and intent.closed_at is not None


def _start_over(intent: ProviderIntent, at: datetime, wanted: Words) -> None:
    """A new attempt, under a new key: the provider repeats its stored answer to the old one."""
    intent.idempotency_key, intent.n_attempts = new_key(), intent.n_attempts + 1
    intent.request, intent.sent_at = _with_time_left(wanted), at
    intent.provider_id = intent.url = intent.expires_at = intent.closed_at = intent.error = intent.result = None


def _with_time_left(wanted: Words) -> Words:
    """A page must stay open for half an hour, also one that is asked for again a while after the first."""
    if "expires_at" not in wanted:
        return wanted
    earliest = clock.now() + SHORTEST_PAGE
    return wanted | {"expires_at": max(datetime.fromisoformat(wanted["expires_at"]), earliest).isoformat()}


def new_key() -> str:
    """A fresh idempotency key."""
    return f"membership-{uuid4()}"


# Sending --------------------------------------------------------------------------------------------------


def send(intent: ProviderIntent) -> ProviderIntent:
    """Ask the provider, and write down what came of it. Raises ProviderFailed or Conflict, after writing that down.

    After an attempt that failed, what can be sought is sought first: a failure that the provider stored under the
    old key does not say for certain that nothing was done. So is what was first sent so long ago that the provider
    may have forgotten its key.
    """
    intent_id, kind, key, request = intent.id, KINDS[intent.kind], intent.idempotency_key, intent.request or {}
    is_old = clock.real_now() - intent.sent_at > rules.KEYS_LAST
    is_repeated, label = is_old or intent.n_attempts > 1, f"stripe.{intent.kind}"
    provider: PaymentProvider = current_app.extensions["membership.provider"]
    try:
        with outside_call(label):
            answer = kind.seek(provider, request) if kind.seek and is_repeated else None
            answer = answer or kind.ask(provider, request, key)
    except ProviderFailed as failed:
        _failed(intent_id, key, failed)
        raise
    except Conflict as conflict:
        with transaction("billing.intent.failed"):
            _write(intent_id, key, state="refused", error=conflict.code, request=None)
        raise
    return answered(intent_id, key, answer)


def answered(intent_id: int, key: str, answer: Words) -> ProviderIntent:
    """Write down that it was done, and what came of it."""
    with transaction("billing.intent.answered"):
        _write(intent_id, key, state="done", request=None, error=None, **answer)
        intent = db.session.get_one(ProviderIntent, intent_id, populate_existing=True)
        if intent.kind == "close_checkout" and intent.closed_at is not None:
            _mark_closed(str(intent.provider_id), intent.closed_at)
    return intent


def _mark_closed(checkout_id: str, at: datetime) -> None:
    """The page is closed, so its opening is no result to hand out any more."""
    db.session.execute(
        update(ProviderIntent)
        .where(ProviderIntent.kind == "open_checkout", ProviderIntent.provider_id == checkout_id)
        .values(closed_at=at)
    )


def _failed(intent_id: int, key: str, failed: ProviderFailed) -> None:
    """Refused for certain, or unknown. A key under which the provider stored a failure is spent as well."""
    is_unknown = failed.outcome_unknown and not failed.details.get("spent")
    with transaction("billing.intent.failed"):
        intent = db.session.get_one(ProviderIntent, intent_id, populate_existing=True, with_for_update=True)
        is_kept = KINDS[intent.kind].is_kept and failed.retryable and intent.n_attempts < rules.MOST_ATTEMPTS
        if is_unknown:
            _write(intent_id, key, state="unknown", error=failed.code)
        elif is_kept:
            _put_off(intent, key, failed.code)
        else:
            _write(intent_id, key, state="refused", error=failed.code, request=None)
    if intent.n_attempts >= rules.MOST_ATTEMPTS:
        log.error("alert_intent_given_up", intent_id=intent_id, kind=intent.kind)


def _put_off(intent: ProviderIntent, key: str, error: str) -> None:
    """To be asked again, under a new key, after a while that grows."""
    if intent.idempotency_key != key:
        return
    wait = rules.wait_before(intent.n_attempts, first=rules.SENT_IS_OLD)
    intent.idempotency_key, intent.n_attempts = new_key(), intent.n_attempts + 1
    intent.state, intent.error, intent.lease_until = "new", error, clock.real_now() + wait


def _write(intent_id: int, key: str, **values: Any) -> None:
    """Write the outcome of one attempt; an attempt that was overtaken (another key) writes nothing."""
    at = clock.real_now()
    db.session.execute(
        update(ProviderIntent)
        .where(ProviderIntent.id == intent_id, ProviderIntent.idempotency_key == key)
        .values(answered_at=at, lease_until=at, **values),
        execution_options={"synchronize_session": False},
    )
