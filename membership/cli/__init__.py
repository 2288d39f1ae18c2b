"""The command line: one group on top of Flask's own, one file per subject.

A command's file is imported when that command is asked for, so `membership serve` does not pay for the demo,
and `membership --help` needs no usable settings.
"""

import importlib
import importlib.util
from typing import Any

import click
from flask import Flask
from flask.cli import FlaskGroup

from membership.config import SettingsRefused

# Name of the command -> where it lives. `db` is Flask-Migrate's own group (upgrade, downgrade, check …).
COMMANDS: dict[str, str] = {
    "audit": "membership.cli.audit:audit",
    "check-books": "membership.cli.books:check_books",
    "count": "membership.cli.count:count_file",
    "db": "flask_migrate.cli:db",
    "demo": "membership.cli.demo:demo",
    "demo-prepare": "membership.cli.demo.prepare:prepare",
    "docs": "membership.cli.docs:docs",
    "doctor": "membership.cli.doctor:doctor",
    "import": "membership.cli.importing:import_",
    "mailbox": "membership.cli.mailbox:mailbox",
    "poll": "membership.cli.poll:poll",
    "rates": "membership.cli.rates:rates",
    "reconcile": "membership.cli.reconcile:reconcile_command",
    "rollups": "membership.cli.rollups:rollups",
    "sandbox": "membership.cli.sandbox:sandbox_command",
    "serve": "membership.cli.serve:serve",
    "setup": "membership.cli.setup:setup",
    "staff": "membership.cli.staff:staff",
    "worker": "membership.cli.worker:worker",
}
FROM_FLASK = ("routes", "shell")


class SettingsFault(click.ClickException):
    """The environment cannot be used: every fault in words, exit code 2, no traceback."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        """Print the sentences as they are, without "Error:" before the list."""
        click.echo(self.format_message(), file=file, err=file is None)


class Commands(FlaskGroup):
    """Flask's group, which finds our commands by the table above and builds the app only where one needs it."""

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command `name`, imported now; None where there is none of that name."""
        place, _, attribute = COMMANDS.get(name, "").partition(":")
        if not place:
            return super().get_command(ctx, name) if name in FROM_FLASK else None
        if importlib.util.find_spec(place) is None:
            return None
        command: click.Command = getattr(importlib.import_module(place), attribute)
        return command

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every name, without building the app."""
        del ctx
        return sorted({*COMMANDS, *FROM_FLASK})

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; refused settings become sentences."""
        try:
            return super().invoke(ctx)
        except SettingsRefused as refused:
            raise SettingsFault(str(refused)) from None


def _build_app() -> Flask:
    from membership.app import create_app

    return create_app()


def _watch_parent(_ctx: click.Context, _option: click.Parameter, wanted: bool) -> bool:  # noqa: FBT001 - click's signature
    if wanted:
        from membership.cli.parent import stop_when_stdin_closes

        stop_when_stdin_closes()
    return wanted


main = Commands(
    name="membership",
    help="Reader support and membership for an independent newsroom.",
    create_app=_build_app,
    load_dotenv=False,
    add_version_option=False,
    context_settings={"auto_envvar_prefix": "MEMBERSHIP", "help_option_names": ["-h", "--help"]},
    params=[
        click.Option(
            ["--stop-with-stdin"],
            is_flag=True,
            hidden=True,
            expose_value=False,
            callback=_watch_parent,
            help="End when standard input closes: the demo's way of never leaving a process behind.",
        )
    ],
)
click.version_option(package_name="reader-membership", prog_name="membership")(main)
