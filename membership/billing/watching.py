"""Going through the books by the clock: what was booked lately every ten minutes, everything once a night, and the
provider's things once a night. Each leaves a row (`inspections`) and an alert in the log for whatever does not hold.
"""

from collections.abc import Sequence
from datetime import datetime, time, timedelta

import structlog

from membership.billing import books, inspections, reconcile, rules
from membership.db import transaction
from membership.newsroom.queries import zone

log = structlog.get_logger(__name__)

# Bookings that were under way when the last look ended are seen by the next one.
OVERLAP = timedelta(hours=1)
MOST_TOLD = 20


def check_lately(now: datetime) -> None:
    """Look at what was booked since a look found nothing wrong; so what is wrong is told until it is mended."""
    checked_at = inspections.find_bookmark(inspections.BOOKS)
    since = None if checked_at is None else checked_at - OVERLAP
    row_id = inspections.begin(inspections.BOOKS, now, since)
    report = books.prove(books.Scope(since))
    inspections.finish(row_id, now, report.counts, report.findings)
    _tell(report.findings)
    if not report.findings:
        inspections.move_bookmark(inspections.BOOKS, now)


def check_whole(now: datetime) -> None:
    """Once a night: everything in our books, and against the provider's what moved lately."""
    if not _is_due(inspections.WHOLE_BOOKS, rules.CHECK_AT, now):
        return
    report = examine_whole(now, now - reconcile.REACH)
    _tell(report.findings)
    if not any(finding.code == books.PROVIDER_SILENT for finding in report.findings):
        inspections.move_bookmark(_night(inspections.WHOLE_BOOKS), now)  # else once more in ten minutes


def examine_whole(now: datetime, since: datetime | None) -> books.Report:
    """Prove all of our books now, and hold payments since `since` (None: all) against the provider's; leaves a row."""
    row_id = inspections.begin(inspections.WHOLE_BOOKS, now, since)
    report = books.examine(now, since)
    inspections.finish(row_id, now, report.counts, report.findings)
    return report


def reconcile_nightly(now: datetime) -> None:
    """Once a night, and until it is through: what was killed, or what the provider broke off, is taken up again."""
    row_id = inspections.take_unfinished(inspections.RECONCILE)
    if row_id is None and _is_due(inspections.RECONCILE, rules.RECONCILE_AT, now):
        row_id = _begin_once(now)
    if row_id is not None:
        reconcile.go_on(row_id)


def _begin_once(now: datetime) -> int | None:
    """Begin tonight's; None where another worker has."""
    tonight = rules.last_night(now, rules.RECONCILE_AT, zone())
    with transaction("billing.reconcile_begin"):
        is_first = inspections.pass_bookmark(_night(inspections.RECONCILE), tonight, now)
        return reconcile.begin(now, now - reconcile.REACH) if is_first else None


def _night(kind: str) -> str:
    return f"night {kind}"


def _is_due(kind: str, at: time, now: datetime) -> bool:
    """Whether tonight's is still to be done; a new installation has nothing to look at in its first night."""
    last = inspections.find_bookmark(_night(kind))
    if last is None:
        inspections.move_bookmark(_night(kind), now)
    return last is not None and last < rules.last_night(now, at, zone())


def _tell(findings: Sequence[books.Finding]) -> None:
    for finding in findings[:MOST_TOLD]:
        log.error("alert_books", code=finding.code, words=finding.message)
