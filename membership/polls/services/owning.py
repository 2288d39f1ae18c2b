"""Two people on a roll turn out to be one: never two ballots that count, never a look into one, never a lost vote.

What was frozen at the opening stays as it is while the poll is open, since its chain vouches for it: rows keep their
person, and the one that must not vote any more is closed. Rows of polls that are over go to whose they are now.
"""

from datetime import datetime

from sqlalchemy import select, update

from membership.db import db, transaction
from membership.kernel.errors import Conflict
from membership.polls.models import Poll, RollEntry


def merge(from_id: int, into_id: int, at: datetime) -> None:
    """Settle every roll that the first of two people is on. Called while both people are locked.

    Conflict `merge_both_voted` where both have voted in an open poll; `merge_loses_vote` where only the first is on
    the roll of an open poll and has not voted yet: merged the other way round, or after the close, nothing is lost.
    """
    del at
    with transaction("polls.merge_people"):
        theirs = select(RollEntry, Poll.state, Poll.title).join(Poll, Poll.id == RollEntry.poll_id)
        for row, state, title in db.session.execute(theirs.where(RollEntry.person_id == from_id)).all():
            other = db.session.get(RollEntry, (row.poll_id, into_id), populate_existing=True)
            if state == "open":
                _settle_open(row, other, title)
            elif other is None:
                _move(row, into_id)


def _settle_open(row: RollEntry, other: RollEntry | None, title: str) -> None:
    if other is None:
        if not _has_voted(row):
            raise Conflict("merge_loses_vote", f"Only one of the two is on the roll of the open poll “{title}”.")
        return
    if _has_voted(row) and _has_voted(other):
        raise Conflict("merge_both_voted", f"Both have voted in the poll “{title}”, which is still open.")
    other.is_closed = other.is_closed or _has_voted(row)
    other.wants_news = other.wants_news and row.wants_news


def _has_voted(row: RollEntry) -> bool:
    """Whether a ballot of theirs counts, cast by themselves or by somebody that they turned out to be before."""
    return row.has_voted or row.is_closed


def _move(row: RollEntry, into_id: int) -> None:
    mine = (RollEntry.poll_id == row.poll_id) & (RollEntry.person_id == row.person_id)
    db.session.execute(
        update(RollEntry).where(mine).values(person_id=into_id), {}, execution_options={"synchronize_session": False}
    )
