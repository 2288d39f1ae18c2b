"""Whether the database has the tables that this version of the code expects."""

from functools import cache

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError

from membership.db import db
from membership.resources import resource_dir


class UnknownRevision(Exception):  # noqa: N818 - reads as a sentence
    """The database was brought up to date by a newer version of this program than the one that runs."""


def pending_migrations() -> list[str]:
    """The revisions that this database still lacks, oldest first; empty where it is up to date.

    Needs an app context. Raises SQLAlchemy's OperationalError where the database cannot be reached, and
    UnknownRevision where it is ahead of this code.
    """
    with db.engine.connect() as connection:
        done = MigrationContext.configure(connection).get_current_heads()
    if set(done) == set(_scripts().get_heads()):
        return []
    try:
        wanted = [script.revision for script in _scripts().iterate_revisions("heads", done or "base")]
    except RevisionError as error:
        raise UnknownRevision(", ".join(done)) from error
    return wanted[::-1]


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(resource_dir("migrations")))
