"""`membership poll …`: the evidence of a poll as a file, for `docs/verify_poll.py`."""

import json

import click
from flask.cli import with_appcontext

from membership.kernel.errors import NotFound
from membership.polls import queries


@click.group("poll")
def poll() -> None:
    """Look at polls."""


@poll.command("evidence")
@click.argument("public_id")
@click.option(
    "--with-ballots", is_flag=True, help="Add each receipt's hash with its choice: for an auditor, in private."
)
@with_appcontext
def evidence(public_id: str, *, with_ballots: bool) -> None:
    """Print all that can be checked about the poll PUBLIC_ID, as JSON."""
    try:
        found = queries.evidence(queries.get_by_public_id(public_id).id, with_ballots=with_ballots)
    except NotFound as error:
        raise click.ClickException(error.message) from None
    click.echo(json.dumps(found, ensure_ascii=False, indent=1))
