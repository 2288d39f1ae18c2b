"""Elections that others worked out, or that can be followed on paper; for each rule two."""

import random
from fractions import Fraction

from membership.polls.counting import Profile, count
from tests.polls.counting import naive


def election(names, *groups, **money):
    """Groups are (how many, "best > next") or (how many, "ticked, ticked")."""
    options = tuple(names)

    def choice(text):
        ranks = [part.strip() for part in text.split(">") if part.strip()]
        return tuple(tuple(sorted(options.index(name.strip()) for name in rank.split(","))) for rank in ranks)

    return Profile(options, tuple(range(len(options))), [(n, choice(text)) for n, text in groups], **money)


def by_name(result, totals):
    return {result.options[option]: total for option, total in totals.items()}


def names(result, positions):
    return [result.options[position] for position in positions]


# Where Tennessee's capital should lie: 100 voters, each preferring nearer cities. Wikipedia, "Instant-runoff voting",
# "Condorcet method", "Approval voting" and "First-past-the-post voting", all with these figures.
CITIES = ("Memphis", "Nashville", "Chattanooga", "Knoxville")
TENNESSEE = election(
    CITIES,
    (42, "Memphis > Nashville > Chattanooga > Knoxville"),
    (26, "Nashville > Chattanooga > Knoxville > Memphis"),
    (15, "Chattanooga > Knoxville > Nashville > Memphis"),
    (17, "Knoxville > Chattanooga > Nashville > Memphis"),
)


def test_tennessee_by_plurality():
    result = count("plurality", TENNESSEE)
    assert by_name(result, result.rounds[0].totals) == dict(zip(CITIES, (42, 26, 15, 17), strict=True))
    assert names(result, result.winners) == ["Memphis"]
    assert by_name(result, result.missed_by) == {"Nashville": 16, "Chattanooga": 27, "Knoxville": 25}


def test_tennessee_by_approval_of_the_two_nearest():
    result = count(
        "approval",
        election(
            CITIES,
            (42, "Memphis, Nashville"),
            (26, "Nashville, Chattanooga"),
            (15, "Chattanooga, Knoxville"),
            (17, "Chattanooga, Knoxville"),
        ),
    )
    assert by_name(result, result.rounds[0].totals) == dict(zip(CITIES, (42, 68, 58, 32), strict=True))
    assert names(result, result.winners) == ["Nashville"]


def test_tennessee_by_instant_runoff():
    result = count("irv", TENNESSEE)
    assert [by_name(result, each.totals) for each in result.rounds] == [
        {"Memphis": 42, "Nashville": 26, "Chattanooga": 15, "Knoxville": 17},
        {"Memphis": 42, "Nashville": 26, "Knoxville": 32},
        {"Memphis": 42, "Knoxville": 58},
    ]
    assert names(result, result.winners) == ["Knoxville"]
    assert by_name(result, result.missed_by) == {"Chattanooga": 2, "Nashville": 6, "Memphis": 16}


def test_tennessee_head_to_head():
    result = count("irv", TENNESSEE)
    nashville, memphis, chattanooga, knoxville = (CITIES.index(name) for name in ("Nashville", *CITIES[::2], CITIES[3]))
    assert result.condorcet_winner == nashville
    assert [result.pairwise[nashville][other] for other in (memphis, chattanooga, knoxville)] == [58, 68, 68]
    assert result.pairwise[memphis][nashville] == 42


def test_plurality_with_two_seats_is_the_single_non_transferable_vote():
    """Three seats' worth of one party split among two names, as Wikipedia's "Single non-transferable vote" warns."""
    groups = ((819, "A1"), (1804, "A2"), (1996, "A3"), (1999, "B1"), (2718, "C1"))
    result = count("plurality", election(("A1", "A2", "A3", "B1", "C1"), *groups), 3)
    assert names(result, result.winners) == ["C1", "B1", "A3"]


def test_approval_gives_all_seats_to_the_largest_group():
    """Blocs of 58, 27 and 15: block approval leaves nothing to the smaller ones."""
    result = count("approval", election("ABCDEFG", (58, "A, B, C"), (27, "D, E"), (15, "F, G")), 3)
    assert names(result, result.winners) == ["A", "B", "C"]
    assert [names(result, tie.options) for tie in result.ties] == [["A", "B", "C"]]


