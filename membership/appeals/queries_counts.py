"""Reads of what was counted."""

from collections.abc import Collection, Mapping

from sqlalchemy import func, select

from membership.appeals.counts import AppealCount
from membership.appeals.models import Appeal
from membership.appeals.rules import State
from membership.db import db


def known_of(appeals: Collection[str]) -> frozenset[str]:
    """Which of these names are appeals of ours that were ever started: only those are counted."""
    found = select(Appeal.public_id).where(Appeal.public_id.in_(appeals), Appeal.state != State.DRAFT)
    return frozenset(db.session.scalars(found))


def totals_of(appeal: str) -> Mapping[tuple[str, str], int]:
    """How often each event happened, by variant and event ("a", "view"); what never happened is not in it."""
    rows = db.session.execute(
        select(AppealCount.variant, AppealCount.event, func.sum(AppealCount.n))
        .where(AppealCount.appeal == appeal)
        .group_by(AppealCount.variant, AppealCount.event)
    )
    return {(variant, event): int(n) for variant, event, n in rows}
