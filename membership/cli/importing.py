"""`membership import`: what comes from other programs. `statement` reads a bank statement in."""

from pathlib import Path

import click
from flask.cli import with_appcontext

from membership.kernel import clock
from membership.kernel.errors import InvalidInput
from membership.transfers import queries, services
from membership.transfers.statements import LARGEST_FILE


class BadStatement(click.ClickException):
    """The file cannot be read in: one sentence, exit code 2."""

    exit_code = 2


@click.group("import", help="Read in what other programs wrote.")
def import_() -> None:
    """The group; its commands do the work."""


@import_.command("statement")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--mapping", "name", help="For a table (CSV): paypal, paypal-day-first, or one saved at the desk.")
@click.option("--dry-run", "is_trial", is_flag=True, help="Say what would happen, and write nothing.")
@with_appcontext
def statement(file: Path, name: str | None, *, is_trial: bool) -> None:
    """Read in the bank statement FILE: camt.053, or a table by --mapping. The same one twice books nothing twice."""
    known = queries.list_mappings()
    if name is not None and name not in known:
        raise BadStatement(f"There is no mapping {name!r}. Known: {', '.join(known)}.")
    with file.open("rb") as source:
        raw = source.read(LARGEST_FILE + 1)
    try:
        report = services.read_in(raw, known[name] if name else None, clock.now(), is_trial=is_trial)
    except InvalidInput as error:
        raise BadStatement(f"{file.name}: {error.message}") from None
    click.echo(f"{report.n_lines:>7,}  gifts and returns in the file")
    click.echo(f"{report.n_known:>7,}  of them were known already")
    click.echo(f"{report.n_new:>7,}  are new")
    click.echo(f"{report.n_left:>7,}  other movements are none of our business and are not kept")
    for note in report.notes:
        click.echo(note)
    if is_trial:
        click.echo("Nothing was written.")
        return
    click.echo(f"{report.n_booked:>7,}  are booked")
    if report.is_in_work:
        click.echo(f"{report.n_open:>7,}  are being looked at by the worker; then they stand at /staff/statements")
    else:
        click.echo(f"{report.n_open:>7,}  wait for a person at /staff/statements")
