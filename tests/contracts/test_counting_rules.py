"""The same promises asked of every counting rule. A new rule is asked as soon as `RULES` names it."""

import json
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from membership.polls.counting import ALIASES, RULES, Count, Profile, count
from tests.polls.counting import naive
from tests.polls.counting.strategies import profiles, seats

any_rule = pytest.mark.parametrize("slug", RULES)
thorough = settings(max_examples=300, deadline=None)


def elections(slug):
    return profiles(RULES[slug].kind, has_costs=slug == "equal-shares")


def asked(slug, data):
    return data.draw(elections(slug)), data.draw(seats)


@any_rule
@thorough
@given(data=st.data())
def test_a_naive_count_finds_the_same_winners_in_the_same_order(slug, data):
    profile, n_seats = asked(slug, data)
    ours, plain = list(count(slug, profile, n_seats).winners), naive.RULES[slug](profile, n_seats)
    if slug == "equal-shares" and set(ours) == set().union(*naive.ticks_of(profile)):
        # Where all can be bought, shares grow by doubling, and only who is bought is promised.
        ours, plain = sorted(ours), sorted(plain)
    assert ours == plain


@any_rule
@thorough
@given(data=st.data())
def test_the_order_of_ballots_and_their_grouping_do_not_matter(slug, data):
    profile, n_seats = asked(slug, data)
    single = [(1, choice) for size, choice in profile.groups for _ in range(size)]
    other = replace(profile, groups=[*data.draw(st.permutations(single)), (0, ((0,),))])
    assert count(slug, other, n_seats) == count(slug, profile, n_seats)


@any_rule
@thorough
@given(data=st.data())
def test_names_and_order_of_the_options_do_not_matter_beyond_the_lot_order(slug, data):
    profile, n_seats = asked(slug, data)
    place = data.draw(st.permutations(range(len(profile.options))))
    other = replace(
        profile,
        options=tuple(f"Topic {position}" for position in range(len(place))),
        lot_order=tuple(place[option] for option in profile.lot_order),
        groups=[(n, tuple(tuple(sorted(place[o] for o in rank)) for rank in ranks)) for n, ranks in profile.groups],
        costs=profile.costs and tuple(profile.costs[place.index(option)] for option in range(len(place))),
    )
    plain, moved = count(slug, profile, n_seats), count(slug, other, n_seats)
    assert moved.winners == tuple(place[winner] for winner in plain.winners)
    assert moved.order == tuple(place[option] for option in plain.order)
    assert moved.missed_by == {place[loser]: by for loser, by in plain.missed_by.items()}
    for one, other_round in zip(plain.rounds, moved.rounds, strict=True):
        assert other_round.totals == {place[option]: total for option, total in one.totals.items()}
    assert [(tie.round, {place[o] for o in tie.options}, tie.broken_by) for tie in plain.ties] == [
        (tie.round, set(tie.options), tie.broken_by) for tie in moved.ties
    ]


@any_rule
@thorough
@given(data=st.data())
def test_seats_are_filled_and_everybody_has_one_place_in_the_order(slug, data):
    profile, n_seats = asked(slug, data)
    result = count(slug, profile, n_seats)
    n_options = len(profile.options)
    if slug != "equal-shares":
        assert len(result.winners) == min(n_seats, n_options)
    assert result.order[: len(result.winners)] == result.winners
    assert sorted(result.order) == list(range(n_options))
    assert tuple(winner for each in result.rounds for winner in each.elected) == result.winners
    assert result.missed_by.keys() == set(range(n_options)) - set(result.winners)
    assert all(by >= 0 for by in result.missed_by.values())


@any_rule
@thorough
@given(data=st.data())
def test_the_lot_order_changes_winners_only_where_a_tie_is_reported(slug, data):
    profile, n_seats = asked(slug, data)
    result = count(slug, profile, n_seats)
    turned = count(slug, replace(profile, lot_order=profile.lot_order[::-1]), n_seats)
    if not any(tie.broken_by == "lot" for tie in result.ties):
        assert turned.winners == result.winners
    for tie in result.ties:
        assert len(tie.options) > 1
        assert set(tie.chosen) <= set(tie.options)
        assert 1 <= tie.round <= len(result.rounds)
        totals = result.rounds[tie.round - 1].totals
        assert len({totals[option] for option in tie.options}) == 1


@any_rule
@thorough
@given(data=st.data())
def test_the_json_holds_the_whole_count_in_exact_strings(slug, data):
    result = count(slug, *asked(slug, data))
    stored = json.dumps(result.as_dict(), allow_nan=False)
    assert Count.from_dict(json.loads(stored)) == result
    totals = [total for each in result.as_dict()["rounds"] for total in each["totals"].values()]
    assert all(isinstance(total, str) and "." not in total for total in totals)


@any_rule
@thorough
@given(data=st.data())
def test_ballots_are_counted_blank_ones_too(slug, data):
    profile, n_seats = asked(slug, data)
    result = count(slug, profile, n_seats)
    assert result.n_ballots == sum(size for size, _ in profile.groups)
    assert result.n_blank == sum(size for size, choice in profile.groups if not choice)
    assert (result.rule, result.version) == (slug, RULES[slug].version)


