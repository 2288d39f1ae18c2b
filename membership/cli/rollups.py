"""`membership rollups`: the sums of days that the dashboard reads, worked out anew or proven."""

import click
from flask.cli import with_appcontext
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from membership.dashboard import checks
from membership.dashboard.queries.sums import find_rolled_to
from membership.dashboard.services import rebuilding
from membership.dashboard.sources import SOURCES
from membership.db import read_at_once
from membership.kernel import clock

WORDS = {"people": "Whose membership is written down (by 200)", "days": "Days summed, per source"}
SHOWN = 20


@click.group(help="The daily sums that the dashboard reads.")
def rollups() -> None:
    """The group; its commands do the work."""


@rollups.command("rebuild")
@with_appcontext
def rebuild() -> None:
    """Sum every day anew from the rows. Safe at any time: pages go on reading, and a rebuild that is stopped is
    finished by the worker.
    """
    console = Console(soft_wrap=True, highlight=False)
    with _bar(console) as bar:
        tasks: dict[str, TaskID] = {}

        def show(what: str, n: int, of: int | None) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(WORDS[what], total=of)
            bar.update(tasks[what], completed=n, total=of)

        n_days = rebuilding.rebuild(clock.now(), show if console.is_terminal else None)
    console.print(f"{n_days:,} days were summed anew, over {len(SOURCES)} sources.")


@rollups.command("check")
@with_appcontext
def check() -> None:
    """Bring the sums up to now, and work every one of them out again from the rows. Exit 1 where one differs."""
    console = Console(soft_wrap=True, highlight=False)
    rebuilding.roll(clock.now())
    read_at_once()
    n_days, differing = 0, []
    with _bar(console) as bar:
        for source in SOURCES:
            first, last = checks.days_of(source)
            task = bar.add_task(source.name, total=max((last - first).days + 1, 0))
            for day, differs in checks.compare(source, first, last):
                n_days += 1
                bar.advance(task)
                if differs:
                    differing.append(f"{source.name} of {day}")
    console.print(f"{n_days:,} days compared, up to {find_rolled_to():%Y-%m-%d %H:%M} UTC.")
    for each in differing[:SHOWN]:
        console.print(f"DIFFERENCE: {each}: the roll-up is not what the rows say.")
    if differing:
        console.print(f"{len(differing):,} differ. `membership rollups rebuild` sums them anew.")
        raise SystemExit(1)
    console.print("Every roll-up is what the rows say.")


def _bar(console: Console) -> Progress:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
