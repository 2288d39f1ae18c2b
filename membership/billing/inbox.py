"""The inbox of notices: stored as they come, worked off later by reading their object again.

`receive` is the whole of what a webhook request does: check the signature, one insert, commit (W2). `take_in` is the
same for notices that were found in the provider's list (`sweeping`). `drain` is what the worker does: group what is
open by object, so that ten notices about one thing cost one reading.
The state of a row says what became of it; none is ever lost (I4).
"""

import threading
import time
import traceback
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import structlog
from flask import Flask, current_app
from sqlalchemy import Executable, select, update
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

from membership.billing import rules
from membership.billing.models import InboxEvent
from membership.billing.port import ListedNotice, Notice, NoticeUse, ObjectKind, ObjectRef, PaymentProvider
from membership.db import db, hint, is_sqlite, transaction
from membership.kernel import clock, faults

log = structlog.get_logger(__name__)

OPEN = ("received", "waiting")
STATE_OF_USE = {NoticeUse.SYNC: "received", NoticeUse.DEFERRED: "deferred", NoticeUse.IGNORED: "ignored"}
HINT_EVERY_SECONDS = 1.0


# Taking in ------------------------------------------------------------------------------------------------


def receive(raw: bytes, signature: str) -> None:
    """Store one notice, exactly as it was signed; a second delivery of it changes nothing.

    Raises InvalidInput for anything that is not a genuine notice for us. On return it is committed, so 200 may
    be answered; a database error goes through, so that the provider delivers it again.
    """
    provider: PaymentProvider = current_app.extensions["membership.provider"]
    at = clock.real_now()
    notice = provider.open_notice(raw, signature, at)
    if _store(notice, raw, at) and notice.use is NoticeUse.SYNC:
        _hint_drain()


def take_in(listed: Sequence[ListedNotice]) -> int:
    """Store notices that the provider lists, in one commit; those that are here already change nothing.

    Returns how many are new.
    """
    at = clock.real_now()
    ids = [row.notice.event_id for row in listed]
    with transaction("billing.take_in"):
        known = set(db.session.scalars(select(InboxEvent.id).where(InboxEvent.id.in_(ids))))
        new = [row for row in listed if row.notice.event_id not in known]
        n_new = 0
        for row in new:  # one of them may be delivered in this very moment
            values = _values(row.notice, row.raw, at, is_swept=True)
            n_new += db.session.scalar(_insert_once(on_sqlite=is_sqlite()), values) is not None
        if any(row.notice.use is NoticeUse.SYNC for row in new):
            hint("billing.drain")
    return n_new


def _values(notice: Notice, raw: bytes, at: datetime, *, is_swept: bool) -> dict[str, Any]:
    is_open = notice.use is NoticeUse.SYNC
    return {
        "id": notice.event_id,
        "type": notice.type,
        "object_kind": notice.object_kind,
        "object_id": notice.object_id,
        "api_version": notice.api_version,
        "created_at": notice.created_at,
        "signed_at": notice.signed_at,
        "received_at": at,
        "is_swept": is_swept,
        "body": raw,
        "state": STATE_OF_USE[notice.use],
        "next_try_at": at if is_open else None,
        "done_at": None if is_open else clock.now(),
    }


def _store(notice: Notice, raw: bytes, at: datetime) -> bool:
    """One statement, one round trip, one commit; False where the notice was there already."""
    values = _values(notice, raw, at, is_swept=False)
    # Not the session: this is the hot path of the house, and the statement is its own transaction.
    with db.engine.connect() as plain:
        connection = plain if is_sqlite() else plain.execution_options(isolation_level="AUTOCOMMIT")
        faults.point("billing.receive:before-commit")
        is_new = connection.scalar(_insert_once(on_sqlite=is_sqlite()), values) is not None
        connection.commit()
    faults.point("billing.receive:after-commit")
    return is_new


@cache
def _insert_once(*, on_sqlite: bool) -> Executable:
    """The statement, put together once."""
    insert = insert_on_sqlite if on_sqlite else insert_on_postgresql
    return insert(InboxEvent).on_conflict_do_nothing(index_elements=["id"]).returning(InboxEvent.id)


