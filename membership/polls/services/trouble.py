"""When a poll cannot go on: why, written down for everybody to read, until staff cancel it."""

from enum import StrEnum

import structlog
from sqlalchemy import update

from membership.db import db, transaction
from membership.polls.models import Poll

log = structlog.get_logger(__name__)


class Trouble(StrEnum):
    """What is wrong."""

    # The file with the key is gone: no ballot can be opened any more.
    KEY_MISSING = "key_missing"
    # The database is older than it was: a backup was put back while the poll was open.
    ROLLED_BACK = "rolled_back"
    # The chain of heads is not what its entries make of it, or is not the list of commitments.
    CHAIN_BROKEN = "chain_broken"
    # A sealed ballot cannot be opened: it was not made by us for this voter, or was changed.
    SEAL_BROKEN = "seal_broken"
    # Ballots and commitments are not the same set: something was taken away, put in or put back.
    BALLOTS_DIFFER = "ballots_differ"
    # The roll is not what was frozen.
    ROLL_CHANGED = "roll_changed"
    # What was frozen at the opening is not what the first link says.
    POLL_CHANGED = "poll_changed"


# What cannot be mended: the poll is cancelled at once.
HOPELESS = frozenset({Trouble.KEY_MISSING, Trouble.ROLLED_BACK})


class TroubleFound(Exception):  # noqa: N818 - reads as a sentence
    """The poll cannot go on; `trouble` says why."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble


def report(poll_id: int, trouble: Trouble) -> None:
    """Write it down on the poll, for the public page, the staff's board and the doctor."""
    with transaction("polls.trouble"):
        db.session.execute(update(Poll).where(Poll.id == poll_id, Poll.state == "open").values(trouble=trouble.value))
    log.error("poll_in_trouble", poll_id=poll_id, trouble=trouble.value)


def forget(poll_id: int, trouble: Trouble) -> None:
    """It is mended: the poll goes on."""
    with transaction("polls.trouble"):
        mine = update(Poll).where(Poll.id == poll_id, Poll.state == "open", Poll.trouble == trouble.value)
        db.session.execute(mine.values(trouble=None))
