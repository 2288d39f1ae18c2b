"""What the clock does with the outbox. The rows are the truth; a hint only makes it sooner (ADR 0005)."""

import time
from datetime import datetime, timedelta

import structlog

from membership.db import db, outside_call
from membership.kernel import clock
from membership.mail import letters, queries, services, smtp
from membership.mail.catalogue import find_entry
from membership.mail.models import OutboxMail
from membership.mail.rules import Failure
from membership.web import settings

log = structlog.get_logger(__name__)

# After a failure of the server a hint does not try again so soon: with a server that hangs, every sign-in
# would hold a thread of the worker for ten seconds. The sweeper tries it once a minute.
REST = timedelta(seconds=20)
SWEEP_SECONDS = 45.0
MOST_PER_SWEEP = 500
KEEP_ADDRESSES = timedelta(days=30)


def deliver(now: datetime, outbox_id: int) -> None:
    """Try one mail, if it is due and the mail server did not fail a moment ago."""
    if queries.find_server_failure(since=clock.real_now() - REST) is None:
        _attempt(now, outbox_id)


def sweep(now: datetime) -> None:
    """Try every mail that is due, until the server fails or the time of a sweep is over."""
    end = time.monotonic() + SWEEP_SECONDS
    for outbox_id in queries.list_due(clock.real_now(), MOST_PER_SWEEP):
        failure = _attempt(now, outbox_id)
        if failure in {Failure.SERVER, Failure.UNANSWERED} or time.monotonic() > end:
            break


def forget(now: datetime) -> None:
    """Empty the addresses of mails that were done 30 days ago."""
    services.forget_addresses(now, KEEP_ADDRESSES)


def _attempt(now: datetime, outbox_id: int) -> Failure | None:
    row = services.claim(outbox_id)
    if row is None:
        return None
    try:
        message_id = _send(row, now)
    except smtp.HandOverFailed as failed:
        return _failed(row, now, failed.failure, failed.reason)
    except Exception as error:  # noqa: BLE001 - the edge: a broken mail must not stop the others
        db.session.rollback()
        return _failed(row, now, Failure.RENDERING, f"{type(error).__name__} while the mail was written.")
    if message_id is None:
        services.mark_dropped(row, now)
    else:
        services.mark_sent(row, now, message_id)
    log.info("mail_done", outbox_id=row.id, kind=row.kind, outcome="sent" if message_id else "dropped")
    return None


def _send(row: OutboxMail, now: datetime) -> str | None:
    """Write the mail and hand it over; its Message-ID, or None when it is no longer wanted."""
    entry = find_entry(row.kind)
    if entry is None:
        raise LookupError(row.kind)
    context = entry.build(row.args, now)
    if context is None or row.to_address is None:
        return None
    message = letters.make_message(letters.write(entry, context, row.locale), row)
    with outside_call("mail.smtp.send"):
        smtp.hand_over(message, letters.sender_address(), row.to_address, settings().smtp_url)
    return str(message["Message-ID"])


def _failed(row: OutboxMail, now: datetime, failure: Failure, reason: str) -> Failure:
    services.mark_failed(row, now, failure, reason)
    log.warning("mail_failed", outbox_id=row.id, kind=row.kind, failure=failure.value, reason=reason)
    return failure
