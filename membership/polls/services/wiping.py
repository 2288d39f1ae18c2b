"""After a close: nothing stays behind in files that could join a voter and a choice (decision 18).

What stays in logs and backups is sealed under a key that no longer exists. This is the second lock, not the first.
"""

from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from membership.db import db, in_transaction, is_sqlite, transaction
from membership.kernel import clock, faults
from membership.polls import keys
from membership.polls.models import Poll

log = structlog.get_logger(__name__)

OVER = ("closed", "cancelled")
# A file whose poll is not in this database may be of a database that shares the folder by mistake: not at once.
LEAVE_STRANGERS = timedelta(days=1)


def wipe(poll_id: int, now: datetime) -> bool:
    """Destroy the key of a poll that is over, and rewrite what was deleted; False where it must be tried again.

    It waits for nobody: while somebody reads, SQLite keeps its log and PostgreSQL its old rows.
    """
    poll = db.session.get_one(Poll, poll_id, populate_existing=True)
    if poll.state not in OVER or poll.wiped_at is not None:
        return True
    keys.destroy(poll.public_id)
    db.session.rollback()
    is_clean = _empty_the_log() if is_sqlite() else _rewrite_tables()
    faults.point("polls.files:wiped")
    if is_clean:
        with transaction("polls.wipe"):
            db.session.execute(update(Poll).where(Poll.id == poll_id).values(wiped_at=now))
    return is_clean


def sweep_keys() -> None:
    """Destroy keys of polls that are not open: an opening or a close that died left them."""
    for name in keys.list_polls():
        with transaction("polls.sweep_keys"):
            # Under the poll's lock, so that an opening that is being written is waited for.
            state = db.session.scalar(select(Poll.state).where(Poll.public_id == name).with_for_update())
            if state is not None and state != "open":
                keys.destroy(name)
        if state is None and _is_old(keys.folder() / f"{name}{keys.KEY}"):
            keys.destroy(name)


def _is_old(path: Path) -> bool:
    try:
        changed_at = path.stat().st_mtime
    except FileNotFoundError:
        return True
    return clock.real_now().timestamp() - changed_at > LEAVE_STRANGERS.total_seconds()


def _empty_the_log() -> bool:
    """SQLite: deleted cells are zeros already (secure_delete); bring that into the file and empty the log."""
    connection = db.engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        row = cursor.fetchone()
        cursor.close()
    finally:
        connection.close()
    return row is not None and row[0] == 0  # not "busy"


def _rewrite_tables() -> bool:
    """PostgreSQL: write the tables anew without their dead rows, the roll in order of people instead of arrival."""
    if in_transaction():
        raise RuntimeError("Tables are rewritten outside transactions.")
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET lock_timeout = '3s'"))
        connection.execute(text("SET statement_timeout = 0"))
        try:
            connection.execute(text("VACUUM (FULL) sealed_ballots"))
            connection.execute(text("CLUSTER roll_entries USING pk_roll_entries"))
        except DBAPIError as error:
            log.warning("poll_wipe_waits", error=type(error.orig).__name__)
            return False
        finally:
            connection.execute(text("RESET lock_timeout"))
            connection.execute(text("RESET statement_timeout"))
    return True
