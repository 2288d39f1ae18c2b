"""Signs of life: what runs in the background says so once a minute, so that its silence can be noticed."""

from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import String, func, select
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from membership.db import Model, db, is_sqlite, transaction
from membership.kernel import clock

BEAT_SECONDS = 60
# Three beats missed: it is gone, not slow.
LONGEST_SILENCE = timedelta(minutes=3)


_written_at: dict[str, datetime] = {}


class Heartbeat(Model):
    """One row is one thing that shows life ("worker") or trouble ("webhook_wrong_signature"), and when it last did.

    Each beat overwrites it.
    """

    __tablename__ = "heartbeats"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    # Real time.
    beat_at: Mapped[datetime]


def beat(name: str, real_now: datetime) -> None:
    """Say that `name` is alive at `real_now`."""
    insert = insert_on_sqlite if is_sqlite() else insert_on_postgresql
    statement = insert(Heartbeat).values(name=name, beat_at=real_now)
    with transaction("heartbeat.beat"):
        db.session.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"beat_at": real_now}))


def beat_seldom(name: str, real_now: datetime) -> None:
    """As `beat`, for what may come a thousand times a second: once a minute and process, and never an error."""
    last = _written_at.get(name)
    if last is not None and abs(real_now - last) < timedelta(seconds=BEAT_SECONDS):
        return
    _written_at[name] = real_now
    with suppress(SQLAlchemyError):
        beat(name, real_now)


def beat_worker(now: datetime) -> None:
    """Job: the worker is alive. By real time, whatever the clock of the business shows."""
    del now
    beat("worker", clock.real_now())


def find_last_beat(name: str) -> datetime | None:
    """When `name` last said that it is alive (real time); None if it never did."""
    return db.session.scalar(select(func.max(Heartbeat.beat_at)).where(Heartbeat.name == name))


def is_alive(name: str, real_now: datetime) -> bool:
    """Whether `name` said so within the last three minutes."""
    last = find_last_beat(name)
    return last is not None and real_now - last <= LONGEST_SILENCE
