"""The database as the command line sees it: where the migrations lie, what is pending, bring it up to date."""

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import upgrade

from membership.db import db
from membership.resources import resource_dir


def pending_migrations() -> list[str]:
    """The revisions that this database still lacks, oldest first; empty where it is up to date.

    Needs an app context. Raises SQLAlchemy's OperationalError where the database cannot be reached.
    """
    config = Config()
    config.set_main_option("script_location", str(resource_dir("migrations")))
    scripts = ScriptDirectory.from_config(config)
    with db.engine.connect() as connection:
        done = MigrationContext.configure(connection).get_current_heads()
    wanted = [script.revision for script in scripts.iterate_revisions("heads", done or "base")]
    return wanted[::-1]


def migrate(app: Flask) -> None:
    """Bring the database of `app` to the newest revision; nothing happens where it is there already."""
    with app.app_context():
        if pending_migrations():
            upgrade()
