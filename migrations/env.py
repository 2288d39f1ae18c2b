"""Runs the migrations on the app's own engine, so that both databases get the options that the app gives them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import Connection

from membership.db import UTCDateTime, db


def render_item(kind: str, item: Any, autogen_context: Any) -> str | bool:
    """How autogenerate writes our own types: `UTCDateTime()` with its import, everything else as ever."""
    if kind == "type" and isinstance(item, UTCDateTime):
        autogen_context.imports.add("from membership.db import UTCDateTime")
        return "UTCDateTime()"
    return False


def leave_out_empty(_context: Any, _revision: Any, directives: list[Any]) -> None:
    """Write no revision where the models and the database agree."""
    if getattr(context.config.cmd_opts, "autogenerate", False) and directives[0].upgrade_ops.is_empty():
        directives[:] = []


OPTIONS: dict[str, Any] = {
    "target_metadata": db.metadata,
    # SQLite cannot alter a table: alembic copies it. The naming convention of the models names what it copies.
    "render_as_batch": True,
    "compare_type": True,
    "compare_server_default": True,
    # alembic supposes that SQLite commits each table at once; ours begins its transactions itself (db.py).
    "transactional_ddl": True,
    "render_item": render_item,
    "process_revision_directives": leave_out_empty,
}


def run() -> None:
    """All pending revisions in one transaction: both databases can undo CREATE and ALTER."""
    if context.is_offline_mode():
        context.configure(url=str(db.engine.url), literal_binds=True, **OPTIONS)
        with context.begin_transaction():
            context.run_migrations()
        return
    with db.engine.connect() as connection, foreign_keys_off(connection):
        context.configure(connection=connection, **OPTIONS)
        with context.begin_transaction():
            context.run_migrations()
            refuse_dangling_rows(connection)


@contextmanager
def foreign_keys_off(connection: Connection) -> Iterator[None]:
    """On SQLite, where a changed table is copied and dropped: do not let its rows take others along."""
    raw: Any = connection.connection.dbapi_connection
    if connection.dialect.name != "sqlite":
        yield
        return
    # On the raw connection, because SQLite ignores this inside a transaction and SQLAlchemy would begin one.
    raw.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        connection.rollback()
        raw.execute("PRAGMA foreign_keys=ON")


def refuse_dangling_rows(connection: Connection) -> None:
    """What SQLite did not watch over meanwhile is checked before the commit."""
    if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise RuntimeError("This migration would leave rows that refer to nothing.")


with current_app.app_context():
    run()
