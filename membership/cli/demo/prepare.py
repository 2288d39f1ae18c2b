"""`membership demo-prepare`: bring the demo's database up to date and fill an empty newsroom.

A process of its own, so that the one that watches the others stays small.
"""

import importlib
import importlib.util

import click

from membership.app import create_app
from membership.cli.database import migrate
from membership.config import Settings


@click.command("demo-prepare", hidden=True)
def prepare() -> None:
    """Migrate and seed; doing it again changes nothing."""
    settings = Settings.from_env()
    if not settings.demo:
        raise click.ClickException("Only the demo is filled with an invented newsroom (DEMO is not set).")
    app = create_app(settings)
    migrate(app)
    if importlib.util.find_spec("membership.front.seed"):
        with app.app_context():
            importlib.import_module("membership.front.seed").seed(app)
