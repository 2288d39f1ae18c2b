"""Whose contributions they are, when that changes: the days of which they are counted are summed anew."""

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import select

from membership.billing.models import Payment
from membership.contributions.models import Contribution
from membership.dashboard.queries.sums import find_rolled_to
from membership.dashboard.services.noticing import locked_state, mark_stale
from membership.dashboard.sources import FIRST_GIFTS, PAID_STARTS, STARTS
from membership.dashboard.sources.starts import IS_FIRST
from membership.db import db, transaction
from membership.newsroom.queries import day_of


def merge(from_id: int, into_id: int, at: datetime) -> None:
    """Two people are one: of two first gifts one is left. Called once everything is `into_id`'s."""
    del from_id
    _count_anew(into_id, at)


def erase(person_id: int, at: datetime) -> None:
    """Somebody is forgotten, and with them where they came from: it may be words that they typed into an address.
    Called once it is emptied; the sums of those days follow within a minute, the names in them among that.
    """
    _count_anew(person_id, at)


def _count_anew(person_id: int, at: datetime) -> None:
    with transaction("dashboard.count_anew"):
        if find_rolled_to() is None:
            return
        # Whoever sums now has read the rows as they were: wait, so that they do not take our mark for theirs.
        locked_state(at)
        mine = Contribution.person_id == person_id
        begun = _days(db.session.scalars(select(Contribution.created_at).where(mine)))
        paid = _days(db.session.scalars(select(Payment.paid_at).where(mine, IS_FIRST)))
        for source, days in ((STARTS, begun), (PAID_STARTS, begun), (FIRST_GIFTS, paid)):
            mark_stale(source, days)


def _days(moments: Iterable[datetime]) -> set[date]:
    return {day_of(moment) for moment in moments}
