"""The rows that say when the books were gone through, and what was found: for the desk, `doctor` and the alarms."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update

from membership.billing.books.findings import Finding
from membership.billing.models import Bookmark, Inspection
from membership.db import db, transaction
from membership.kernel import clock
from membership.kernel.said import said

BOOKS, WHOLE_BOOKS, RECONCILE = "books", "whole_books", "reconcile"
LEASE = timedelta(minutes=5)
"""How long one step may take before another worker takes the inspection over; a page takes seconds."""

MOST_KEPT = 200
KEEP_FREQUENT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Inspected:
    """One inspection as it stands: `finished_at` is None while it goes on; see `models.Inspection`."""

    kind: str
    started_at: datetime
    finished_at: datetime | None
    since: datetime | None
    counts: dict[str, Any]
    n_findings: int
    findings: tuple[Finding, ...]
    repairs: tuple[Finding, ...]


def begin(kind: str, at: datetime, since: datetime | None, cursor: dict[str, Any] | None = None) -> int:
    """Write down that one begins; its row's id. Its beginner holds it."""
    lease_until = clock.real_now() + LEASE
    row = Inspection(kind=kind, started_at=at, since=since, lease_until=lease_until, cursor=cursor or {})
    with transaction("billing.inspection_begin"):
        db.session.add(row)
        db.session.flush()
        return row.id


def take_unfinished(kind: str) -> int | None:
    """Hold the oldest inspection of `kind` whose holder is gone; None where there is none."""
    with transaction("billing.inspection_take"):
        row = db.session.scalar(
            select(Inspection)
            .where(Inspection.kind == kind, Inspection.finished_at.is_(None))
            .where(Inspection.lease_until < clock.real_now())
            .order_by(Inspection.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if row is None:
            return None
        row.lease_until = clock.real_now() + LEASE
        return row.id


def get_row(row_id: int) -> Inspection:
    """The row as it stands now."""
    return db.session.get_one(Inspection, row_id, populate_existing=True)


def keep(row_id: int, **values: Any) -> None:
    """Write down how far it is, and hold it on."""
    with transaction("billing.inspection_keep"):
        db.session.execute(
            update(Inspection)
            .where(Inspection.id == row_id)
            .values(lease_until=clock.real_now() + LEASE, **values)
            .execution_options(synchronize_session=False)
        )


def finish(row_id: int, at: datetime, counts: dict[str, Any], findings: Sequence[Finding]) -> None:
    """It is over, and found this."""
    keep(row_id, finished_at=at, counts=counts, n_findings=len(findings), findings=listed(findings))


def listed(findings: Sequence[Finding]) -> list[dict[str, str]]:
    """The first of them, as the row keeps them."""
    return [{"code": finding.code, "message": finding.message} for finding in findings[:MOST_KEPT]]


def find_last(kind: str) -> Inspected | None:
    """The last one of `kind` that came to its end."""
    row = db.session.scalar(
        select(Inspection)
        .where(Inspection.kind == kind, Inspection.finished_at.is_not(None))
        .order_by(Inspection.started_at.desc(), Inspection.id.desc())
        .limit(1)
    )
    return None if row is None else inspected(row)


def inspected(row: Inspection) -> Inspected:
    """The row as a value."""
    return Inspected(
        kind=row.kind,
        started_at=row.started_at,
        finished_at=row.finished_at,
        since=row.since,
        counts=row.counts,
        n_findings=row.n_findings,
        findings=tuple(Finding(**each) for each in row.findings),
        repairs=tuple(Finding(**each) for each in row.repairs),
    )


def forget(now: datetime) -> None:
    """Delete what was written every ten minutes a week ago; nightly ones stay."""
    old = (Inspection.kind == BOOKS) & (Inspection.started_at < now - KEEP_FREQUENT)
    with transaction("billing.inspection_forget"):
        db.session.execute(delete(Inspection).where(old).execution_options(synchronize_session=False))


# Bookmarks


def find_bookmark(name: str) -> datetime | None:
    """Up to when `name` was read; None before the first time."""
    return db.session.scalar(select(Bookmark.at).where(Bookmark.name == name))


def move_bookmark(name: str, at: datetime) -> None:
    """It was read up to `at`."""
    with transaction("billing.bookmark"):
        bookmark = db.session.get(Bookmark, name, with_for_update=True)
        if bookmark is None:
            db.session.add(Bookmark(name=name, ref=None, at=at))
        else:
            bookmark.at = at


def pass_bookmark(name: str, before: datetime, at: datetime) -> bool:
    """Move a bookmark that lies before `before` to `at`; False where somebody else has done so already."""
    behind = update(Bookmark).where(Bookmark.name == name, Bookmark.at < before).values(at=at).returning(Bookmark.name)
    with transaction("billing.bookmark"):
        return db.session.scalar(behind.execution_options(synchronize_session=False)) is not None


# Whether all is well


@dataclass(frozen=True, slots=True)
class Health:
    """What the last inspection of a kind means today: `words` are a whole sentence."""

    is_well: bool
    words: str


NAMES = {
    BOOKS: said("check of the books"),
    WHOLE_BOOKS: said("check of the whole books"),
    RECONCILE: said("comparison with the payments"),
}
LONGEST = {BOOKS: timedelta(hours=1), WHOLE_BOOKS: timedelta(hours=50), RECONCILE: timedelta(hours=50)}
"""Older than that it is too old: six of the ten minutes, and two nights."""


def assess(kind: str, now: datetime) -> Health:
    """Whether the last one of `kind` is young enough and found nothing; a new installation is given its time."""
    last, name = find_last(kind), NAMES[kind]
    if last is None or last.finished_at is None:
        first = find_bookmark(f"night {kind}")
        is_late = first is not None and now - first > LONGEST[kind]
        return Health(not is_late, said("No %(what)s has come to its end yet.", what=name))
    if last.n_findings:
        example = last.findings[0].message if last.findings else ""
        return Health(
            is_well=False,
            words=said("The last %(what)s found %(n)s: %(example)s", what=name, n=last.n_findings, example=example),
        )
    hours = int((now - last.finished_at).total_seconds() // 3600)
    if now - last.finished_at > LONGEST[kind]:
        return Health(is_well=False, words=said("The last %(what)s is %(n)s hours old.", what=name, n=hours))
    return Health(is_well=True, words=said("The last %(what)s found nothing, %(at)s.", what=name, at=last.finished_at))
