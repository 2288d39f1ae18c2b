"""`membership demo-prepare`: bring the demo's database up to date and fill an empty newsroom.

A process of its own, so that the one that watches the others stays small.
"""

import importlib
import importlib.util

import click
from flask_migrate import upgrade

from membership.app import create_app
from membership.config import Settings
from membership.web.schema import pending_migrations


@click.command("demo-prepare", hidden=True)
def prepare() -> None:
    """Migrate and seed; doing it again changes nothing."""
    settings = Settings.from_env()
    if not settings.demo:
        raise click.ClickException("Only the demo is filled with an invented newsroom (DEMO is not set).")
    app = create_app(settings)
    with app.app_context():
        if pending_migrations():
            upgrade()
        if importlib.util.find_spec("membership.front.seed"):
            importlib.import_module("membership.front.seed").seed(app)
