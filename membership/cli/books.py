"""`membership check-books`: proves the books, and compares them with the provider's own."""

import click
from flask.cli import with_appcontext

from membership.billing import reconcile, watching
from membership.kernel import clock


@click.command("check-books")
@click.option("--all", "is_whole", is_flag=True, help="Compare all that was ever paid, not only 35 days.")
@with_appcontext
def check_books(*, is_whole: bool) -> None:
    """Prove the books: exit 0 if they hold, 1 with every difference in words if they do not."""
    now = clock.now()
    report = watching.examine_whole(now, None if is_whole else now - reconcile.REACH)
    for name, count in report.counts.items():
        click.echo(f"{count:>9,}  {name}")
    for note in report.notes:
        click.echo(note)
    for finding in report.findings:
        click.echo(f"DIFFERENCE ({finding.code}): {finding.message}")
    if report.findings:
        click.echo(f"The books do NOT hold: {len(report.findings)} found.")
        raise SystemExit(1)
    click.echo("The books hold: every movement balances, every payment is booked once, no receipt is missing.")