def test_spav_with_parties_is_the_dhondt_method():
    """Lackner and Skowron (2023), chapter 6: with party lists Thiele's rule is D'Hondt's.

    Figures: Wikipedia, "D'Hondt method": 100,000, 80,000, 30,000 and 20,000 votes for 8 seats give 4, 3, 1 and 0.
    """
    votes = {"A": 100_000, "B": 80_000, "C": 30_000, "D": 20_000}
    options = tuple(f"{party}{number}" for party in votes for number in range(1, 9))
    lists = [(n, ", ".join(f"{party}{number}" for number in range(1, 9))) for party, n in votes.items()]
    result = count("spav", election(options, *lists), 8)
    assert [name[0] for name in names(result, result.winners)] == ["A", "B", "A", "B", "A", "C", "B", "A"]
    quotients = [max(each.totals.values()) for each in result.rounds]
    assert quotients == [100_000, 80_000, 50_000, 40_000, Fraction(100_000, 3), 30_000, Fraction(80_000, 3), 25_000]


def test_spav_on_paper():
    """Round 1: A 7, B 6, C 3, D 2. Then the 7 weigh 1/2: B 4/2 + 2 = 4, C 3, D 2. Then C 3 against D 2."""
    result = count("spav", election("ABCD", (4, "A, B"), (3, "A"), (2, "B, D"), (3, "C")), 3)
    assert names(result, result.winners) == ["A", "B", "C"]
    assert [by_name(result, each.totals) for each in result.rounds] == [
        {"A": 7, "B": 6, "C": 3, "D": 2},
        {"B": 4, "C": 3, "D": 2},
        {"C": 3, "D": 1},
    ]
    assert [each.more["weights"] for each in result.rounds] == [
        [["1", 12]],
        [["1", 5], ["1/2", 7]],
        [["1", 3], ["1/2", 5], ["1/3", 4]],
    ]
    assert by_name(result, result.missed_by) == {"D": 2}


FOOD = election(
    ("orange", "chocolate", "pear", "strawberry", "bonbon"),
    (8, "chocolate > strawberry"),
    (4, "orange"),
    (4, "chocolate > bonbon"),
    (2, "pear > orange"),
    (1, "strawberry"),
    (1, "bonbon"),
)


def test_food_by_single_transferable_vote():
    """Wikipedia, "Single transferable vote", the example of a party with three dishes."""
    result = count("stv", FOOD, 3)
    assert result.quota == 6
    assert names(result, result.winners) == ["chocolate", "orange", "strawberry"]
    assert [by_name(result, each.totals) for each in result.rounds] == [
        {"orange": 4, "chocolate": 12, "pear": 2, "strawberry": 1, "bonbon": 1},
        {"orange": 4, "chocolate": 6, "pear": 2, "strawberry": 5, "bonbon": 3},
        {"orange": 6, "chocolate": 6, "strawberry": 5, "bonbon": 3},
    ]
    assert [each.note for each in result.rounds] == ["surplus", "exclusion", "last_places"]
    assert by_name(result, result.missed_by) == {"pear": 1, "bonbon": 2}
    assert names(result, result.order) == ["chocolate", "orange", "strawberry", "bonbon", "pear"]


def test_values_of_transferred_ballots_are_cut_after_five_decimals():
    """By the order of 2007, rule 48: 8 papers, a surplus of 3 (quota 5) go on at 3/8 = 0.375; 7 papers at 2/7."""
    exact = count("stv", election("ABCD", (8, "A > B"), (3, "C"), (2, "D")), 2)
    assert [(each.target, each.votes) for each in exact.rounds[0].transfers] == [(1, 3)]
    cut = count("stv", election("ABCD", (7, "A > B"), (3, "C"), (3, "D")), 2)
    assert cut.quota == 5
    assert [each.votes for each in cut.rounds[0].transfers] == [Fraction(7 * 28571, 100_000)]
    assert cut.rounds[1].more == {"exhausted": "0", "lost": str(2 - Fraction(7 * 28571, 100_000))}


def test_a_tie_looks_back_to_the_latest_round_that_tells_apart():
    """By the order of 2007, rule 51: C and D have 3 each after E went; before that D had 2, so D goes."""
    result = count("irv", election("ABCDE", (6, "A"), (5, "B"), (3, "C"), (2, "D"), (1, "E > D")))
    tie = result.ties[0]
    assert (tie.round, names(result, tie.options), names(result, tie.chosen)) == (2, ["C", "D"], ["D"])
    assert tie.broken_by == "earlier_round"


def test_a_tie_that_no_round_tells_apart_goes_by_lot():
    profile = election("ABC", (3, "A"), (1, "B"), (1, "C"))
    result = count("irv", profile)
    assert result.winners == (0,)
    tied = count("irv", election("ABC", (2, "A > B"), (2, "B > A"), (1, "C"), (1, "C")))
    assert [(tie.round, tie.options, tie.chosen, tie.broken_by) for tie in tied.ties] == [
        (1, (0, 1, 2), (2,), "lot"),
        (2, (0, 1), (1,), "lot"),
    ]


