"""What may stand in an election file, and what is said about one that cannot be read."""

from fractions import Fraction

import pytest

from membership.polls.counting import count
from membership.polls.counting.files import UnreadableElection, read

BLT = """4 2  # four options, two seats
-2
3 1 3 4 0
(id 7) 2 4 1=3 0
1 - 2 0
1 0
2 2 4
  1 0
0
"Anna"
"Bohdan"  # has withdrawn
"Daryna #1"
"Émile"
"The board"
"""

PB = """META
key;value
description;"Gardens; and benches"
budget;1000,50
vote_type;approval
rule;equalshares/add1
PROJECTS
project_id;cost;votes;name;selected
p1;400;2;"A ""green"" roof; with bees";1
p2;400.50;2;Bench;1
p3;300;1;Bench;0
VOTES
voter_id;vote
1;p1,p2
2;"p2, p1"

3;p3
4;
"""


def named(election):
    options = election.profile.options
    return sorted((n, [[options[o] for o in rank] for rank in ranks]) for n, ranks in election.profile.groups)


def test_blt_with_withdrawn_shared_left_out_and_blank():
    election = read("board.blt", BLT.encode())
    assert election.profile.options == ("Anna", "Daryna #1", "Émile")
    assert (election.title, election.n_seats) == ("The board", 2)
    assert named(election) == [
        (2, []),
        (2, [["Émile"], ["Anna"]]),
        (2, [["Émile"], ["Anna", "Daryna #1"]]),
        (3, [["Anna"], ["Daryna #1"], ["Émile"]]),
    ]


def test_blt_without_names_and_from_other_programs():
    election = read("board", b"\xef\xbb\xbf2 1\r\n1.0 2 1 0\r\n1 2 0\r\n0\r\n")
    assert election.profile.options == ("1", "2")
    assert named(election) == [(1, [["2"]]), (1, [["2"], ["1"]])]


def test_blt_with_all_names_on_one_line():
    election = read("x.blt", b'2 1\n1 2 0\n0\n"Anna" "Bohdan" "Title"\n')
    assert (election.profile.options, election.title) == (("Anna", "Bohdan"), "Title")


def test_blt_with_name_and_party_on_a_line():
    election = read("x.blt", b'2 1\n1 2 0\n0\n"Anna" "Greens"\n"Bohdan" "Reds"\n"Ward 1"\n')
    assert (election.profile.options, election.title) == (("Anna Greens", "Bohdan Reds"), "Ward 1")


def test_pabulib_with_quotes_decimals_blank_lines_and_a_byte_order_mark():
    election = read("town.pb", b"\xef\xbb\xbf" + PB.encode())
    profile = election.profile
    assert profile.options == ('A "green" roof; with bees', "Bench (p2)", "Bench (p3)")
    assert (profile.costs, profile.budget) == ((400, Fraction(801, 2), 300), Fraction(2001, 2))
    assert (election.title, election.ids, election.rule) == ("Gardens; and benches", ("p1", "p2", "p3"), "equal-shares")
    assert sorted(profile.groups) == [(1, ()), (1, ((2,),)), (2, ((0, 1),))]


def test_pabulib_puts_the_cheaper_first_and_adds_nothing():
    profile = read("town.pb", PB.encode()).profile
    assert profile.lot_order == (2, 0, 1)
    assert not profile.fills_up


@pytest.mark.parametrize(
    ("kind", "vote", "expected"),
    [
        ("ordinal", "1;p3,p1", ((2,), (0,))),
        ("choose-1", "1;p3", ((2,),)),
        ("cumulative", "1;p3,p1,p2;5,0,2", ((1, 2),)),
    ],
)
def test_pabulib_kinds_of_votes(kind, vote, expected):
    text = PB.split("VOTES", maxsplit=1)[0].replace("approval", kind) + f"VOTES\nvoter_id;vote;points\n{vote}\n"
    assert read("town.pb", text.encode()).profile.groups == [(1, expected)]


