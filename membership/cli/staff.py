"""`membership staff`: who works here, and as what."""

import click
from flask.cli import with_appcontext
from rich.console import Console
from rich.table import Table

from membership.accounts import queries, services
from membership.accounts.rules import Role, canonical_email
from membership.accounts.services import factors
from membership.audit.rules import COMMAND
from membership.kernel import clock
from membership.kernel.errors import MembershipError, NotFound
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


@staff.command("reset-factor")
@click.argument("email")
@click.option("--reason", help="Why; it stands in the audit log.")
@with_appcontext
def reset_factor(email: str, reason: str | None) -> None:
    """Take somebody's second factor away, for the owner who lost it and has no other owner to ask. They are mailed."""
    try:
        person = queries.find_person_by_email(canonical_email(email))
        if person is None or person.role is None:
            raise NotFound("not_staff", "Nobody on the staff has this address.")
        factors.reset(person.id, actor=COMMAND, reason=reason)
    except MembershipError as error:
        raise CannotDo(error.message) from error
    click.echo(
        f"{email} has no second factor any more, and sets up a new one at the desk: {settings().public_url}/staff"
    )


@staff.command("list")
@with_appcontext
def list_() -> None:
    """Everybody on the staff."""
    members = queries.staff_rows()
    if not members:
        click.echo("Nobody is on the staff yet. Next: membership staff add EMAIL --role owner")
        return
    table = Table("Name", "Address", "Role", "Since", "Second factor")
    for row in members:
        has_factor = "yes" if row.has_factor else "none yet"
        table.add_row(row.member.name, row.person.email, row.member.role, f"{row.member.added_at:%Y-%m-%d}", has_factor)
    Console().print(table)
