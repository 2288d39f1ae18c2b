"""Reads of the outbox. Moments of delivery are real time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from membership.db import db
from membership.mail.models import SENDING, WAITING, Broadcast, OutboxMail
from membership.mail.rules import Failure

# A mail that waits longer than this means that nothing delivers: worker and sweeper come every minute.
LONGEST_CALM_WAIT = timedelta(minutes=2)
SERVER_FAILURES = (Failure.SERVER.value, Failure.UNANSWERED.value)


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many mails are in each state, and for how long the oldest due one has waited (zero if none).

    Mails of a broadcast may wait for hours while thousands leave before them, so they do not count as waiting.
    """

    n_by_state: dict[str, int]
    oldest_due: timedelta


def list_due(real_now: datetime, limit: int) -> Sequence[int]:
    """Ids of mails to be tried now, at most `limit`: longest due first, but those of broadcasts after all others."""
    abandoned = (OutboxMail.state == SENDING) & (OutboxMail.lease_until <= real_now)
    due = (OutboxMail.state == WAITING) & (OutboxMail.next_try_at <= real_now)
    statement = select(OutboxMail.is_bulk, OutboxMail.next_try_at, OutboxMail.id)
    statement = statement.order_by(OutboxMail.is_bulk, OutboxMail.next_try_at, OutboxMail.id).limit(limit)
    # Two statements, since the index gives each of them its rows in order, however many wait.
    found = [
        (is_bulk, next_try_at, outbox_id)
        for which in (abandoned, due)
        for is_bulk, next_try_at, outbox_id in db.session.execute(statement.where(which))
    ]
    return [outbox_id for _, _, outbox_id in sorted(found)[:limit]]


def list_unfinished_broadcasts(limit: int) -> Sequence[int]:
    """Ids of broadcasts that have not met all their people yet, oldest first, at most `limit`."""
    statement = select(Broadcast.id).where(Broadcast.done_at.is_(None)).order_by(Broadcast.id).limit(limit)
    return db.session.scalars(statement).all()


def find_server_failure(since: datetime | None = None) -> OutboxMail | None:
    """The last attempt of all, if the mail server was at fault in it (and it ended after `since`)."""
    last = db.session.scalar(
        select(OutboxMail).where(OutboxMail.tried_at.is_not(None)).order_by(OutboxMail.tried_at.desc()).limit(1)
    )
    if last is None or last.tried_at is None or last.failure not in SERVER_FAILURES:
        return None
    return last if since is None or last.tried_at > since else None


def is_mail_flowing(real_now: datetime) -> bool:
    """Whether a mail written now would leave soon; `real_now` is `clock.real_now()`.

    False after an attempt that failed at the mail server, until one succeeds, and while a due mail has
    waited for more than two minutes (no worker).
    """
    return find_server_failure() is None and _oldest_due(real_now) <= LONGEST_CALM_WAIT


def measure_backlog(real_now: datetime) -> Backlog:
    """The outbox in numbers, for readiness, metrics and doctor."""
    counted = db.session.execute(select(OutboxMail.state, func.count()).group_by(OutboxMail.state)).all()
    return Backlog(dict(counted), _oldest_due(real_now))


def _oldest_due(real_now: datetime) -> timedelta:
    single = OutboxMail.is_bulk.is_(False)
    waiting = select(func.min(OutboxMail.next_try_at)).where(OutboxMail.state == WAITING, single)
    leased = select(func.min(OutboxMail.lease_until)).where(OutboxMail.state == SENDING, single)
    moments = [moment for moment in (db.session.scalar(waiting), db.session.scalar(leased)) if moment is not None]
    return max((real_now - moment for moment in moments if moment < real_now), default=timedelta())
