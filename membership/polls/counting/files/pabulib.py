"""Participatory budgets in Pabulib's format (.pb): sections META, PROJECTS and VOTES, fields parted by semicolons.

Source: pabulib.org/format; arXiv 2012.06539. Votes of type "approval" and "choose-1" are ticks, "ordinal" ones ranks,
and of "cumulative" and "scoring" ones every project with points counts as ticked. The files know no lot order: of
projects that tie the cheaper goes first, then the one with more votes, then the one that stands first in the file
(the order of the tool at equalshares.net). Nothing is added after equal shares: the towns did not do it.
"""

import csv
from collections.abc import Sequence
from fractions import Fraction

from membership.polls.counting.files.election import Election, UnreadableElection, distinct, each_once, grouped
from membership.polls.counting.profile import Choice, Profile

_SECTIONS = ("META", "PROJECTS", "VOTES")


def read(text: str) -> Election:
    """The election in this file. Raises UnreadableElection."""
    meta, projects, votes = _sections(text)
    about = {row["key"].strip().lower(): row.get("value", "").strip() for row in meta if row.get("key")}
    ids = [project.get("project_id", "").strip() for project in projects]
    if not ids or len(set(ids)) < len(ids):
        raise UnreadableElection("PROJECTS must have rows, each with a project_id of its own.")
    costs = tuple(
        _money(project.get("cost", ""), f"the cost of project {project['project_id']}") for project in projects
    )
    places = {name: position for position, name in enumerate(ids)}
    kind = about.get("vote_type", "approval")
    choices = [_choice(vote, places, kind) for vote in votes]
    ticks = [0] * len(ids)
    for option in (option for choice in choices for rank in choice for option in rank):
        ticks[option] += 1
    names = [project.get("name", "").strip() or project["project_id"] for project in projects]
    profile = Profile(
        options=distinct([f"{n} ({i})" if names.count(n) > 1 else n for n, i in zip(names, ids, strict=True)]),
        lot_order=tuple(sorted(range(len(ids)), key=lambda option: (costs[option], -ticks[option], option))),
        groups=grouped(choices),
        costs=costs,
        budget=_money(about.get("budget", ""), "the budget"),
        fills_up=False,
    )
    return Election(about.get("description", ""), profile, rule="equal-shares", ids=tuple(ids))


def _sections(text: str) -> list[list[dict[str, str]]]:
    """The rows of each section by the names of their columns."""
    rows: dict[str, list[dict[str, str]]] = {}
    section, columns = "", list[str]()
    try:
        for row in csv.reader(text.splitlines(keepends=True), delimiter=";"):
            word = row[0].strip().upper() if row else ""
            if word in _SECTIONS and not any(field.strip() for field in row[1:]):
                section, columns = word, []
                rows[section] = []
            elif not any(field.strip() for field in row):
                continue
            elif not columns:
                columns = [field.strip().lower() for field in row]
            elif section:
                rows[section].append(dict(zip(columns, row, strict=False)))
    except csv.Error as fault:
        raise UnreadableElection(f"The fields of this file cannot be told apart: {fault}.") from None
    if missing := [name for name in _SECTIONS if name not in rows]:
        raise UnreadableElection(f"This is not a .pb file: the section {missing[0]} is missing.")
    return [rows[name] for name in _SECTIONS]


def _choice(vote: dict[str, str], places: dict[str, int], kind: str) -> Choice:
    named = [name.strip() for name in vote.get("vote", "").split(",") if name.strip()]
    if unknown := [name for name in named if name not in places]:
        raise UnreadableElection(f"Voter {vote.get('voter_id', '')} names project {unknown[0]}, which does not exist.")
    if kind in {"cumulative", "scoring"} and vote.get("points"):
        points = vote["points"].split(",")
        named = [name for name, points in zip(named, points, strict=False) if _money(points, "a number of points") > 0]
    options = [places[name] for name in named]
    return each_once([option] for option in options) if kind == "ordinal" else _ticks(options)


def _ticks(options: Sequence[int]) -> Choice:
    return each_once([options])


def _money(value: str, what: str) -> Fraction:
    plain = value.strip().replace(" ", "").replace("\N{NO-BREAK SPACE}", "").replace(",", ".")
    try:
        return Fraction(plain)
    except (ValueError, ZeroDivisionError):
        raise UnreadableElection(f"{value!r} is not {what}.") from None
