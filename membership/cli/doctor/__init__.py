"""`membership doctor`: what is missing or wrong, in words, before readers notice.

It asks and changes nothing: no mail is sent, nothing is made at the payment company. The exit code is 1 when it
found a problem.
"""

import logging
from collections.abc import Iterator

import click
from rich.console import Console
from rich.text import Text

from membership.cli.doctor import outside, settings
from membership.cli.doctor.finding import Finding, Weight

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
        yield from outside.examine(known)


def _print(console: Console, finding: Finding) -> None:
    mark, style = MARKS[finding.weight]
    console.print(Text.assemble((mark, style), " ", finding.what))
    if finding.weight is Weight.FINE:
        return
    for label, words in (("Why it matters", finding.why), ("How to mend it", finding.mend)):
        if words:
            console.print(Text(f"    {label}: {words}", style="dim" if finding.weight is Weight.NOTE else ""))
