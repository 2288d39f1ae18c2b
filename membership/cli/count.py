"""`membership count`: counts a file of ballots, so that anybody can check a published result."""

import json
from fractions import Fraction
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from membership.polls.counting import ALIASES, RULES, Count, Round, count, nobody_unless_named
from membership.polls.counting.files import Election, UnreadableElection, read
from membership.polls.counting.files.count_json import named


class BadFile(click.ClickException):
    """The file cannot be counted: one sentence, exit code 2."""

    exit_code = 2


@click.command("count")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--rule", "rule_slug", type=click.Choice([*RULES, *ALIASES]), help="How to count; some files say it.")
@click.option("--seats", "n_seats", type=click.IntRange(min=1), help="How many to elect; some files say it.")
@click.option("--json", "is_json", is_flag=True, help="Print the whole count as JSON.")
def count_file(file: Path, rule_slug: str | None, n_seats: int | None, *, is_json: bool) -> None:
    """Count the ballots in FILE: published JSON, BLT, Pabulib .pb, or an .abc.yaml profile.

    The numbers are exact; the same file gives the same result on every machine. Ties are settled by the lot order in
    the file, or where it has none by the order in which it lists the options. Where no ballot names an option, nobody
    is elected.
    """
    try:
        election = read(file.name, file.read_bytes())
        rule = rule_slug or election.rule
        if rule is None:
            raise BadFile(f"The file does not say how to count. Say --rule {', '.join(RULES)}.")
        found = nobody_unless_named(count(rule, election.profile, _seats(election, rule, n_seats)))
    except UnreadableElection as fault:
        raise BadFile(f"{file.name}: {fault}") from None
    except (ValueError, OSError) as fault:
        raise BadFile(f"{file.name} cannot be counted: {fault}") from None
    if is_json:
        click.echo(json.dumps(named(found, election.title, election.ids), ensure_ascii=False, indent=2))
    else:
        show(found, election, Console(highlight=False))


def _seats(election: Election, rule: str, asked: int | None) -> int:
    if asked is not None:
        return asked
    shares_costs = ALIASES.get(rule, rule) == "equal-shares" and election.profile.costs is not None
    if rule == "irv" or shares_costs:
        return 1  # equal shares of costs elect whatever the budget buys
    if election.n_seats is None:
        raise BadFile("The file does not say how many to elect. Say --seats and a number.")
    return election.n_seats


def show(found: Count, election: Election, console: Console) -> None:
    """Print the count for people: who won, round by round, and how ties were broken."""
    names = found.options
    if election.title:
        console.print(election.title, style="bold", markup=False)
    blank = f", {found.n_blank:,} of them blank" if found.n_blank else ""
    quota = f" Quota: {found.quota}." if found.quota is not None else ""
    console.print(f"{RULES[found.rule].name} ({found.version}): {found.n_ballots:,} ballots{blank}.{quota}\n")
    for place, elected in enumerate(found.winners, 1):
        console.print(f"{place:>3}. {names[elected]}", style="green", markup=False)
    if not found.winners:
        console.print("Nobody is elected.")
    for each in found.rounds:
        console.print(_table(each, names))
    for tie in found.ties:
        how = "the lot order" if tie.broken_by == "lot" else "an earlier round"
        tied, chosen = (", ".join(names[option] for option in some) for some in (tie.options, tie.chosen))
        console.print(f"Tie in round {tie.round}: {tied}. By {how}: {chosen}.", style="yellow", markup=False)
    if found.pairwise is not None:
        winner = "Nobody" if found.condorcet_winner is None else names[found.condorcet_winner]
        console.print(f"{winner} beats every other option head to head (the Condorcet winner).", markup=False)


def _table(each: Round, names: tuple[str, ...]) -> Table:
    note = f" · {each.note.replace('_', ' ')}" if each.note else ""
    table = Table(title=f"Round {each.n}{note}", title_justify="left")
    table.add_column("option")
    table.add_column("total", justify="right")
    table.add_column("")
    for option in sorted(each.totals, key=lambda option: -each.totals[option]):
        mark = "elected" if option in each.elected else "excluded" if option in each.eliminated else ""
        table.add_row(names[option].replace("[", r"\["), _readable(each.totals[option]), mark)
    return table


def _readable(total: Fraction | int) -> str:
    """A number for the eye; --json has it exactly."""
    return f"{int(total):,}" if total == int(total) else f"{float(total):,.5f}".rstrip("0")
