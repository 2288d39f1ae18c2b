"""`membership count` as people and programs call it."""

import json

import pytest
from click.testing import CliRunner

from membership.cli import main

TENNESSEE = """4 1
42 1 2 3 4 0
26 2 3 4 1 0
15 3 4 2 1 0
17 4 3 2 1 0
0
"Memphis"
"Nashville"
"Chattanooga"
"[Knoxville]"
"Capital of Tennessee"
"""


@pytest.fixture
def run(tmp_path):
    def call(name, text, *arguments):
        file = tmp_path / name
        file.write_text(text)
        return CliRunner().invoke(main, ["count", str(file), *arguments])

    return call


def test_json_names_everything(run):
    result = run("capital.blt", TENNESSEE, "--rule", "irv", "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert (found["rule"], found["seats"], found["winners"]) == ("stv", 1, ["[Knoxville]"])
    assert found["ties"] == []
    assert found["rounds"][0]["totals"] == {
        "Memphis": "42",
        "Nashville": "26",
        "Chattanooga": "15",
        "[Knoxville]": "17",
    }
    assert found["rounds"][0]["transfers"] == [{"from": "Chattanooga", "to": "[Knoxville]", "votes": "15"}]
    assert found["condorcet_winner"] == "Nashville"
    assert found["pairwise"]["Nashville"]["Memphis"] == 58
    assert found["title"] == "Capital of Tennessee"


def test_people_read_who_won_and_every_round(run):
    result = run("capital.blt", TENNESSEE, "--rule", "stv")
    assert result.exit_code == 0
    assert "1. [Knoxville]" in result.stdout
    assert "Round 3" in result.stdout
    assert "Nashville beats every other" in result.stdout


def test_a_tie_names_the_options_and_how_it_was_broken(run):
    text = '{"candidates": ["A", "B", "C"], "lot_order": [1, 0, 2], "ballots": [[1, [0]], [1, [1]]]}'
    found = json.loads(run("x.json", text, "--rule", "approval", "--seats", "1", "--json").stdout)
    assert found["winners"] == ["B"]
    assert found["ties"] == [{"round": 1, "options": ["A", "B"], "chosen": ["B"], "broken_by": "lot"}]
    assert "Tie in round 1: A, B. By the lot order: B." in run("x.json", text, "--rule", "av", "--seats", "1").stdout


@pytest.mark.parametrize("rule", ["spav", "approval", "stv", "irv", "equal-shares", "plurality"])
@pytest.mark.parametrize("ballots", ["[[3, []]]", "[[2, []], [1, []]]", "[]"])
def test_where_no_ballot_names_an_option_nobody_is_elected_as_in_our_own_polls(run, rule, ballots):
    text = f'{{"candidates": ["A", "B", "C"], "lot_order": [1, 0, 2], "seats": 1, "ballots": {ballots}}}'
    found = json.loads(run("x.json", text, "--rule", rule, "--json").stdout)
    assert (found["winners"], found["ties"], found["rounds"]) == ([], [], [])
    assert found["n_blank"] == found["n_ballots"] == (3 if ballots != "[]" else 0)
    said = run("x.json", text, "--rule", rule).stdout
    assert "Nobody is elected." in said
    assert "lot order" not in said


def test_one_ballot_that_names_an_option_is_enough_for_the_rule_to_fill_its_seats(run):
    text = '{"candidates": ["A", "B", "C"], "lot_order": [1, 0, 2], "ballots": [[9, []], [1, [[2]]]]}'
    found = json.loads(run("x.json", text, "--rule", "approval", "--seats", "2", "--json").stdout)
    assert found["winners"] == ["C", "B"]


def test_a_file_with_costs_keeps_its_seats_under_a_rule_that_shares_none(run):
    text = (
        '{"candidates": ["A", "B", "C"], "rule": "equal-shares", "seats": 2, "costs": [1, 1, 1], "budget": 2, '
        '"ballots": [[3, [[0, 1]]], [2, [[2]]]]}'
    )
    found = json.loads(run("x.json", text, "--rule", "approval", "--json").stdout)
    assert (found["seats"], found["winners"]) == (2, ["A", "B"])
    without = text.replace('"seats": 2, ', "")
    assert "Say --seats" in run("x.json", without, "--rule", "approval").output
    assert run("x.json", without, "--rule", "mes").exit_code == 0


def test_a_town_needs_neither_rule_nor_seats(run):
    town = (
        "META\nkey;value\nbudget;10\nPROJECTS\nproject_id;cost;name\n7;6;Survey\n8;3;Walk\n"
        "VOTES\nvoter_id;vote\n1;7\n2;7\n3;8\n"
    )
    found = json.loads(run("town.pb", town, "--json").stdout)
    assert (found["rule"], found["winners"], found["winner_ids"]) == ("equal-shares", ["Survey", "Walk"], ["7", "8"])


@pytest.mark.parametrize(
    ("name", "text", "arguments", "says"),
    [
        ("x.blt", "hello", ["--rule", "stv"], "x.blt: Line 1: 'hello' is not the number of options."),
        ("x.blt", TENNESSEE, [], "Say --rule"),
        ("x.blt", TENNESSEE, ["--rule", "irv", "--seats", "2"], "elects one"),
        ("x.blt", TENNESSEE, ["--rule", "borda"], "borda"),
        ("x.json", '{"candidates": ["A"], "ballots": []}', ["--rule", "spav"], "Say --seats"),
        ("x.json", '{"candidates": ["A"], "ballots": [], "costs": [1]}', [], "budget"),
        ("x.json", '{"candidates": ["A"], "ballots": [], "rule": "x"}', ["--seats", "1"], "no counting rule x"),
    ],
)
def test_what_cannot_be_counted_ends_with_2_and_a_sentence(run, name, text, arguments, says):
    result = run(name, text, *arguments)
    assert result.exit_code == 2
    assert says in result.output
    assert "Traceback" not in result.output


def test_a_file_that_is_not_there_ends_with_2():
    assert CliRunner().invoke(main, ["count", "/nowhere.blt", "--rule", "stv"]).exit_code == 2