class _Debounce:
    """Sends the hint at once and, while more notices come in, once more after a second.

    The second one is what finds the notice that came while the first drain was already reading.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._quiet_until = 0.0
        self._is_trailing = False

    def ask(self, app: Flask) -> None:
        """Some notice was stored."""
        with self._lock:
            if time.monotonic() >= self._quiet_until:
                self._quiet_until = time.monotonic() + HINT_EVERY_SECONDS
                at_once = True
            else:
                at_once = False
                if self._is_trailing:
                    return
                self._is_trailing = True
        if at_once:
            hint("billing.drain")
            return
        timer = threading.Timer(HINT_EVERY_SECONDS, self._send_trailing, (app,))
        timer.daemon = True
        timer.start()

    def _send_trailing(self, app: Flask) -> None:
        with self._lock:
            self._is_trailing = False
            self._quiet_until = time.monotonic() + HINT_EVERY_SECONDS
        with app.app_context():
            hint("billing.drain")


def _hint_drain() -> None:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's documented way
    debounce: _Debounce = app.extensions.setdefault("membership.billing.debounce", _Debounce())
    debounce.ask(app)


def take_up() -> int:
    """Open the notices that were put aside by a version that had no use for them; returns how many.

    It is for types whose own object is what is read again.
    """
    provider: PaymentProvider = current_app.extensions["membership.provider"]
    types = db.session.scalars(select(InboxEvent.type).where(InboxEvent.state == "deferred").distinct()).all()
    known = {type_: kind for type_ in types if (kind := provider.kind_of(type_)) is not None}
    n_taken = 0
    for type_, kind in known.items():
        with transaction("billing.take_up"):
            taken = db.session.scalars(
                update(InboxEvent)
                .where(InboxEvent.state == "deferred", InboxEvent.type == type_, InboxEvent.object_id != "")
                .values(state="received", object_kind=kind.value, next_try_at=clock.real_now(), done_at=None)
                .returning(InboxEvent.id),
                execution_options={"synchronize_session": False},
            )
            n_taken += len(taken.all())
    if n_taken:
        log.info("deferred_notices_taken_up", n_notices=n_taken)
        hint("billing.drain")
    return n_taken


# Working off ----------------------------------------------------------------------------------------------


def list_due(limit: int) -> list[ObjectRef]:
    """Things with open notices whose turn has come, oldest first, each once; from at most `limit` notices."""
    rows = db.session.execute(
        select(InboxEvent.object_kind, InboxEvent.object_id)
        .where(InboxEvent.next_try_at <= clock.real_now())
        .order_by(InboxEvent.next_try_at)
        .limit(limit)
    ).all()
    return [ObjectRef(ObjectKind(kind), object_id) for kind, object_id in dict.fromkeys(tuple(row) for row in rows)]


def list_open(object_id: str) -> list[str]:
    """Ids of the notices about `object_id` that a reading from now on will answer; those given up as well."""
    states = (*OPEN, "dead")
    query = select(InboxEvent.id).where(InboxEvent.object_id == object_id, InboxEvent.state.in_(states))
    return list(db.session.scalars(query))


def has_word_of(object_id: str) -> bool:
    """Whether a notice about `object_id` has ever come; asked anew each time."""
    db.session.rollback()
    query = select(InboxEvent.id).where(InboxEvent.object_id == object_id)
    return db.session.scalar(query.limit(1)) is not None


def close(event_ids: Sequence[str], state: str, error: str | None = None) -> None:
    """Their object was read and booked (or is foreign): `state` for all of them; joins the transaction."""
    if not event_ids:
        return
    with transaction("billing.close"):
        db.session.execute(
            update(InboxEvent)
            .where(InboxEvent.id.in_(event_ids))
            .values(state=state, next_try_at=None, done_at=clock.now(), last_error=error),
            execution_options={"synchronize_session": False},
        )


def put_off(event_ids: Sequence[str], error: str, *, patience: timedelta | None = None) -> None:
    """The reading could not be used this time: try again later, longer each time.

    `patience` ends the waiting: notices that came longer ago than that are given up.
    """
    at = clock.real_now()
    with transaction("billing.put_off"):
        for row in _open_rows(event_ids):
            row.n_tries += 1
            row.last_error = error[:500]
            if patience is not None and row.received_at + patience < at:
                _give_up(row)
            else:
                row.state, row.next_try_at = "waiting", at + rules.wait_before(row.n_tries)


def miss(event_ids: Sequence[str], object_id: str) -> None:
    """The provider does not know the thing: believed when it says so again and again."""
    with transaction("billing.miss"):
        rows = _open_rows(event_ids)
        believed = [row.id for row in rows if row.n_tries + 1 >= rules.MOST_MISSES]
        put_off([row.id for row in rows if row.id not in believed], "The provider does not know it.")
        close(believed, "done", "The provider does not know it (any more).")
    if believed:
        log.error("alert_object_gone", object_id=object_id, n_notices=len(believed))


def put_aside(event_ids: Sequence[str], fault: Exception) -> None:
    """Our own code failed on it: keep the trace, try again a few times, then give up; others go on (W10)."""
    trace = "".join(traceback.format_exception(fault))[-20_000:]
    at = clock.real_now()
    with transaction("billing.put_aside"):
        for row in _open_rows(event_ids):
            row.n_tries, row.n_faults = row.n_tries + 1, row.n_faults + 1
            row.last_error, row.traceback = type(fault).__name__, trace
            if row.n_faults >= rules.MOST_FAULTS:
                _give_up(row)
            else:
                row.state, row.next_try_at = "waiting", at + rules.wait_after_fault(row.n_faults)


def _open_rows(event_ids: Sequence[str]) -> list[InboxEvent]:
    query = select(InboxEvent).where(InboxEvent.id.in_(event_ids), InboxEvent.state.in_(OPEN))
    return list(db.session.scalars(query.with_for_update()))


def _give_up(row: InboxEvent) -> None:
    row.state, row.next_try_at, row.done_at = "dead", None, clock.now()
    log.error("alert_notice_dead", event_id=row.id, type=row.type, object_id=row.object_id, error=row.last_error)


def forget_bodies(now: datetime) -> None:
    """Empty bodies and traces of notices that were done 30 days ago (decision 13)."""
    old = InboxEvent.done_at < now - rules.KEEP_BODIES
    with transaction("billing.forget"):
        db.session.execute(
            update(InboxEvent).where(old, InboxEvent.body.is_not(None)).values(body=None, traceback=None),
            execution_options={"synchronize_session": False},
        )
