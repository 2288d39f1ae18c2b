"""`membership docs`: pages of the docs that are drawn from the code, so that they cannot say anything else."""

from pathlib import Path

import click

from membership.contributions.rules.drawing import draw_states

PLACE = Path(__file__).parents[2] / "docs"


@click.group()
def docs() -> None:
    """Draw pages of the docs from the code."""


@docs.command()
@click.option("--into", type=click.Path(path_type=Path), default=PLACE / "states.md", show_default=True)
def states(into: Path) -> None:
    """The states of a contribution and what may be done in each, from the table in the code."""
    into.write_text(draw_states(), encoding="utf-8")
    click.echo(f"Drawn: {into}")
