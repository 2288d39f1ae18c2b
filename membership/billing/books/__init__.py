"""Do the books hold? The invariants I1 to I6 and I11, each as a question to the database, and the provider's own books.

Run by `membership check-books`, by tests after every story, and by a timer in production. It only reads. What rooms
above know of (coverage, mails, gifts) they ask about themselves: `CHECKS` in wiring.py.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from flask import current_app
from sqlalchemy import func, select

from membership.billing import queries
from membership.billing.books import journal, provider, receipts
from membership.billing.books.findings import PROVIDER_SILENT, WHOLE, Finding, Report, Scope
from membership.billing.models import InboxEvent, JournalEntry, JournalTransaction, Payment
from membership.billing.rules import STUCK_AFTER
from membership.db import db, is_sqlite
from membership.kernel import clock

Question = Callable[[Scope], Iterator[Finding]]


def check(now: datetime) -> list[Finding]:
    """Everything that does not hold; empty when the books are right."""
    return examine(now).findings


def examine(now: datetime, since: datetime | None = None) -> Report:
    """Ask every question about everything, and hold our payments against the provider's books where it can list them:
    those since `since`, or all.
    """
    del now
    report = prove(WHOLE)
    provider.compare(report, since)
    return report


def prove(scope: Scope) -> Report:
    """Ask every question about `scope`, reaching nobody."""
    report = Report(counts=_counts() if scope.since is None else {})
    wired: tuple[Question, ...] = current_app.extensions["membership.checks"]
    _begin_reading()
    for question in (*journal.QUESTIONS, *receipts.QUESTIONS, _stuck_notices, *wired):
        report.findings += question(scope)
    db.session.rollback()
    return report


def _begin_reading() -> None:
    """All questions see the books of one moment, so that nothing that is booked meanwhile looks like a fault."""
    db.session.rollback()
    if not is_sqlite():  # where reading is of one moment anyhow
        db.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def _counts() -> dict[str, int]:
    counts = {
        "movements in the journal": db.session.scalar(select(func.count()).select_from(JournalTransaction)) or 0,
        "entries": db.session.scalar(select(func.count()).select_from(JournalEntry)) or 0,
        "payments with a receipt": db.session.scalar(select(func.count()).select_from(Payment)) or 0,
    }
    return counts | {f"notices {state}": n for state, n in sorted(queries.count_inbox().items())}


# I4: every notice is worked off, waiting with a turn, or set aside


def _stuck_notices(_scope: Scope) -> Iterator[Finding]:
    late = clock.real_now() - STUCK_AFTER
    n_stuck = db.session.scalar(select(func.count()).where(InboxEvent.next_try_at < late))
    if n_stuck:
        yield Finding("notices_stuck", f"{n_stuck} notices should have been read half an hour ago. Is the worker on?")


__all__ = ["PROVIDER_SILENT", "WHOLE", "Finding", "Report", "Scope", "check", "examine", "prove"]
