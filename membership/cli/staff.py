"""`membership staff`: who works here, and as what."""

import click
from flask.cli import with_appcontext
from rich.console import Console
from rich.table import Table

from membership.accounts import queries, services
from membership.accounts.rules import Role, canonical_email
from membership.kernel import clock
from membership.kernel.errors import MembershipError
from membership.newsroom.queries import newsroom
from membership.web import settings


class CannotDo(click.ClickException):
    """What stands in the way, as a sentence."""

    exit_code = 2


@click.group("staff", help="Add, list and remove members of staff.")
def staff() -> None:
    """The group; its commands do the work."""


@staff.command("add")
@click.argument("email")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]), help="What they are here for.")
@click.option("--name", help="As pages name them beside the topics they own; by default the newsroom.")
@click.option("--locale", type=click.Choice(["en", "uk"]), default="en", show_default=True, help="Language of mails.")
@with_appcontext
def add(email: str, role: str, name: str | None, locale: str) -> None:
    """Make somebody a member of staff, or change their role. They sign in as members do, by a mailed link."""
    try:
        address = canonical_email(email)
        services.appoint(address, Role(role), name or newsroom().name, locale, clock.now())
    except MembershipError as error:
        raise CannotDo(error.message) from error
    click.echo(f"{address} is {role} now.")
    click.echo(f"Next: sign in at {settings().public_url}/signin?next=staff, then the desk is at /staff.")


@staff.command("remove")
@click.argument("email")
@with_appcontext
def remove(email: str) -> None:
    """Take somebody off the staff. Their membership is not touched."""
    try:
        services.dismiss(canonical_email(email), clock.now())
    except MembershipError as error:
        raise CannotDo(error.message) from error
    click.echo(f"{email} is no longer on the staff.")


@staff.command("list")
@with_appcontext
def list_() -> None:
    """Everybody on the staff."""
    members = queries.list_staff()
    if not members:
        click.echo("Nobody is on the staff yet. Next: membership staff add EMAIL --role owner")
        return
    table = Table("Name", "Address", "Role", "Since")
    for member, person in members:
        table.add_row(member.name, person.email, member.role, f"{member.added_at:%Y-%m-%d}")
    Console().print(table)
