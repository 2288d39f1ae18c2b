"""Reads of the audit log: a page of it, its head, and whether it is what was written."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from membership.audit.models import AuditEntry
from membership.audit.rules import NOTHING, Facts, digest_of_reason, hash_of
from membership.db import db, read_at_once

AT_A_TIME = 1000


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain: how many rows there are, and the hash of the last one (64 zeros where there is none)."""

    number: int
    hash: str

    def __str__(self) -> str:
        """As the commands print and take it: "17:4f0c…"."""
        return f"{self.number}:{self.hash}"


@dataclass(frozen=True, slots=True)
class Fault:
    """The first row that is not what was written: its number, and a sentence."""

    number: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What of the log is wanted; "" stands for all. `subject` is "<kind>:<id>" or the public id of a person."""

    actor: str = ""
    action: str = ""
    subject: str = ""


def head() -> Head:
    """The end of the chain now."""
    last = select(AuditEntry.number, AuditEntry.hash).order_by(AuditEntry.number.desc()).limit(1)
    row = db.session.execute(last).one_or_none()
    return Head(row.number, row.hash) if row else Head(0, NOTHING)


def list_entries(wish: Wish, before: int | None, limit: int) -> Sequence[AuditEntry]:
    """At most `limit` rows, newest first; those older than the number `before`, or from the end of the log."""
    query = select(AuditEntry)
    if wish.actor:
        query = query.where(AuditEntry.actor == wish.actor)
    if wish.action:
        query = query.where(AuditEntry.action == wish.action)
    if wish.subject:
        query = query.where((AuditEntry.subject == wish.subject) | (AuditEntry.about == wish.subject))
    if before is not None:
        query = query.where(AuditEntry.number < before)
    return db.session.scalars(query.order_by(AuditEntry.number.desc()).limit(limit)).all()


def list_actions() -> Sequence[str]:
    """Every action that stands in the log, by name; found from one to the next through the index."""
    found: list[str] = []
    after = ""
    while True:
        following = select(AuditEntry.action).where(AuditEntry.action > after).order_by(AuditEntry.action).limit(1)
        action = db.session.scalar(following)
        if action is None:
            return found
        found.append(action)
        after = action


def is_last_row_whole() -> bool:
    """Whether the newest row is what was written: what `/readyz` can afford to ask."""
    row = db.session.scalar(select(AuditEntry).order_by(AuditEntry.number.desc()).limit(1))
    return row is None or _fault_in(row, row.number, row.previous) is None


def find_fault(is_forgotten: Callable[[str | None], bool], noted: Head | None = None) -> Fault | None:
    """The first row that was changed, is missing or is out of place; None where the log is what was written.

    `is_forgotten` says whether the person of a public id was erased: only reasons about those may be gone. `noted` is
    a head that somebody wrote down earlier: with it the loss of the newest rows is found too, which no chain shows by
    itself. Rows are read a thousand at a time.
    """
    read_at_once()
    number, previous = 0, NOTHING
    for row in _all_rows():
        fault = _fault_in(row, number + 1, previous)
        if fault is None and row.reason is None and row.reason_digest is not None and not is_forgotten(row.about):
            fault = Fault(row.number, f"The reason of row {row.number} was taken out.")
        if fault is not None:
            return fault
        number, previous = row.number, row.hash
        if noted is not None and number == noted.number and previous != noted.hash:
            return Fault(number, f"Row {number} is another one than when its head was noted.")
    if noted is not None and number < noted.number:
        return Fault(number + 1, f"Row {number + 1} is missing: the log once had {noted.number} rows.")
    return None


def _all_rows() -> Iterator[AuditEntry]:
    last = 0
    while True:
        query = select(AuditEntry).where(AuditEntry.number > last).order_by(AuditEntry.number).limit(AT_A_TIME)
        rows = db.session.scalars(query).all()
        yield from rows
        if len(rows) < AT_A_TIME:
            return
        last = rows[-1].number
        db.session.expunge_all()


def _fault_in(row: AuditEntry, number: int, previous: str) -> Fault | None:
    if row.number != number:
        return Fault(number, f"Row {number} is missing.")
    if row.hash != hash_of(row.previous, _facts_of(row)):
        return Fault(number, f"Row {number} was changed.")
    if row.reason is not None and row.reason_digest != digest_of_reason(row.reason_salt or "", row.reason):
        return Fault(number, f"The reason of row {number} was changed.")
    if row.previous != previous:
        return Fault(number, f"Row {number} does not follow row {number - 1}: a row was taken out or moved.")
    return None


def _facts_of(row: AuditEntry) -> Facts:
    return Facts(row.at, row.actor, row.action, row.subject, row.about, row.reason_digest, row.before, row.after)
