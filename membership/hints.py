"""The hint queue: a word to the worker that a row may be ready.

It is huey, on a file beside the database or on Redis. The rows are the truth and the sweepers find them without
any hint; a lost one costs a minute, never money (ADR 0005). So a hint is cheap, carries a job's name and row
ids only, and is written as JSON: nothing in the queue can make the worker run anything but a job by its name.
"""

import json
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from huey import Huey, RedisHuey
from huey.registry import Message
from huey.serializer import Serializer
from huey.storage import SqliteStorage

from membership.config import Settings

NAME = "membership"


class _Json(Serializer):  # type: ignore[misc]
    """huey pickles by default; a pickle out of a shared Redis would be code."""

    def _serialize(self, data: Any) -> bytes:
        return json.dumps(data).encode()

    def _deserialize(self, data: bytes) -> Message:
        fields = json.loads(data)
        return Message(*fields)


class _Storage(SqliteStorage):  # type: ignore[misc]
    """huey's SQLite file, safe from corruption but not flushed for every hint."""

    def _create_connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection = super()._create_connection()
        connection.execute("PRAGMA synchronous=NORMAL")
        return connection


def queue_path(settings: Settings) -> Path:
    """The queue's file: as set, or beside the SQLite database, or `var/queue.db`."""
    if settings.queue_path:
        return Path(settings.queue_path)
    if settings.database_url.startswith("sqlite:///"):
        database = Path(settings.database_url.removeprefix("sqlite:///"))
        return database.with_name(f"{database.stem}-queue.db")
    return Path("var/queue.db")


def open_queue(settings: Settings, run: Callable[..., object] | None = None) -> tuple[Huey, Callable[..., Any]]:
    """The queue of this installation (Redis where REDIS_URL is set, else a file), and its sender.

    The sender takes a job's name and its arguments and enqueues them. `run` takes the same; it is what a worker
    does with each. Without `run` this process only sends.
    """
    if settings.redis_url:
        queue = RedisHuey(NAME, url=settings.redis_url, results=False, serializer=_Json())
    else:
        path = queue_path(settings)
        path.parent.mkdir(parents=True, exist_ok=True)
        queue = Huey(NAME, storage_class=_Storage, filename=str(path), timeout=1, results=False, serializer=_Json())

    def task(job: str, *args: int | str) -> None:
        if run is None:
            raise RuntimeError(f"{job}{args} was taken out of the queue by a process that only sends.")
        run(job, *args)

    # huey's name for the task is this module's and this one; sender and worker agree because both come here.
    send: Callable[..., Any] = queue.task(name="run")(task)
    return queue, send


class Sender:
    """Enqueues hints (`db.hint`). It opens the queue with the first one; `close()` closes it, until the next."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._opened: tuple[Huey, Callable[..., Any]] | None = None

    def __call__(self, job: str, *args: int | str) -> None:
        """Ask the worker for `job`; raises what the queue raises where it is down."""
        with self._lock:
            opened = self._opened = self._opened or open_queue(self._settings)
        opened[1](job, *args)

    def close(self) -> None:
        """Let go of the queue's file or connection."""
        with self._lock:
            if self._opened is not None:
                self._opened[0].storage.close()
            self._opened = None


def install(app: Flask, settings: Settings) -> None:
    """Give the app its sender of hints."""
    app.extensions["membership.hints"] = Sender(settings)
