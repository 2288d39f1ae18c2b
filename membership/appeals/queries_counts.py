"""Reads of what was counted."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select

from membership.appeals.counts import AppealCount
from membership.appeals.models import Appeal, AppealVariant
from membership.appeals.rules import State
from membership.appeals.rules.batches import HOLDOUT
from membership.db import db

# A page that stays open overnight tells in the morning what it saw.
LATE = timedelta(days=2)


def variants_told(now: datetime) -> Mapping[str, frozenset[str]]:
    """What browsers can have seen lately, by appeal: the variants of those that run or ran until a day or two ago, and
    HOLDOUT where readers are held out. What is told of anything else was made up, and is not counted.
    """
    late = now - LATE
    rows = db.session.execute(
        select(Appeal.public_id, Appeal.holdout_percent, AppealVariant.key)
        .join_from(Appeal, AppealVariant)
        .where(
            Appeal.starts_at <= now,
            or_(Appeal.state == State.RUNNING, and_(Appeal.state == State.STOPPED, Appeal.state_at > late)),
            or_(Appeal.ends_at.is_(None), Appeal.ends_at > late),
        )
    )
    found: dict[str, set[str]] = defaultdict(set)
    for public_id, holdout_percent, key in rows:
        found[public_id] |= {key, HOLDOUT} if holdout_percent else {key}
    return {public_id: frozenset(keys) for public_id, keys in found.items()}


def totals_of(appeal: str) -> Mapping[tuple[str, str], int]:
    """How often each event happened, by variant and event ("a", "view"); what never happened is not in it."""
    rows = db.session.execute(
        select(AppealCount.variant, AppealCount.event, func.sum(AppealCount.n))
        .where(AppealCount.appeal == appeal)
        .group_by(AppealCount.variant, AppealCount.event)
    )
    return {(variant, event): int(n) for variant, event, n in rows}
