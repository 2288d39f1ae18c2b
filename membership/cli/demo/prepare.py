"""`membership demo-prepare`: bring the demo's database up to date and fill an empty newsroom.

A process of its own, so that the one that watches the others stays small.
"""

import importlib
import importlib.util
from datetime import timedelta
from decimal import Decimal

import click
from flask_migrate import upgrade

from membership.app import create_app
from membership.config import Settings
from membership.dashboard.queries.rates import list_rates
from membership.dashboard.services.rating import set_by_hand
from membership.kernel import clock
from membership.web.schema import pending_migrations

RATES = {"USD": "1.10", "GBP": "0.86", "UAH": "48"}
SINCE = timedelta(days=400)


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
            _set_rates()


def _set_rates() -> None:
    """What currencies are about worth, so that the desk's sums have all of them. No bank is asked: the demo stays on
    this machine.
    """
    if list_rates(1):
        return
    since = (clock.now() - SINCE).date()
    for currency, rate in RATES.items():
        set_by_hand("EUR", currency, Decimal(rate), since)
