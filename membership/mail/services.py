"""Use cases of the outbox: put a mail in, lease it for delivery, write down how it went, forget addresses."""

from datetime import datetime, timedelta

from sqlalchemy import or_, update
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

from membership.db import db, hint, is_sqlite, transaction
from membership.kernel import clock
from membership.mail.catalogue import Args, find_entry
from membership.mail.models import DEAD, DONE, DROPPED, SENDING, SENT, WAITING, OutboxMail
from membership.mail.rules import LEASE, Failure, next_step

LONGEST_ARG = 120


def send(kind: str, to: str, locale: str, args: Args, once_key: str | None = None) -> int | None:
    """Put one mail into the outbox, inside the caller's transaction (or one of its own); the row's id.

    `kind` names an entry of `mail.catalogue` (LookupError otherwise); `args` are ids only (ValueError for
    anything that looks like an address or a text). A second mail with the same `once_key` is not written:
    None. The mail leaves after the commit; ask for nothing about it here.
    """
    _check(kind, args)
    insert = insert_on_sqlite if is_sqlite() else insert_on_postgresql
    statement = (
        insert(OutboxMail)
        .values(
            kind=kind,
            to_address=to,
            locale=locale,
            args=args,
            once_key=once_key,
            state=WAITING,
            attempts=0,
            n_unanswered=0,
            fence=0,
            next_try_at=clock.real_now(),
            created_at=clock.now(),
        )
        .on_conflict_do_nothing(index_elements=["once_key"])
        .returning(OutboxMail.id)
    )
    with transaction("mail.send"):
        outbox_id = db.session.scalar(statement)
        if outbox_id is not None:
            hint("mail.deliver", outbox_id)
    return outbox_id


def _check(kind: str, args: Args) -> None:
    if find_entry(kind) is None:
        raise LookupError(f"No mail is called {kind!r}; is its emails.py listed in wiring?")
    for name, value in args.items():
        if isinstance(value, str) and ("@" in value or len(value) > LONGEST_ARG):
            raise ValueError(f"{name} of {kind}: the outbox keeps ids only.")


def claim(outbox_id: int) -> OutboxMail | None:
    """Lease a mail that is due for one attempt; None where it is done, not due, or in other hands."""
    at = clock.real_now()
    due = (OutboxMail.state == WAITING) & (OutboxMail.next_try_at <= at)
    abandoned = (OutboxMail.state == SENDING) & (OutboxMail.lease_until <= at)
    statement = (
        update(OutboxMail)
        .where(OutboxMail.id == outbox_id, or_(due, abandoned))
        .values(state=SENDING, attempts=OutboxMail.attempts + 1, fence=OutboxMail.fence + 1, lease_until=at + LEASE)
        .returning(OutboxMail)
    )
    with transaction("mail.claim"):
        row = db.session.scalar(statement, execution_options={"populate_existing": True})
        if row is not None:
            db.session.refresh(row)
            db.session.expunge(row)
    return row


def mark_sent(row: OutboxMail, now: datetime, message_id: str) -> bool:
    """The server accepted it. False where the lease has gone to somebody else meanwhile."""
    return _settle(row, state=SENT, done_at=now, message_id=message_id, failure=None, last_error=None)


def mark_dropped(row: OutboxMail, now: datetime) -> bool:
    """It is no longer wanted. False where the lease has gone to somebody else meanwhile."""
    return _settle(row, state=DROPPED, done_at=now, failure=None, last_error=None)


def mark_failed(row: OutboxMail, now: datetime, failure: Failure, reason: str) -> bool:
    """The attempt failed; `reason` is a sentence without personal data. Waits, or is given up by `rules`."""
    n_unanswered = row.n_unanswered + (failure is Failure.UNANSWERED)
    wait = next_step(failure, row.attempts, n_unanswered)
    if wait is None:
        outcome = {"state": DEAD, "done_at": now}
    else:
        outcome = {"state": WAITING, "next_try_at": clock.real_now() + wait}
    return _settle(row, failure=failure.value, last_error=reason[:300], n_unanswered=n_unanswered, **outcome)


def _settle(row: OutboxMail, **outcome: object) -> bool:
    statement = (
        update(OutboxMail)
        .where(OutboxMail.id == row.id, OutboxMail.state == SENDING, OutboxMail.fence == row.fence)
        .values(lease_until=None, tried_at=clock.real_now(), **outcome)
        .returning(OutboxMail.id)
    )
    with transaction("mail.settle"):
        return db.session.scalar(statement) is not None


def forget_addresses(now: datetime, after: timedelta) -> int:
    """Empty the addresses of mails that were done more than `after` ago; how many (decision 13)."""
    statement = (
        update(OutboxMail)
        .where(OutboxMail.done_at < now - after, OutboxMail.to_address.is_not(None), OutboxMail.state.in_(DONE))
        .values(to_address=None)
        .returning(OutboxMail.id)
    )
    with transaction("mail.forget"):
        return len(db.session.scalars(statement).all())
