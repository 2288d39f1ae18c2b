"""Reads of what was counted."""

from collections.abc import Collection, Mapping

from sqlalchemy import func, select

from membership.appeals.counts import AppealCount
from membership.db import db


def known_of(appeals: Collection[str]) -> frozenset[str]:
    """Which of these names are appeals of ours: only those are counted."""
    # Until appeals have a table here, every name that looks like one is taken for one.
    return frozenset(appeals)


def has_counts(appeal: str) -> bool:
    """Whether anything was ever counted for an appeal."""
    found = select(AppealCount.id).where(AppealCount.appeal == appeal).limit(1)
    return db.session.scalar(found) is not None


def totals_of(appeal: str) -> Mapping[tuple[str, str], int]:
    """How often each event happened, by variant and event ("a", "view"); what never happened is not in it."""
    rows = db.session.execute(
        select(AppealCount.variant, AppealCount.event, func.sum(AppealCount.n))
        .where(AppealCount.appeal == appeal)
        .group_by(AppealCount.variant, AppealCount.event)
    )
    return {(variant, event): int(n) for variant, event, n in rows}