def test_published_json_with_everything():
    text = """{"title": "May", "candidates": ["A", "B", "A"], "seats": 2, "rule": "spav", "lot_order": [2, 0, 1],
        "ballots": [[3, [[0, 2]]], [1, [1, [0], 1]], [2, []], [1, [0, [], [1, 2]]]],
        "costs": [1.5, "7/2", 2], "budget": 10, "unit": 0.1, "fills_up": false, "unknown": {}}"""
    election = read("may.json", text.encode())
    profile = election.profile
    assert profile.options == ("A", "B", "A (2)")
    assert profile.groups == [(3, ((0, 2),)), (1, ((1,), (0,))), (2, ()), (1, ((0,), (1, 2)))]
    assert profile.costs == (Fraction(3, 2), Fraction(7, 2), 2)
    assert (profile.budget, profile.unit, profile.lot_order, profile.fills_up) == (
        10,
        Fraction(1, 10),
        (2, 0, 1),
        False,
    )
    assert (election.title, election.n_seats, election.rule) == ("May", 2, "spav")


def test_published_json_may_name_its_lot_order():
    text = b'{"options": ["A", "B"], "lot_order": ["B", "A"], "ballots": [[1, [0]], [1, [1]]]}'
    assert count("plurality", read("x.json", text).profile).winners == (1,)


@pytest.mark.parametrize(
    "profile",
    ["profile: [[0, 2], [1],\n  []]", "profile:\n- [0, 2]\n- [1]\n- []", "profile: [{0, 2}, {1}, {}]  # sets"],
)
def test_approval_profiles(profile):
    text = (
        f'description: "three"\n{profile}\nnum_cand: 4\ncommitteesize: 2\ncompute:\n- rule_id: av\n  result: [[0, 1]]\n'
    )
    election = read("x.abc.yaml", text.encode())
    assert (election.profile.options, election.n_seats) == (("0", "1", "2", "3"), 2)
    assert election.profile.groups == [(1, ((0, 2),)), (1, ((1,),)), (1, ())]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("x.json", "[]", "one JSON object"),
        ("x.json", '{"candidates": ["A"]', "not JSON"),
        ("x.json", '{"candidates": []}', "candidates"),
        ("x.json", '{"candidates": ["A"], "ballots": [[1, [1]]]}', "Group 1 .* option 1"),
        ("x.json", '{"candidates": ["A"], "ballots": [[1.5, [0]]]}', "Group 1 .* whole number"),
        ("x.json", '{"candidates": ["A"], "ballots": [[true, [0]]]}', "Group 1"),
        ("x.json", '{"candidates": ["A"], "ballots": [[1, 0]]}', "Group 1"),
        ("x.json", '{"candidates": ["A"], "ballots": {}}', "ballots"),
        ("x.json", '{"candidates": ["A"], "ballots": [], "seats": 0}', "seats"),
        ("x.json", '{"candidates": ["A"], "ballots": [], "lot_order": [1]}', "lot_order"),
        ("x.json", '{"candidates": ["A"], "ballots": [], "costs": [0]}', "cost must be more"),
        ("x.json", '{"candidates": ["A"], "ballots": [], "costs": ["x"]}', "costs"),
        ("x.blt", "", "ends where"),
        ("x.blt", "2 1\n1 3 0\n0\n", "Line 2: there is no option 3"),
        ("x.blt", "2 1\n1 2\n", "Line|ends where"),
        ("x.blt", "2 1\nx 2 0\n0\n", "Line 2: 'x'"),
        ("x.blt", '2 1\n1 2 0\n0\n"A"\n', "only 1 names"),
        ("x.pb", "META\nkey;value\n", "PROJECTS is missing"),
        ("x.pb", PB.replace("3;p3", "3;p9"), "Voter 3 names project p9"),
        ("x.pb", PB.replace("1000,50", "much"), "the budget"),
        ("x.yaml", "num_cand: 3\n", "profile"),
        ("x.yaml", "profile: [[5]]\nnum_cand: 3\n", "option 5"),
        ("x.yaml", "profile: [[0, a]]\nnum_cand: 3\n", "profile"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(name, text, says):
    with pytest.raises(UnreadableElection, match=says):
        read(name, text.encode())


def test_a_picture_is_no_election():
    with pytest.raises(UnreadableElection, match="UTF-8"):
        read("x.blt", b"\x89PNG\r\n\x1a\n\xff")