def test_a_rank_that_several_share_ends_the_ballot_unless_one_of_them_is_left():
    """As Burlington counted in 2009: C's ballots come to "A, B" and end; D's come to "C, B" when C has gone."""
    groups = ((6, "A"), (4, "B"), (2, "C > A, B"), (3, "D > C, B"), (1, "A, B"))
    result = count("irv", election("ABCD", *groups))
    assert [by_name(result, each.totals) for each in result.rounds] == [
        {"A": 6, "B": 4, "C": 2, "D": 3},
        {"A": 6, "B": 4, "D": 3},
        {"A": 6, "B": 7},
    ]
    assert result.quota == 8
    assert result.rounds[2].more["exhausted"] == "2"


def test_equal_shares_without_costs_on_paper():
    """Peters and Skowron (2020): of 3 seats 10 voters with 3/10 each; a place costs 1.

    The 6 buy A for 1/6 each and keep 4/30; B costs them 1/6 again, which they have not. The 4 buy C at 1/4 each and
    keep 1/20. Raised to 4/10 the 6 keep 7/30 and buy B too; raised further, the next would be a fourth.
    """
    result = count("equal-shares", election("ABCD", (6, "A, B"), (4, "C, D")), 3)
    assert names(result, result.winners) == ["A", "B", "C"]
    assert [each.more["paid"] for each in result.rounds] == [[["1/6", 6]], [["1/6", 6]], [["1/4", 4]]]
    assert {each.more["share"] for each in result.rounds} == {"2/5"}
    assert by_name(result, result.missed_by) == {"D": Fraction(2, 5)}


def test_equal_shares_with_costs_on_paper():
    """Peters, Pierczyński and Skowron (2021), cost utilities: 10 hours, 5 voters, 2 each.

    The survey costs its 3 supporters 2 each, all they have. The walk costs its 2 supporters 3/2 each; the report would
    cost the same two 2 each, all they have, so both have 2 effective votes and the lot says walk. Then 1 is left for
    the report, 3 too little. With shares of 3 all would be bought, for 13.
    """
    profile = election(
        ("survey", "walk", "report"),
        (2, "survey"),
        (1, "survey, report"),
        (2, "walk, report"),
        costs=(6, 3, 4),
        budget=10,
    )
    result = count("equal-shares", profile)
    assert names(result, result.winners) == ["survey", "walk"]
    assert [by_name(result, each.totals) for each in result.rounds] == [
        {"survey": 3, "walk": 2, "report": 3},
        {"walk": 2, "report": 2},
    ]
    assert [each.more["left"] for each in result.rounds] == ["4", "1"]
    assert by_name(result, result.missed_by) == {"report": 3}


def test_equal_shares_adds_what_fits_where_the_poll_says_so():
    """8 voters with 1 hour each: five buy A. With shares of 2 the two lack 2 hours for B and the one lacks 1 for C;
    with shares of 3 all would be bought, for 14 of 8 hours. Of the 3 hours left C takes all; B never fits.
    """
    groups = ((5, "A"), (2, "B"), (1, "C"))
    money = {"costs": (5, 6, 3), "budget": 8}
    bought = count("equal-shares", election("ABC", *groups, **money, fills_up=False))
    assert names(bought, bought.winners) == ["A"]
    filled = count("equal-shares", election("ABC", *groups, **money))
    assert names(filled, filled.winners) == ["A", "C"]
    assert filled.rounds[1].note == "most_ticks"
    assert by_name(filled, filled.rounds[1].totals) == {"C": 1}


def test_equal_shares_of_thousands_of_different_ballots():
    """So many that they lie in several blocks; sizes of groups have several binary digits."""
    chance = random.Random(7)  # noqa: S311 - a fixed seed, no secret
    ticks = {tuple(sorted(chance.sample(range(16), 5 + number % 4))) for number in range(11_000)}
    groups = [(chance.choice((1, 1, 1, 3)), (some,)) for some in sorted(ticks)]
    assert len(groups) > 4_096
    n_voters = sum(size for size, _ in groups)
    options = tuple("ABCDEFGHIJKLMNOP")
    costs = tuple(chance.randint(2, 20) for _ in options)
    profile = Profile(options, tuple(range(16)), groups, costs=costs, budget=40, unit=Fraction(15, n_voters))
    assert list(count("equal-shares", profile).winners) == naive.equal_shares(profile, 1)
