"""`membership doctor`: what is missing or wrong, in words, before readers notice.

It asks and changes nothing: no mail is sent, nothing is made at the payment company. The exit code is 1 when it
found a problem.
"""

import logging
from collections.abc import Iterator

import click
from rich.console import Console
from rich.text import Text

from membership.config import Settings
from membership.db import db
from membership.kernel.said import said
from membership.operations.examining import outside, settings
from membership.operations.examining.finding import Finding, Weight

MARKS = {Weight.FINE: ("✓", "green"), Weight.NOTE: ("•", "yellow"), Weight.PROBLEM: ("✗", "bold red")}


@click.command("doctor")
def doctor() -> None:
    """Say what is missing or wrong with this installation, why it matters, and how to mend it."""
    console = Console(highlight=False, soft_wrap=True)
    n_problems = 0
    logging.disable(logging.WARNING)  # the findings say it in words
    try:
        for finding in examine():
            _print(console, finding)
            n_problems += finding.weight is Weight.PROBLEM
    finally:
        logging.disable(logging.NOTSET)
    if n_problems:
        console.print(Text(f"\n{n_problems} problem{'s' if n_problems > 1 else ''} found.", style="bold red"))
        raise SystemExit(1)
    console.print(Text("\nNo problem found.", style="bold green"))


def examine() -> Iterator[Finding]:
    """Every finding, as soon as it is known; those about settings first, and only those where they are refused."""
    known, findings = settings.examine()
    yield from findings
    if known is not None:
        yield from examine_outside(known)


def examine_outside(known: Settings) -> Iterator[Finding]:
    """Every finding that needs somebody's answer, asked by an app of its own."""
    from membership.app import create_app

    try:
        app = create_app(known)
    except ImportError as error:
        words = said("The driver for this database is not installed (%(name)s).", name=error.name or "")
        yield outside.unreachable(words, "Install reader-membership[postgres].")
        return
    except OSError as error:
        words = said("The folder of the database cannot be used (%(error)s).", error=error.strerror or "")
        yield outside.unreachable(words)
        return
    with app.app_context():
        try:
            yield from outside.examine(known)
        finally:
            db.session.remove()
            db.engine.dispose()


def _print(console: Console, finding: Finding) -> None:
    mark, style = MARKS[finding.weight]
    console.print(Text.assemble((mark, style), " ", finding.what))
    if finding.weight is Weight.FINE:
        return
    for label, words in (("Why it matters", finding.why), ("How to mend it", finding.mend)):
        if words:
            console.print(Text(f"    {label}: {words}", style="dim" if finding.weight is Weight.NOTE else ""))