@any_rule
@thorough
@given(data=st.data())
def test_totals_of_each_round_add_up(slug, data):
    """To what they consist of under this rule, worked out from the ballots anew."""
    profile, n_seats = asked(slug, data)
    ADD_UP[slug](profile, count(slug, profile, n_seats))


def ticks_add_up(profile, result):
    (only,) = result.rounds
    assert sum(only.totals.values()) == sum(map(len, naive.ticks_of(profile)))


def first_choices_add_up(profile, result):
    (only,) = result.rounds
    clear = [choice for choice in naive.ballots_of(profile) if choice and len(choice[0]) == 1]
    assert sum(only.totals.values()) == len(clear)


def weights_add_up(profile, result):
    chosen = set()
    for each in result.rounds:
        ballots = naive.ticks_of(profile)
        assert sum(each.totals.values()) == sum(
            (Fraction(len(ballot - chosen), 1 + len(ballot & chosen)) for ballot in ballots), Fraction(0)
        )
        assert sum(n for _, n in each.more["weights"]) == result.n_ballots - result.n_blank
        chosen.update(each.elected)


def votes_add_up(profile, result):
    clear = sum(1 for choice in naive.ballots_of(profile) if choice and len(choice[0]) == 1)
    for each in result.rounds:
        gone = Fraction(each.more["exhausted"]) + Fraction(each.more["lost"])
        assert sum(each.totals.values()) + gone == clear
    for one, after in zip(result.rounds, result.rounds[1:], strict=False):
        came = {option: Fraction(0) for option in after.totals}
        for transfer in one.transfers:
            if transfer.target is not None:
                came[transfer.target] += transfer.votes
        for option, total in after.totals.items():
            if not any(transfer.source == option for transfer in one.transfers):
                assert total == one.totals[option] + came[option]


def money_adds_up(profile, result):
    budget = Fraction(profile.budget) if profile.costs else Fraction(result.n_seats)
    costs = profile.costs or [1] * len(profile.options)
    left = budget
    for each in result.rounds:
        (option,) = each.elected
        left -= costs[option]
        assert Fraction(each.more["left"]) == left >= 0
        if each.note is None:
            assert sum(Fraction(price) * n for price, n in each.more["paid"]) == costs[option]
    if profile.fills_up:
        wanted = set().union(*naive.ticks_of(profile))
        assert not [option for option in wanted - set(result.winners) if costs[option] <= left]


ADD_UP = {
    "approval": ticks_add_up,
    "plurality": first_choices_add_up,
    "spav": weights_add_up,
    "stv": votes_add_up,
    "equal-shares": money_adds_up,
}


@any_rule
def test_an_empty_urn_is_decided_by_lot_alone(slug):
    result = count(slug, Profile(("A", "B", "C"), (2, 0, 1), []), 2)
    assert result.winners == (() if slug == "equal-shares" else (2, 0))
    assert result.n_ballots == 0


@any_rule
def test_a_million_equal_ballots_are_one_group(slug):
    result = count(slug, Profile(("A", "B"), (1, 0), [(1_000_000, ((0,),)), (999_999, ((1,),))]), 1)
    assert result.winners == (0,)


@pytest.mark.parametrize(
    ("slug", "groups", "n_seats"),
    [("borda", [], 1), ("spav", [], 0), ("irv", [], 2), ("stv", [(1, ((7,),))], 1), ("approval", [(-1, ((0,),))], 1)],
)
def test_what_cannot_be_counted_is_refused(slug, groups, n_seats):
    with pytest.raises(ValueError, match=r"\w"):
        count(slug, Profile(("A", "B"), (0, 1), groups), n_seats)


def test_every_alias_names_a_rule():
    for alias, slug in ALIASES.items():
        profile = Profile(("A", "B"), (0, 1), [(2, ((1,),)), (1, ((0,),))])
        assert count(alias, profile).winners == count(slug, profile).winners == (1,)


@thorough
@given(profile=profiles("ranking"), n_seats=seats)
def test_the_table_of_pairs_is_what_every_ballot_says(profile, n_seats):
    result = count("stv", profile, n_seats)
    table = naive.pairwise(profile)
    assert [list(row) for row in result.pairwise] == table
    beats = [all(row[b] > table[b][a] for b in range(len(row)) if b != a) for a, row in enumerate(table)]
    assert result.condorcet_winner == (beats.index(True) if any(beats) else None)


@thorough
@given(profile=profiles("approval"), n_seats=seats)
def test_another_seat_in_spav_takes_none_away(profile, n_seats):
    fewer, more = count("spav", profile, n_seats), count("spav", profile, n_seats + 1)
    assert more.winners[: len(fewer.winners)] == fewer.winners
    assert more.order == fewer.order
    assert more.rounds[: len(fewer.rounds)] == fewer.rounds


@thorough
@given(profile=profiles("approval"))
def test_with_one_seat_spav_is_approval_voting(profile):
    assert count("spav", profile, 1).winners == count("approval", profile, 1).winners
