"""Reads of the outbox. Moments of delivery are real time."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select

from membership.db import db
from membership.mail.catalogue import About, Args, find_entry
from membership.mail.models import SENDING, WAITING, Broadcast, MailStop, OutboxMail
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


def stops_of(person_id: int) -> frozenset[About]:
    """The sorts of mail that a person does not want; empty for most."""
    return frozenset(About(row) for row in db.session.scalars(_stops({person_id}, MailStop.about)))


def who_wants(kind: str, person_ids: Collection[int]) -> set[int]:
    """Those of these people who want mails of this kind; all of them where it cannot be stopped."""
    entry = find_entry(kind)
    if entry is None or entry.about is About.ALWAYS or not person_ids:
        return set(person_ids)
    stopped = _stops(person_ids, MailStop.person_id).where(MailStop.about == entry.about.value)
    return set(person_ids) - set(db.session.scalars(stopped))


def is_wanted(kind: str, args: Args) -> bool:
    """Whether the person named in `args` (if any) wants mails of this kind."""
    person_id = args.get("person_id")
    return not isinstance(person_id, int) or person_id in who_wants(kind, {person_id})


def _stops(person_ids: Collection[int], column: Any) -> Select[Any]:
    return select(column).where(MailStop.person_id.in_(person_ids))


def mails_to(addresses: Collection[str], limit: int = 1000) -> Sequence[OutboxMail]:
    """What was written to these addresses, newest first, as far as we still know to whom (30 days)."""
    mine = select(OutboxMail).where(OutboxMail.to_address.in_(addresses))
    return db.session.scalars(mine.order_by(OutboxMail.id.desc()).limit(limit)).all()


def is_done(outbox_id: int) -> bool:
    """Whether a mail has left, was dropped or given up (or its row is gone)."""
    row = db.session.get(OutboxMail, outbox_id, populate_existing=True)
    return row is None or row.done_at is not None


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
