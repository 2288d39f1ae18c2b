"""The worker examines the installation and keeps what it found, so that no page has to ask anybody outside."""

import time
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete

from membership.config import Settings
from membership.db import db, transaction
from membership.kernel.said import packed
from membership.operations.examining import outside
from membership.operations.examining import settings as settings_alone
from membership.operations.examining.finding import Finding
from membership.operations.models import Examination
from membership.operations.queries.health import find_last

KEEP = timedelta(days=1)


def examine(known: Settings, real_now: datetime) -> None:
    """Examine everything that `membership doctor` does, and keep the findings with since when each has been so.

    Outside companies are asked here, so never inside a request or a transaction.
    """
    began = time.monotonic()
    found = [*settings_alone.judge(known), *outside.examine(known)]
    took_ms = round((time.monotonic() - began) * 1000)
    last = find_last()
    since = {_sameness(each): str(each["since"]) for each in last.findings} if last else {}
    findings = [_kept(finding, since, real_now) for finding in found]
    with transaction("operations.examine"):
        db.session.add(Examination(examined_at=real_now, took_ms=took_ms, findings=findings))
        old = delete(Examination).where(Examination.examined_at < real_now - KEEP)
        db.session.execute(old, execution_options={"synchronize_session": False})


def _kept(finding: Finding, since: dict[tuple[str, str], str], real_now: datetime) -> dict[str, Any]:
    kept = {"code": finding.code, "weight": finding.weight.value, "what": packed(finding.what)}
    kept |= {"why": packed(finding.why), "mend": packed(finding.mend)}
    return kept | {"since": since.get(_sameness(kept), real_now.isoformat())}


def _sameness(finding: dict[str, Any]) -> tuple[str, str]:
    """What makes two findings the same: what it is about and its weight, whatever its numbers say today."""
    return finding["code"], finding["weight"]
