"""A database of its own for each test, with every table and no row.

Making the tables anew takes a second or more. On SQLite they are copied as a file. On PostgreSQL a copy takes a fifth
of a second, so the tests of one process share one, and the rows of each are taken away after it: a few thousandths.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakSet

import psycopg
from sqlalchemy import URL, Engine, NullPool, Pool, create_engine, event, make_url, text

from membership import db as database
from membership.app import create_app
from membership.config import Settings

# Nothing here outlives the run, so the server need not wait for the disk. (Benches start a server of their own.)
HASTY = ("fsync = off", "synchronous_commit = off", "full_page_writes = off", "autovacuum = off")
# How often a shared copy is used before it is made anew: the rows that were taken away still fill its files.
MOST_USES = 50
# What a copy is given, so that its rows can be taken away and its sequences begin again; and so that a test that
# changed the tables themselves is noticed. Without triggers (of the superuser's session only): most of ours refuse.
CLEANING = """
CREATE SCHEMA cleaning;
CREATE TABLE cleaning.changes (tag text);
CREATE FUNCTION cleaning.note() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO cleaning.changes VALUES (tg_tag);
END $$;
CREATE FUNCTION cleaning.clean() RETURNS bool LANGUAGE plpgsql AS $$
DECLARE
    name text;
    is_used bool;
BEGIN
    IF EXISTS (SELECT FROM cleaning.changes) THEN
        RETURN false;
    END IF;
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT oid::regclass::text FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', name) INTO is_used;
        IF is_used THEN
            EXECUTE format('DELETE FROM %s', name);
        END IF;
    END LOOP;
    PERFORM setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
        FROM pg_sequences WHERE last_value IS NOT NULL;
    RETURN true;
END $$;
CREATE EVENT TRIGGER note_changes ON ddl_command_end EXECUTE FUNCTION cleaning.note();
CREATE EVENT TRIGGER note_drops ON sql_drop EXECUTE FUNCTION cleaning.note();
"""
# It waits until they are gone, ten seconds at most.
END_OTHERS = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = :name"


_connections: WeakSet[psycopg.Connection] = WeakSet()


@event.listens_for(Pool, "connect")
def _know(connection: object, _record: object) -> None:
    if isinstance(connection, psycopg.Connection):
        _connections.add(connection)


def close_others(name: str) -> None:
    """Close what this process still holds of the database `name`: a thread that asked once more after its app had let
    go of everything. Left open, it would be an error of whichever test is running when the garbage is collected.
    """
    for connection in list(_connections):
        if not connection.closed and connection.info.dbname == name:
            connection.close()


def make_tables(settings: Settings) -> None:
    """Make every table in the empty database of `settings`, and leave nothing open there."""
    app = create_app(settings)
    with app.app_context():
        database.db.create_all()
        app.extensions["membership.hints"].close()
        database.db.session.remove()
        database.db.engine.dispose()


class SqliteFiles:
    """Copies of the template `file`, which `make_tables` filled."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def copy(self, folder: Path) -> str:
        """A copy in `folder`; its address."""
        shutil.copyfile(self._file, folder / "test.db")
        return f"sqlite:///{folder / 'test.db'}"


class PostgresServer:
    """Databases of the real server at `uri`."""

    def __init__(self, uri: str) -> None:
        uri = uri.replace("postgresql://", "postgresql+psycopg://")
        self._admin: Engine = create_engine(uri, isolation_level="AUTOCOMMIT", poolclass=NullPool)

    def hurry(self) -> None:
        self._run(*(f"ALTER SYSTEM SET {setting}" for setting in HASTY), "SELECT pg_reload_conf()")

    def url_of(self, name: str) -> str:
        url: URL = make_url(self._admin.url).set(database=name)
        return url.render_as_string(hide_password=False)

    @contextmanager
    def empty(self, name: str) -> Iterator[str]:
        """A database without tables; it is gone afterwards, whoever still talks with it."""
        self.drop(name)
        self._run(f"CREATE DATABASE {name}")
        yield self.url_of(name)
        self.drop(name)

    def can_be_cleaned(self, name: str) -> None:
        """Give the database `name`, a template, what `SharedCopy` needs."""
        with self._engine_of(name).connect() as connection:
            connection.execute(text(CLEANING))

    def clean(self, name: str) -> bool:
        """Take every row away, once nobody talks with it any more; whether its tables are still those it began with."""
        with self._admin.connect() as connection:
            connection.execute(text(END_OTHERS), {"name": name})
        with self._engine_of(name).connect() as connection:
            return connection.execute(text("SELECT cleaning.clean()")).scalar_one()

    def make_copy(self, name: str, template: str) -> None:
        # As files, without a record of every page: half the time, and less to throw away afterwards.
        self._run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")

    def drop(self, name: str) -> None:
        self._run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _engine_of(self, name: str) -> Engine:
        return create_engine(self.url_of(name), isolation_level="AUTOCOMMIT", poolclass=NullPool)

    def _run(self, *statements: str) -> None:
        with self._admin.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))


class SharedCopy:
    """One copy of the database `template`, for one test after the other of this process."""

    def __init__(self, server: PostgresServer, template: str) -> None:
        self._server, self._template, self._name, self._n_uses = server, template, f"shared{os.getpid()}", MOST_USES
        server.can_be_cleaned(template)

    @contextmanager
    def borrow(self) -> Iterator[str]:
        """Its address; it has no row then, whatever the test before did."""
        if self._n_uses >= MOST_USES:
            self._server.drop(self._name)
            self._server.make_copy(self._name, self._template)
            self._n_uses = 0
        self._n_uses += 1
        yield self._server.url_of(self._name)
        close_others(self._name)
        if self._n_uses < MOST_USES and not self._server.clean(self._name):
            self._n_uses = MOST_USES
