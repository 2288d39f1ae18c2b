"""One reader and booker per thing at the provider at a time, on both databases and without a lock over the call.

A lease is a row, committed before the thing is fetched; the transaction that books checks its fence. So a
worker that slept through its lease is refused when it comes to write, whatever it still believes (decision 2).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

from membership.billing.models import ObjectLease
from membership.billing.rules import LEASE
from membership.db import db, is_sqlite, transaction
from membership.kernel import clock


class LeaseLost(Exception):  # noqa: N818 - reads as a sentence
    """Somebody else has taken the thing meanwhile; nothing may be written about it from here."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write about one thing, for as long as its fence is the newest."""

    object_id: str
    fence: int


def take(object_id: str, length: timedelta = LEASE) -> Lease | None:
    """Take the lease of `object_id` for `length` of real time; None while somebody else holds it."""
    at = clock.real_now()
    insert = insert_on_sqlite if is_sqlite() else insert_on_postgresql
    # A new row starts at the time in milliseconds, so that fences also grow over rows that were swept away.
    first = insert(ObjectLease).values(id=object_id, fence=int(at.timestamp() * 1000), expires_at=at + length)
    statement = first.on_conflict_do_update(
        index_elements=["id"],
        set_={"fence": ObjectLease.fence + 1, "expires_at": first.excluded.expires_at},
        # An end that no lease can have was written while this machine's clock stood ahead (faults.md F14).
        where=or_(ObjectLease.expires_at <= at, ObjectLease.expires_at > at + 2 * length),
    ).returning(ObjectLease.fence)
    with transaction("billing.lease"):
        fence = db.session.scalar(statement)
    return None if fence is None else Lease(object_id, fence)


def insist(lease: Lease) -> None:
    """Inside a transaction: go on only as the newest holder, and keep others out until its end.

    Raises LeaseLost. A lease that ran out but that nobody took since still counts: nothing was overtaken.
    """
    fence = db.session.scalar(select(ObjectLease.fence).where(ObjectLease.id == lease.object_id).with_for_update())
    if fence != lease.fence:
        raise LeaseLost(lease.object_id)


def end(lease: Lease) -> None:
    """Give it back at once; joins an open transaction. Without effect where it was lost."""
    statement = (
        update(ObjectLease)
        .where(ObjectLease.id == lease.object_id, ObjectLease.fence == lease.fence)
        .values(expires_at=clock.real_now())
    )
    with transaction("billing.lease_end"):
        db.session.execute(statement, execution_options={"synchronize_session": False})


def sweep(before: datetime) -> None:
    """Forget leases that ran out before the moment `before` (real time)."""
    with transaction("billing.lease_sweep"):
        db.session.execute(delete(ObjectLease).where(ObjectLease.expires_at < before))
