"""`membership reconcile`: holds our books against the payment company's things, one by one, and mends what differs."""

from contextlib import nullcontext
from datetime import datetime

import click
from flask.cli import with_appcontext
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from membership.billing import inspections, reconcile
from membership.billing.port import Listing
from membership.kernel import clock
from membership.kernel.errors import ProviderFailed
from membership.newsroom.queries import zone

LISTS = (*(listing.value for listing in Listing), "ours alone")
COLUMNS = ("in order", "repaired", "wrong", "foreign")
SHOWN = 20


@click.command("reconcile")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="From this day on (by default 35 days back).")
@click.option("--all", "is_whole", is_flag=True, help="Everything that there ever was.")
@click.option("--dry-run", is_flag=True, help="Only say what differs; mend nothing.")
@with_appcontext
def reconcile_command(since: datetime | None, *, is_whole: bool, dry_run: bool) -> None:
    """Read every subscription, invoice, payment, refund, dispute and finished checkout at the payment company, and mend
    what our books say otherwise. Exit 0 if all is in order then, 1 if something stays wrong.
    """  # fmt: skip
    if since is not None and is_whole:
        raise click.UsageError("Either --since or --all.")
    now = clock.now()
    begin = now - reconcile.REACH if since is None else since.replace(tzinfo=zone())
    console = Console(soft_wrap=True, highlight=False)
    row_id = reconcile.begin(now, None if is_whole else begin, is_dry=dry_run)
    try:
        done = _go(console, row_id)
    except ProviderFailed as failed:
        raise click.ClickException(
            f"{failed.message} What was done so far is kept; the worker goes on with it within ten minutes."
        ) from failed
    _tell(console, done, is_dry=dry_run)
    if done.n_findings:
        raise SystemExit(1)


def _go(console: Console, row_id: int) -> inspections.Inspected:
    looked_at = TextColumn("{task.completed:,} looked at")
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), looked_at, TimeElapsedColumn())
    bar = Progress(*columns, console=console, transient=True)
    with bar if console.is_terminal else nullcontext():
        tasks = {name: bar.add_task(name, total=None, start=False, visible=False) for name in LISTS}

        def show(name: str, n_looked_at: int) -> None:
            bar.start_task(tasks[name])
            bar.update(tasks[name], completed=n_looked_at, visible=True)

        return reconcile.go_on(row_id, progress=show)


def _tell(console: Console, done: inspections.Inspected, *, is_dry: bool) -> None:
    for name in LISTS:
        counts = done.counts.get(name, {})
        parts = [f"{counts[column]:,} {column}" for column in COLUMNS if counts.get(column)]
        console.print(f"{sum(counts.values()):>9,}  {name}" + (f": {', '.join(parts)}" if parts else ""))
    for repair in done.repairs[:SHOWN]:
        console.print(f"Repaired: {repair.message}")
    _say_rest(console, len(done.repairs))
    for finding in done.findings[:SHOWN]:
        console.print(f"{'DIFFERS' if is_dry else 'NOT REPAIRED'}: {finding.message}")
    _say_rest(console, done.n_findings)
    if not done.n_findings:
        console.print("Our books say the same as the payment company's things.")
    elif is_dry:
        console.print(f"{done.n_findings:,} differ. Without --dry-run they are mended.")
    else:
        console.print(f"{done.n_findings:,} stay wrong. Each of them needs a person; the log says more.")


def _say_rest(console: Console, n: int) -> None:
    if n > SHOWN:
        console.print(f"… and {n - SHOWN:,} more.")
