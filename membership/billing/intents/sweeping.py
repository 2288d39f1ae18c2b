"""What was sent and never answered, or is still to be sent: every intent comes to an end."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog
from flask import current_app
from sqlalchemy import or_, select, update

from membership.billing import rules
from membership.billing.intents import rows
from membership.billing.intents.kinds import KINDS
from membership.billing.intents.pages import close_checkout
from membership.billing.models import ProviderIntent
from membership.billing.port import ObjectRef, PaymentProvider
from membership.db import db, outside_call, transaction
from membership.kernel import clock
from membership.kernel.errors import Conflict, ProviderFailed

log = structlog.get_logger(__name__)

FINISH_AT_A_TIME = 100
# After so many failures in a row the provider is down; the rest waits for the next sweep.
FAILURES_IN_A_ROW = 3


def finish_open(now: datetime, read_again: Callable[[ObjectRef], Any] | None = None) -> int:
    """Resolve requests without an answer after a minute of real time, and send those that were only planned.

    Within 23 hours they are repeated with the same key. Later the provider may have forgotten the key: then it is
    looked up whether it was done, or given up with an alert, and never blindly repeated. One that a newer ask has
    overtaken is not repeated either. A page found this way is closed: nobody will see it. `read_again` is called
    for what was changed. Returns how many were looked at.
    """
    del now
    n_failures, found = 0, _list_unanswered()
    for intent_id in found:
        try:
            _finish(intent_id, read_again)
            n_failures = 0
        except Conflict as conflict:
            log.warning("intent_refused", intent_id=intent_id, code=conflict.code)
        except ProviderFailed as failed:
            log.warning("intent_still_open", intent_id=intent_id, code=failed.code)
            n_failures += failed.retryable
        if n_failures >= FAILURES_IN_A_ROW:
            break
    return len(found)


def _list_unanswered() -> list[int]:
    at = clock.real_now()
    query = (
        select(ProviderIntent.id)
        .where(
            ProviderIntent.state.in_(rows.UNANSWERED),
            or_(ProviderIntent.state == "new", ProviderIntent.sent_at < at - rules.SENT_IS_OLD),
            ProviderIntent.lease_until < at,
        )
        .order_by(ProviderIntent.sent_at)
        .limit(FINISH_AT_A_TIME)
    )
    return list(db.session.scalars(query))


def _finish(intent_id: int, read_again: Callable[[ObjectRef], Any] | None) -> None:
    intent = _take_over(intent_id)
    if intent is None:
        return
    kind = KINDS[intent.kind]
    if _is_overtaken(intent):
        _end(intent.id, "overtaken")
        return
    if clock.real_now() - intent.sent_at <= rules.KEYS_LAST:
        intent = rows.send(intent)
    elif not _look_up(intent):
        return
    if intent.kind == "open_checkout" and intent.provider_id is not None:
        close_checkout(intent.provider_id)
    for ref in kind.again(intent) if read_again else ():
        read_again(ref)  # type: ignore[misc]  # not None where the loop runs


def _take_over(intent_id: int) -> ProviderIntent | None:
    """Make an abandoned row ours; None where somebody was quicker. What was never sent is sent from now."""
    at = clock.real_now()
    with transaction("billing.intent.take_over"):
        query = select(ProviderIntent).where(
            ProviderIntent.id == intent_id,
            ProviderIntent.state.in_(rows.UNANSWERED),
            ProviderIntent.lease_until < at,
        )
        intent = db.session.scalars(query.with_for_update()).one_or_none()
        if intent is None:
            return None
        if intent.state == "new":
            intent.sent_at = at
        intent.state, intent.lease_until = "sent", at + rows.LEASE
    return intent


def _is_overtaken(intent: ProviderIntent) -> bool:
    """Whether a newer ask of the same line about the same thing was made: repeating this one would undo it."""
    line = KINDS[intent.kind].line
    if line is None:
        return False
    rivals = [name for name, kind in KINDS.items() if kind.line == line]
    query = select(ProviderIntent.id).where(
        ProviderIntent.subject == intent.subject,
        ProviderIntent.kind.in_(rivals),
        ProviderIntent.state.in_(("sent", "unknown", "done")),
        ProviderIntent.sent_at > intent.sent_at,
    )
    return db.session.scalar(query.limit(1)) is not None


def _look_up(intent: ProviderIntent) -> bool:
    """Its key is forgotten: what can be sought is sought; True where it turns out to have been done."""
    kind, request, key = KINDS[intent.kind], intent.request or {}, intent.idempotency_key
    if kind.is_kept:
        return _begin_anew(intent)
    provider: PaymentProvider = current_app.extensions["membership.provider"]
    answer = None
    if kind.seek is not None:
        with outside_call(f"stripe.{intent.kind}.seek"):
            answer = kind.seek(provider, request)
    if answer is None:
        log.error("alert_intent_given_up", intent_id=intent.id, kind=intent.kind)
        _end(intent.id, "given_up")
        return False
    rows.answered(intent.id, key, answer)
    return True


def _begin_anew(intent: ProviderIntent) -> bool:
    """Doing it twice does no harm: ask under a new key, for the next sweep to send. False: nothing was done yet."""
    with transaction("billing.intent.anew"):
        row = db.session.get_one(ProviderIntent, intent.id, populate_existing=True, with_for_update=True)
        row.idempotency_key, row.n_attempts = rows.new_key(), row.n_attempts + 1
        row.state, row.lease_until = "new", clock.real_now()
    return False


def _end(intent_id: int, error: str) -> None:
    with transaction("billing.intent.give_up"):
        db.session.execute(
            update(ProviderIntent)
            .where(ProviderIntent.id == intent_id, ProviderIntent.state.in_(rows.UNANSWERED))
            .values(state="refused", error=error, request=None, answered_at=clock.real_now()),
            execution_options={"synchronize_session": False},
        )


def forget_results(at: datetime) -> None:
    """Empty what was answered 30 days ago (real time): it may hold the address of a payer's own page."""
    with transaction("billing.intent.forget"):
        db.session.execute(
            update(ProviderIntent)
            .where(ProviderIntent.result.is_not(None), ProviderIntent.answered_at < at - rules.KEEP_BODIES)
            .values(result=None),
            execution_options={"synchronize_session": False},
        )
