"""The database as the command line sees it: bring it up to date."""

from flask import Flask
from flask_migrate import upgrade

from membership.web.schema import pending_migrations


def migrate(app: Flask) -> None:
    """Bring the database of `app` to the newest revision; nothing happens where it is there already."""
    with app.app_context():
        if pending_migrations():
            upgrade()
