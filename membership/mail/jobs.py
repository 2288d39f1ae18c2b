"""What the clock does with the outbox. The rows are the truth; a hint only makes it sooner (ADR 0005)."""

import time
from datetime import datetime, timedelta

import structlog

from membership.db import db, outside_call
from membership.kernel import clock
from membership.mail import letters, queries, services, smtp
from membership.mail.catalogue import find_entry
from membership.mail.models import OutboxMail
from membership.mail.rules import KEEP_ADDRESSES, Failure
from membership.web import settings

log = structlog.get_logger(__name__)

# After a failure of the server a hint does not try again so soon: with a server that hangs, every sign-in
# would hold a thread of the worker for ten seconds. The sweeper tries it once a minute.
REST = timedelta(seconds=20)
# A sweep ends before a worker that is told to stop would be cut off (20 seconds), and then comes again at once.
SWEEP_SECONDS = 15.0
# After so many mails the list is made anew, so that one that somebody waits for comes before the rest.
MAILS_AT_A_TIME = 50
BROADCASTS_AT_A_TIME = 100
# Between two batches others get their turn at the database, which on SQLite is for one writer at a time.
PAUSE_SECONDS = 0.05


def deliver(now: datetime, outbox_id: int) -> None:
    """Try one mail, if it is due and the mail server did not fail a moment ago."""
    if queries.find_server_failure(since=clock.real_now() - REST) is None:
        with _line() as line:
            _attempt(now, outbox_id, line)


def sweep(now: datetime) -> bool:
    """Try every mail that is due, until the server fails or the time of a sweep is over; True: there are more."""
    end = time.monotonic() + SWEEP_SECONDS
    with _line() as line:
        while due := queries.list_due(clock.real_now(), MAILS_AT_A_TIME):
            for outbox_id in due:
                if _attempt(now, outbox_id, line) in {Failure.SERVER, Failure.UNANSWERED}:
                    return False
                if time.monotonic() > end:
                    return True
    return False


def spread(now: datetime, broadcast_id: int | None = None) -> bool:
    """Walk on with one broadcast, or with all in turn, until everybody has their mail in the outbox or the time is
    over; True: there is more to do.
    """
    end = time.monotonic() + SWEEP_SECONDS
    unfinished = queries.list_unfinished_broadcasts(BROADCASTS_AT_A_TIME) if broadcast_id is None else [broadcast_id]
    while unfinished and time.monotonic() < end:
        unfinished = [each for each in unfinished if _walk_on(now, each)]
    return bool(unfinished)


def forget(now: datetime) -> None:
    """Empty the addresses of mails that were done 30 days ago."""
    services.forget_addresses(now, KEEP_ADDRESSES)


def _walk_on(now: datetime, broadcast_id: int) -> bool:
    try:
        is_more = services.spread(broadcast_id, now)
    except Exception:  # the edge: an audience that fails must not stop the others; the next sweep tries again
        db.session.rollback()
        log.exception("broadcast_failed", broadcast_id=broadcast_id)
        return False
    if is_more:
        time.sleep(PAUSE_SECONDS)
    return is_more


def _line() -> smtp.Line:
    return smtp.Line(settings().smtp_url, letters.sender_address())


def _attempt(now: datetime, outbox_id: int, line: smtp.Line) -> Failure | None:
    row = services.claim(outbox_id)
    if row is None:
        return None
    try:
        message_id = _send(row, now, line)
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


def _send(row: OutboxMail, now: datetime, line: smtp.Line) -> str | None:
    """Write the mail and hand it over; its Message-ID, or None when it is no longer wanted."""
    entry = find_entry(row.kind)
    if entry is None:
        raise LookupError(row.kind)
    if row.to_address is None or not queries.is_wanted(row.kind, row.args):
        return None
    is_test = services.TEST in row.args
    context = entry.example if is_test else entry.build(row.args, now)
    if context is None:
        return None
    letter = letters.write(entry, context, row.locale)
    message = letters.make_message(letters.as_test(letter, row.locale) if is_test else letter, row)
    with outside_call("mail.smtp.send"):
        line.hand_over(message, row.to_address)
    return str(message["Message-ID"])


def _failed(row: OutboxMail, now: datetime, failure: Failure, reason: str) -> Failure:
    services.mark_failed(row, now, failure, reason)
    log.warning("mail_failed", outbox_id=row.id, kind=row.kind, failure=failure.value, reason=reason)
    return failure
