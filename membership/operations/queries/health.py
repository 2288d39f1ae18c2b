"""What the page about the health of the installation shows. Our own tables only: nobody outside is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from membership.billing import inspections
from membership.billing.inspections import Inspected
from membership.billing.queries import find_last_received, find_oldest_due
from membership.db import db
from membership.operations.models import Examination
from membership.operations.queries import mails, notices
from membership.web.heartbeat import find_last_beat, is_alive

TOO_OLD = timedelta(minutes=20)
"""The worker examines every five minutes; what is older than this says nothing about now."""


@dataclass(frozen=True, slots=True)
class Health:
    """The installation at a moment of real time. `examination` is the last one (None: there was none yet).

    `stuck_notices` and `stuck_mails` count by state; `inspected` are the last inspections that ended, by kind.
    """

    at: datetime
    worker_seen_at: datetime | None
    is_worker_alive: bool
    examination: Examination | None
    stuck_notices: dict[str, int]
    stuck_mails: dict[str, int]
    oldest_due_at: datetime | None
    last_notice_at: datetime | None
    inspected: dict[str, Inspected | None]

    @property
    def is_current(self) -> bool:
        """Whether the examination says something about now."""
        return self.examination is not None and self.at - self.examination.examined_at <= TOO_OLD

    def found(self, weight: str) -> Sequence[dict[str, Any]]:
        """The findings of one weight, in the order in which they were made."""
        findings = self.examination.findings if self.examination else []
        return [finding for finding in findings if finding["weight"] == weight]


def find_last() -> Examination | None:
    """The last examination; None before the first one."""
    last = select(Examination).order_by(Examination.examined_at.desc(), Examination.id.desc()).limit(1)
    return db.session.scalar(last)


def health(real_now: datetime) -> Health:
    """How the installation is, as far as its own tables say."""
    return Health(
        at=real_now,
        worker_seen_at=find_last_beat("worker"),
        is_worker_alive=is_alive("worker", real_now),
        examination=find_last(),
        stuck_notices=notices.count_stuck(),
        stuck_mails=mails.count_stuck(),
        oldest_due_at=find_oldest_due(),
        last_notice_at=find_last_received(),
        inspected={kind: inspections.find_last(kind) for kind in inspections.NAMES},
    )
