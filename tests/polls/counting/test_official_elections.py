"""Real elections with official results (decision 24). They lie beside the project, in `shared/data/elections`."""

import json
import re
from pathlib import Path

import pytest

from membership.polls.counting import count
from membership.polls.counting.files import read

FOLDER = Path(__file__).parents[4] / "shared" / "data" / "elections"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"The official elections are not here: {FOLDER} does not exist."
)


def stored(pattern):
    found = sorted(FOLDER.glob(pattern))
    return [pytest.param(path, id=path.name.split(".")[0]) for path in found]


def counted(path, slug, n_seats=None):
    election = read(path.name, path.read_bytes())
    return count(slug, election.profile, n_seats or election.n_seats or 1)


def some(result, positions):
    return [result.options[position] for position in positions]


@pytest.mark.parametrize("path", [*stored("irv_*.json"), *stored("stv_*.json")])
def test_the_official_candidates_win(path):
    expected = json.loads(path.read_text())["expected"]
    result = counted(path, "stv")
    assert sorted(some(result, result.winners)) == sorted(expected["winners"])


def rounds_of(result):
    return [{result.options[option]: float(n) for option, n in each.totals.items()} for each in result.rounds]


def official_rounds(path):
    """Without those who are no candidates here (write-ins that nobody wrote)."""
    facts = json.loads(path.read_text())
    rounds = facts["expected"]["rounds"]
    assert not any(n for each in rounds for name, n in each.items() if name not in facts["candidates"])
    return [{name: n for name, n in each.items() if name in facts["candidates"]} for each in rounds]


@pytest.mark.parametrize("name", ["irv_portland_mayor_2015_sample", "stv_minneapolis_park_2013"])
def test_round_totals_are_the_official_ones(name):
    """Both excluded one at a time. Theirs may have rounds in which nothing moved, and some after the last decision."""
    path = FOLDER / f"{name}.json"
    official, ours = official_rounds(path), rounds_of(counted(path, "stv"))
    at = [official.index(totals) for totals in ours]
    assert at[0] == 0
    assert at == sorted(at)
    between = [totals for place, totals in enumerate(official[: at[-1]]) if place not in at]
    assert all(totals in ours for totals in between)
    assert len(ours) >= len(official) - 3


def test_where_many_were_excluded_at_once_the_last_rounds_are_the_same():
    path = FOLDER / "irv_minneapolis_mayor_2017.json"
    official, ours = official_rounds(path), rounds_of(counted(path, "irv"))
    assert ours[0] == official[0]
    assert ours[-4:] == official[-4:]


def test_burlington_ended_as_announced():
    path = FOLDER / "irv_burlington_mayor_2009.json"
    official = json.loads(path.read_text())["expected"]["final_round_official"]
    assert rounds_of(counted(path, "irv"))[-1] == official


@pytest.mark.parametrize("path", stored("*_debian_*.json"))
def test_debian_finds_its_leader(path):
    result = counted(path, "stv")
    assert some(result, [result.condorcet_winner]) == json.loads(path.read_text())["expected"]["winners"]


def test_burlington_passed_over_the_one_who_beat_all_others():
    path = FOLDER / "irv_burlington_mayor_2009.json"
    expected = json.loads(path.read_text())["expected"]
    result, plain = counted(path, "irv"), counted(path, "plurality")
    assert some(result, [result.condorcet_winner]) == [expected["condorcet_winner"]]
    assert some(plain, plain.winners) == [expected["plurality_winner"]]


@pytest.mark.parametrize("path", stored("tie_*.json"))
def test_ties_are_reported(path):
    result = counted(path, "stv")
    assert result.ties
    assert {"A", "E"} & set(some(result, result.winners))


def committees(text, rule):
    """Every committee that ties for the win under `rule`."""
    block = re.search(rf"- rule_id: {rule}\n\s+result: ([\[\]\d,\s]*?)\n\s+resolute: false", text)
    return json.loads(block[1])


@pytest.mark.parametrize(("slug", "rule"), [("approval", "av"), ("spav", "seqpav")])
@pytest.mark.parametrize("path", stored("approval/*.abc.yaml"))
def test_the_committee_is_one_of_those_that_tie(path, slug, rule):
    expected = committees(path.read_text(), rule)
    result = counted(path, slug)
    assert sorted(result.winners) in expected
    assert len(expected) == 1 or result.ties


@pytest.mark.parametrize("path", stored("budgeting/*.pb"))
def test_the_towns_bought_the_same_projects(path):
    """Towns that used another rule show that their files are read: votes per project are the official ones."""
    election = read(path.name, path.read_bytes())
    rows = list(_projects(path.read_text()))
    approval = count("approval", election.profile)
    assert [approval.rounds[0].totals[place] for place in range(len(rows))] == [int(row["votes"]) for row in rows]
    if re.search(r"^rule;equalshares", path.read_text(), re.MULTILINE):
        result = count("equal-shares", election.profile)
        chosen = {election.ids[winner] for winner in result.winners}
        assert chosen == {row["project_id"] for row in rows if row["selected"] == "1"}


def _projects(text):
    lines = iter(text.split("PROJECTS\n")[1].split("VOTES\n")[0].splitlines())
    columns = next(lines).split(";")
    for line in lines:
        yield dict(zip(columns, line.split(";"), strict=False))
