"""What the clock does with polls. Every job finds its work in the database and may be killed anywhere."""

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.exc import DBAPIError

from membership.db import db, transaction
from membership.mail import services as mail
from membership.polls import keys, services
from membership.polls.models import Poll
from membership.polls.rules import is_reminder_due
from membership.polls.services.cancelling import REASONS
from membership.polls.services.linking import AT_A_TIME
from membership.polls.services.trouble import HOPELESS, Trouble, TroubleFound, forget, report
from membership.polls.services.wiping import OVER

log = structlog.get_logger(__name__)


def open_due(now: datetime) -> None:
    """Look after open polls: one whose key is gone is cancelled at once, so that nobody votes in vain. Where the whole
    folder of keys is away, that is said, and taken back when it is there again.

    There is nothing to open: staff open polls, and `opens_at` decides from when on ballots are taken.
    """
    del now
    for poll in _list(Poll.state == "open"):
        _watched(poll.id, _look_for_key)


def link(now: datetime) -> None:
    """Put what was saved into the chains of open polls."""
    del now
    for poll in _list(Poll.state == "open"):
        _watched(poll.id, _link_all)


def close_due(now: datetime) -> None:
    """Close every poll whose time is over."""
    for poll in _list((Poll.state == "open") & (Poll.closes_at <= now)):
        _watched(poll.id, lambda poll_id: services.close(poll_id, now))
        _watched(poll.id, lambda poll_id: services.wipe(poll_id, now))


def wipe(now: datetime) -> None:
    """Finish what a close or a cancellation left, and destroy keys that belong to no open poll."""
    for poll in _list(Poll.state.in_(OVER) & Poll.opened_at.is_not(None) & Poll.wiped_at.is_(None)):
        _watched(poll.id, lambda poll_id: services.wipe(poll_id, now))
    services.sweep_keys()


def remind(now: datetime) -> None:
    """Tell those who have not voted that a poll closes soon, once."""
    for poll in _list(Poll.state == "open"):
        if is_reminder_due(poll.opens_at, poll.closes_at, now):
            with transaction("polls.remind"):
                name = f"poll-closing:{poll.id}"
                mail.broadcast("polls.not_voted", "polls/closing", {"poll_id": poll.id}, once_key=name)


def _look_for_key(poll_id: int) -> None:
    poll = db.session.get_one(Poll, poll_id)
    if keys.find(poll.public_id) is None:
        raise TroubleFound(Trouble.KEY_MISSING)
    if poll.trouble == Trouble.KEY_MISSING:
        forget(poll_id, Trouble.KEY_MISSING)


def _link_all(poll_id: int) -> None:
    while services.link(poll_id) == AT_A_TIME:
        pass


def _watched(poll_id: int, step: Callable[[int], object]) -> None:
    """Do a step; what is wrong with a poll is written down and holds up no other poll."""
    try:
        step(poll_id)
    except TroubleFound as found:
        if found.trouble in HOPELESS and not _may_come_back(poll_id, found.trouble):
            _give_up(poll_id, found.trouble)
        else:
            report(poll_id, found.trouble)
    except OSError:  # one poll's file must not hold up the others
        db.session.rollback()
        log.exception("poll_files_unreadable", poll_id=poll_id)
    except DBAPIError:  # nor may a statement that failed: the next round tries again
        db.session.rollback()
        log.exception("poll_statement_failed", poll_id=poll_id)


def _may_come_back(poll_id: int, trouble: Trouble) -> bool:
    """A folder of keys that is not mounted loses no key."""
    poll = db.session.get_one(Poll, poll_id)
    return trouble is Trouble.KEY_MISSING and not keys.is_lost(poll.public_id)


def _give_up(poll_id: int, trouble: Trouble) -> None:
    report(poll_id, trouble)
    services.cancel(poll_id, REASONS[trouble], None)


def _list(which: ColumnElement[bool]) -> Sequence[Row[int, str, datetime, datetime]]:
    columns = (Poll.id, Poll.public_id, Poll.opens_at, Poll.closes_at)
    return db.session.execute(select(*columns).where(which).order_by(Poll.id)).all()
