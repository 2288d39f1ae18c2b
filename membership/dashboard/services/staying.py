"""Whether voters stay: counted once for each poll, when the days after its close are over, and kept as it was then."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from membership.accounts.models import Person
from membership.dashboard.models import FrozenStay
from membership.dashboard.rules.days import STAYS_AFTER
from membership.db import db, transaction
from membership.patrons.models import CoverageSpan, Grace
from membership.polls.models import Poll, RollEntry
from membership.polls.rules import FEW

AT_A_TIME = 20


def freeze(now: datetime) -> int:
    """Count every closed poll whose days are over and that was not counted yet, 20 at most; how many.

    People are patrons or not at the very end of those days, as far as that is known when it is counted: by coverage,
    or by days that they keep while a payment is tried again. Two people who turned out to be one are one.
    """
    due = (
        select(Poll.id)
        .outerjoin(FrozenStay, FrozenStay.poll_id == Poll.id)
        .where(Poll.state == "closed", Poll.closed_at <= now - STAYS_AFTER, FrozenStay.poll_id.is_(None))
        .order_by(Poll.closed_at)
        .limit(AT_A_TIME)
    )
    return sum(_freeze(poll_id, now) for poll_id in list(db.session.scalars(due)))


def _freeze(poll_id: int, now: datetime) -> bool:
    with transaction("dashboard.freeze_stay"):
        poll = db.session.scalars(select(Poll).where(Poll.id == poll_id).with_for_update()).one()
        if poll.closed_at is None or db.session.get(FrozenStay, poll_id) is not None:
            return False  # somebody else was quicker
        at = poll.closed_at + STAYS_AFTER
        counted = {has_voted: (n, stayed) for has_voted, n, stayed in _groups(poll_id, at) if n >= FEW}
        (n_voters, voters_stayed), (n_others, others_stayed) = (counted.get(key, (None, None)) for key in (1, 0))
        row = FrozenStay(
            poll_id=poll_id, stood_at=at, counted_at=now, n_voters=n_voters, n_voters_stayed=voters_stayed,
            n_others=n_others, n_others_stayed=others_stayed,
        )  # fmt: skip
        db.session.add(row)
    return True


def _groups(poll_id: int, at: datetime) -> list[tuple[int, int, int]]:
    """Whether they voted (1) or not (0), how many people those are, and how many of them are patrons at `at`."""
    whose = func.coalesce(Person.merged_into_id, Person.id)
    # Closed: a ballot of theirs counted that was cast under another address.
    voted = case((or_(RollEntry.has_voted, RollEntry.is_closed), 1), else_=0)
    on_roll = select(whose.label("person_id"), func.max(voted).label("voted")).join_from(
        RollEntry, Person, Person.id == RollEntry.person_id
    )
    people = on_roll.where(RollEntry.poll_id == poll_id).group_by(whose).subquery()
    stays = case((_is_patron(people.c.person_id, at), 1), else_=0)
    each = select(people.c.voted, stays.label("stays")).subquery()
    rows = db.session.execute(select(each.c.voted, func.count(), func.sum(each.c.stays)).group_by(each.c.voted))
    return [(int(has_voted), n, int(stayed)) for has_voted, n, stayed in rows]


def _is_patron(person_id: ColumnElement[int], at: datetime) -> ColumnElement[bool]:
    covers = and_(CoverageSpan.person_id == person_id, CoverageSpan.starts_at <= at, CoverageSpan.ends_at > at)
    is_open = or_(Grace.closed_at.is_(None), Grace.closed_at > at)
    keeps = and_(Grace.person_id == person_id, Grace.opened_at <= at, Grace.until > at, is_open)
    return or_(select(CoverageSpan.id).where(covers).exists(), select(Grace.id).where(keeps).exists())
