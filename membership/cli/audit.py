"""`membership audit`: prove that the log of what staff did is what was written, and say where it ends."""

import re

import click
from flask.cli import with_appcontext

from membership.accounts.queries import is_forgotten
from membership.audit import queries
from membership.audit.queries import Head

HEAD = re.compile(r"(\d{1,9}):([0-9a-f]{64})")


@click.group("audit", help="Prove the log of what staff did and read.")
def audit() -> None:
    """The group; its commands do the work."""


@audit.command("head")
@with_appcontext
def head() -> None:
    """Print the end of the log as NUMBER:HASH. Noted elsewhere, it shows later that nothing before it changed."""
    click.echo(str(queries.head()))


@audit.command("verify")
@click.option(
    "--head", "noted", help="A head that was noted earlier, as NUMBER:HASH: then missing newest rows are found too."
)
@with_appcontext
def verify(noted: str | None) -> None:
    """Go through the whole log; name the first row that was changed, is missing or is out of place (exit code 1)."""
    fault = queries.find_fault(is_forgotten, _read(noted) if noted else None)
    if fault is not None:
        click.echo(fault.sentence)
        raise SystemExit(1)
    click.echo(f"The log is what was written, up to {queries.head()}.")


def _read(text: str) -> Head:
    found = HEAD.fullmatch(text.strip())
    if found is None:
        raise click.BadParameter("must look like 17:4f0c… as `membership audit head` prints it", param_hint="--head")
    return Head(int(found[1]), found[2])
