"""A database of its own for each test, copied from a template that holds every table and no row.

Making the tables anew takes a second or more; copying them takes a few hundredths.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Engine, NullPool, create_engine, make_url, text

from membership import db as database
from membership.app import create_app
from membership.config import Settings

# Nothing here outlives the run, so the server need not wait for the disk. (Benches start a server of their own.)
HASTY = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")


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
        yield from self._make(name, f"CREATE DATABASE {name}")

    @contextmanager
    def copy(self, name: str, template: str) -> Iterator[str]:
        # As files, without a record of every page: half the time, and less to throw away afterwards.
        yield from self._make(name, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")

    def _make(self, name: str, statement: str) -> Iterator[str]:
        self._run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", statement)
        yield self.url_of(name)
        self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def _run(self, *statements: str) -> None:
        with self._admin.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))
