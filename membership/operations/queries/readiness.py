"""Is this installation ready: the database, its tables, and what waits to be worked off."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from membership.audit import queries as audit
from membership.billing import inspections
from membership.billing.queries import find_oldest_due
from membership.db import db
from membership.kernel import clock
from membership.kernel.said import said
from membership.mail.queries import measure_backlog
from membership.web.schema import UnknownRevision, pending_migrations

# Mail that waits for a server comes round every few minutes; a quarter of an hour means that nobody delivers.
LONGEST_WAIT = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Check:
    """One answer of `/readyz`: what was looked at, whether it is well, and a sentence.

    What is not well but `is_for_people` keeps no machine out of service: readers read and vote all the same.
    """

    name: str
    is_ok: bool
    sentence: str
    is_for_people: bool = False


def check_all(real_now: datetime) -> list[Check]:
    """Every check in order of weight; the rest is left out where the database or its tables are missing."""
    checks: list[Check] = []
    for check in _each(real_now):
        checks.append(check)
        if not check.is_ok and check.name in {"database", "migrations"}:
            break
    return checks


def _each(real_now: datetime) -> Iterator[Check]:
    yield _database()
    yield _migrations()
    yield _inbox(real_now)
    yield _outbox(real_now)
    yield _inspected("books", inspections.BOOKS, inspections.WHOLE_BOOKS)
    yield _inspected("reconcile", inspections.RECONCILE)
    yield _audit()


def _database() -> Check:
    try:
        db.session.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        db.session.rollback()
        return Check(
            "database",
            is_ok=False,
            sentence=said("The database does not answer (%(error)s).", error=type(error).__name__),
        )
    return Check("database", is_ok=True, sentence=said("The database answers."))


def _migrations() -> Check:
    try:
        pending = pending_migrations()
    except UnknownRevision:
        return Check("migrations", is_ok=False, sentence=said("The database is newer than this program."))
    if pending:
        words = said("%(n)s migrations are pending, from %(first)s on.", n=len(pending), first=pending[0])
        return Check("migrations", is_ok=False, sentence=words)
    return Check("migrations", is_ok=True, sentence=said("The tables are up to date."))


def _inbox(real_now: datetime) -> Check:
    oldest = find_oldest_due()
    minutes = 0 if oldest is None else int((real_now - oldest).total_seconds() // 60)
    if timedelta(minutes=minutes) >= LONGEST_WAIT:
        words = said("The oldest notice of the payment company that is due has waited for %(n)s minutes.", n=minutes)
        return Check("inbox", is_ok=False, sentence=words)
    return Check("inbox", is_ok=True, sentence=said("Notices of the payment company are worked off."))


def _outbox(real_now: datetime) -> Check:
    minutes = int(measure_backlog(real_now).oldest_due.total_seconds() // 60)
    if timedelta(minutes=minutes) >= LONGEST_WAIT:
        words = said("The oldest mail that is due has waited for %(n)s minutes.", n=minutes)
        return Check("outbox", is_ok=False, sentence=words)
    return Check("outbox", is_ok=True, sentence=said("Mail leaves."))


def _audit() -> Check:
    """The end of the audit log: whoever notes it elsewhere can show later that nothing before it was changed."""
    if not audit.is_last_row_whole():
        words = said("The newest row of the audit log is not what was written.")
        return Check("audit", is_ok=False, sentence=words, is_for_people=True)
    words = said("The audit log ends at %(head)s.", head=str(audit.head()))
    return Check("audit", is_ok=True, sentence=words, is_for_people=True)


def _inspected(name: str, *kinds: str) -> Check:
    """By the clock of the business, which the nights follow; the first of `kinds` that is not well speaks."""
    health = [inspections.assess(kind, clock.now()) for kind in kinds]
    worst = next((each for each in health if not each.is_well), health[0])
    return Check(name, is_ok=worst.is_well, sentence=worst.words, is_for_people=True)
