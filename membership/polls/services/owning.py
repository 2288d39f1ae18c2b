"""Two people on a roll turn out to be one: never two ballots that count, never a look into one, never a lost vote.

What was frozen at the opening stays as it is while the poll is open, since its chain vouches for it: rows keep their
person, and the one that must not vote any more is closed. Rows of polls that are over go to whose they are now.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select, update

from membership.accounts.models import Person
from membership.db import db, transaction
from membership.kernel.errors import Conflict
from membership.polls.models import Poll, RollEntry


@dataclass(frozen=True, slots=True)
class _Side:
    """What one person is on one roll: their own row, and whether a ballot of theirs counts, be it of themselves or of
    anybody that they turned out to be before (whose rows stay where they were).
    """

    row: RollEntry | None
    has_voted: bool


def merge(from_id: int, into_id: int, at: datetime) -> None:
    """Settle every roll that the first of two people is on. Called while both people are locked.

    Conflict `merge_both_voted` where both have voted in an open poll; `merge_loses_vote` where only the first is on
    the roll of an open poll and no vote was cast yet: merged the other way round, or after the close, nothing is lost.
    """
    del at
    with transaction("polls.merge_people"):
        theirs = select(Poll.id, Poll.state, Poll.title).join(RollEntry, RollEntry.poll_id == Poll.id)
        for poll_id, state, title in db.session.execute(theirs.where(_is(from_id)).distinct()).all():
            one, other = _side(poll_id, from_id), _side(poll_id, into_id)
            if state == "open":
                _settle_open(one, other, title)
            elif one.row is not None and other.row is None:
                _move(one.row, into_id)


def _settle_open(one: _Side, other: _Side, title: str) -> None:
    if one.has_voted and other.has_voted:
        raise Conflict("merge_both_voted", f"Both have voted in the poll “{title}”, which is still open.")
    if other.row is None:
        if not (one.has_voted or other.has_voted):
            raise Conflict("merge_loses_vote", f"Only one of the two is on the roll of the open poll “{title}”.")
        return
    other.row.is_closed = other.row.is_closed or one.has_voted
    if one.row is not None:
        other.row.wants_news = other.row.wants_news and one.row.wants_news


def _side(poll_id: int, person_id: int) -> _Side:
    rows = db.session.scalars(
        select(RollEntry).where(RollEntry.poll_id == poll_id, _is(person_id)),
        execution_options={"populate_existing": True},
    ).all()
    own = next((row for row in rows if row.person_id == person_id), None)
    # Closed: a ballot of theirs counts that somebody cast whom they turned out to be before.
    return _Side(own, any(row.has_voted or row.is_closed for row in rows))


def _is(person_id: int) -> ColumnElement[bool]:
    """Rows of this person and of those who were merged into them."""
    shells = select(Person.id).where(Person.merged_into_id == person_id)
    return or_(RollEntry.person_id == person_id, RollEntry.person_id.in_(shells))


def _move(row: RollEntry, into_id: int) -> None:
    mine = (RollEntry.poll_id == row.poll_id) & (RollEntry.person_id == row.person_id)
    db.session.execute(
        update(RollEntry).where(mine).values(person_id=into_id), {}, execution_options={"synchronize_session": False}
    )
