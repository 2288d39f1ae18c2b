"""`membership rates`: what currencies are worth, from central banks, from tables, or set by hand."""

from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

import click
from flask.cli import with_appcontext

from membership.dashboard import rates as readers
from membership.dashboard.queries.rates import list_rates
from membership.dashboard.services import fetching, rating
from membership.dashboard.services.rating import Taken
from membership.kernel import clock
from membership.kernel.errors import InvalidInput, ProviderFailed
from membership.newsroom.queries import day_of


class BadRates(click.ClickException):
    """What was given cannot be taken for rates: one sentence, exit code 2."""

    exit_code = 2


@click.group(help="Exchange rates of the dashboard.")
def rates() -> None:
    """The group; its commands do the work."""


@rates.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_appcontext
def import_file(file: Path) -> None:
    """Take in FILE: eurofxref XML of the European Central Bank, JSON of the National Bank of Ukraine, or a table (CSV)
    with the columns date, base, currency, rate. Days that are over keep the rate they were counted with.
    """
    with file.open("rb") as source:
        raw = source.read(readers.LARGEST_FILE + 1)
    if len(raw) > readers.LARGEST_FILE:
        raise BadRates(f"{file.name} is larger than any list of rates.")
    try:
        _tell(rating.take_in(readers.read(raw)))
    except InvalidInput as error:
        raise BadRates(f"{file.name}: {error.message}") from None


@rates.command("fetch")
@with_appcontext
def fetch() -> None:
    """Ask the central banks whose addresses are set (RATES_ECB_URL, RATES_NBU_URL)."""
    try:
        click.echo(f"{fetching.fetch(clock.now()):,} rates are new.")
    except ProviderFailed as failed:
        raise click.ClickException(failed.message) from None


@rates.command("set")
@click.argument("base")
@click.argument("currency")
@click.argument("rate")
@click.option("--from", "since", type=click.DateTime(["%Y-%m-%d"]), help="From this day on (by default today).")
@with_appcontext
def set_rate(base: str, currency: str, rate: str, since: datetime | None) -> None:
    """One unit of BASE is worth RATE units of CURRENCY, where no bank says anything.

    Such as `membership rates set EUR UAH 45.10`.
    """
    try:
        number = Decimal(rate)
        rating.set_by_hand(base.upper(), currency.upper(), number, since.date() if since else day_of(clock.now()))
    except InvalidOperation:
        raise BadRates(f"{rate!r} is no number, such as 45.10.") from None
    except InvalidInput as error:
        raise BadRates(error.message) from None
    click.echo(f"1 {base.upper()} = {number} {currency.upper()} is kept.")


@rates.command("list")
@with_appcontext
def show() -> None:
    """The newest rates that are known."""
    for row in list_rates():
        click.echo(f"{row.quoted_on}  1 {row.base} = {row.rate} {row.currency}  ({row.source})")


def _tell(taken: Taken) -> None:
    click.echo(f"{taken.n_new:>7,}  rates are new, from {taken.first} to {taken.last}")
    click.echo(f"{taken.n_corrected:>7,}  were corrected")
    click.echo(f"{taken.n_known:>7,}  were known already")
