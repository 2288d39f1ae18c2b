"""From counts that were really counted to what their pages say and draw: nothing is lost, nothing is made up."""

import random
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest

from membership.polls.counting import RULES, Count, Profile, count
from membership.polls.explaining import explain
from membership.polls.explaining.amounts import Amount, digits_for, percent_of
from membership.polls.explaining.bars import MOST_BARS
from membership.polls.explaining.flow import BAR, GAP, MARGIN, NOBODY, WIDTH


def ballots(*groups):
    """Groups of equal ballots: (3, "AB") is three with A and B ticked, (3, "A>B") three that rank them."""
    return [(n, _choice(text)) for n, text in groups]


def _choice(text):
    letters = tuple("ABCDEFGH".index(letter) for letter in text if letter.isalpha())
    if not letters:
        return ()
    return tuple((letter,) for letter in letters) if ">" in text else (letters,)


def story_of(rule, n_options, groups, n_seats=1, **changes):
    names = tuple(f"Topic {n}" for n in range(n_options))
    return explain(counted(rule, Profile(names, tuple(range(n_options)), groups, **changes), n_seats))


def counted(rule, profile, n_seats):
    """As the page reads it: written down and read again."""
    return Count.from_dict(count(rule, profile, n_seats).as_dict())


def shuffler():
    return random.Random(7)  # noqa: S311 - the same ballots in every run


def random_ranking(n_options, n_ballots):
    rng, most = shuffler(), min(5, n_options)
    lists = (rng.sample(range(n_options), rng.randint(0, most)) for _ in range(n_ballots))
    return [(1, tuple((option,) for option in ranking)) for ranking in lists]


def random_ticks(n_options, n_ballots):
    rng = shuffler()
    sets = (tuple(o for o in range(n_options) if rng.random() < 0.3) for _ in range(n_ballots))
    return [(1, (ticks,) if ticks else ()) for ticks in sets]


def percent(text):
    return float(text.removesuffix("%"))


@pytest.mark.parametrize(
    ("groups", "digits"),
    [
        ([[1, 2, 3]], 0),
        ([[Fraction(1, 2), 3]], 2),
        ([[Fraction(1001, 1000), Fraction(1002, 1000)]], 3),
        ([[Fraction(10**7 + 1, 10**7), Fraction(10**7 + 2, 10**7)]], 5),
        ([], 0),
    ],
)
def test_as_many_digits_as_tell_totals_apart(groups, digits):
    assert digits_for([[Fraction(value) for value in group] for group in groups]) == digits


def test_a_whole_number_is_shown_whole_and_a_fraction_rounded():
    assert Amount(Fraction(12), 2).shown == Decimal(12)
    assert Amount(Fraction(37, 6), 2).shown == Decimal("6.17")
    assert percent_of(Fraction(1), Fraction(3)) == "33.33%"
    assert percent_of(Fraction(5), Fraction(3)) == "100%"
    assert percent_of(Fraction(5), Fraction(0)) == "0%"


def test_letters_follow_the_result():
    story = story_of("approval", 3, ballots((3, "C"), (2, "A"), (1, "B")))
    assert [story.keys[option].letter for option in (2, 0, 1)] == ["A", "B", "C"]
    assert [story.keys[option].tone for option in (2, 0, 1)] == [1, 2, 3]


def test_thirty_options_have_thirty_letters_and_eight_tones():
    story = story_of("approval", 30, random_ticks(30, 50), 10)
    assert len({key.letter for key in story.keys.values()}) == 30
    assert {"A", "Z", "AA", "AD"} <= {key.letter for key in story.keys.values()}
    assert sorted({key.tone for key in story.keys.values()}) == list(range(9))
    bars = story.steps[0].bars
    assert len(bars.bars) == MOST_BARS
    assert bars.n_left_out == 30 - MOST_BARS
    assert len(story.steps[0].rows) == 30


def test_a_count_without_a_breakdown_still_names_every_option():
    stored = count("spav", Profile(("a", "b", "c"), (0, 1, 2), ballots((2, "C"), (1, "B"))), 1).as_dict()
    stored |= {"order": [2], "rounds": [], "missed_by": {}}
    story = explain(Count.from_dict(stored))
    assert set(story.keys) == {0, 1, 2}
    assert story.steps == story.missed == ()
    assert story.flow is story.duels is story.budget is None


def test_most_ticks_is_one_picture_with_those_who_are_in_first():
    story = story_of("approval", 4, ballots((5, "AB"), (4, "C"), (2, "D")), 2)
    [step] = story.steps
    assert [(bar.option, bar.mark, bar.kept) for bar in step.bars.bars] == [
        (0, "won", "100%"),
        (1, "won", "100%"),
        (2, "", "80%"),
        (3, "", "40%"),
    ]
    assert [(miss.option, miss.by.exact) for miss in story.missed] == [(2, 1), (3, 3)]


def test_a_tie_at_the_line_names_the_number_and_the_lot():
    story = story_of("approval", 3, ballots((2, "A"), (2, "B"), (1, "C")))
    [tie] = story.steps[0].ties
    assert (set(tie.options), tie.chosen, tie.is_by_lot, tie.amount.exact) == ({0, 1}, (0,), True, 2)
    assert not tie.is_about_order_only
    assert story.missed[0].by.exact == 0


def test_spav_shows_how_weights_fall_and_who_is_overtaken():
    story = story_of("spav", 3, ballots((6, "AB"), (4, "C")), 2)
    first, second = story.steps
    assert first.overtaken is None
    assert second.elected == (2,)
    assert second.overtaken == 1
    assert [(weight.value, weight.n, weight.n_chosen) for weight in second.weights] == [("1", 4, 0), ("½", 6, 1)]
    assert [percent(weight.width) for weight in second.weights] == [40, 60]
    assert second.weights[1].x == "40%"
    fallen = next(bar for bar in second.bars.bars if bar.option == 1)
    assert (fallen.kept, fallen.lost, fallen.change.exact) == ("50%", "50%", -3)
    assert second.bars.has_losses
    assert not second.bars.has_gains


@pytest.mark.parametrize("n_seats", [1, 5, 10])
def test_every_seat_of_spav_is_a_round_and_ten_are_folded_never(n_seats):
    story = story_of("spav", 30, random_ticks(30, 200), n_seats)
    assert [step.elected[0] for step in story.steps] == list(story.winners)
    assert len(story.winners) == n_seats
    assert all(step.is_open for step in story.steps)


def test_a_ranked_count_tells_who_was_dropped_and_where_the_votes_went():
    story = story_of("stv", 3, ballots((5, "A>B"), (4, "B>A"), (2, "C>B"), (1, "C>A")))
    first, second = story.steps
    assert (first.note, first.eliminated, first.totals[2].exact) == ("exclusion", (2,), 3)
    assert [(move.source, move.target, move.amount.exact) for move in first.moves] == [(2, 1, 2), (2, 0, 1)]
    assert story.quota.exact == 7
    gained = {bar.option: bar.change and bar.change.exact for bar in second.bars.bars}
    assert gained == {0: 1, 1: 2}
    assert second.bars.line_at.exact == 7


def test_votes_for_nobody_come_last():
    story = story_of("stv", 3, ballots((5, "A>B"), (4, "B>A"), (1, "C>B"), (2, "C>")))
    assert [(move.target, move.amount.exact) for move in story.steps[0].moves] == [(1, 1), (None, 2)]


def test_head_to_head_has_every_pair_and_names_who_beats_all():
    story = story_of("stv", 3, ballots((4, "A>B"), (3, "C>B"), (2, "B>A")))
    duels = story.duels
    assert duels.beats_all == 1
    assert story.winners == (0,)
    assert (duels.cells[1, 0].ours, duels.cells[1, 0].theirs) == (5, 4)
    assert duels.n_won[1] == 2
    assert len(duels.cells) == 6


@pytest.mark.parametrize(("n_options", "n_ballots", "n_seats"), [(4, 15, 1), (8, 97, 3), (30, 700, 5), (30, 40, 10)])
def test_the_flow_loses_no_vote(n_options, n_ballots, n_seats):
    """Every line is as long as all votes; what leaves a line on streams is what comes in on the next."""
    groups = random_ranking(n_options, n_ballots)
    story = story_of("stv", n_options, groups, n_seats)
    flow = story.flow
    everything = sum(1 for _, choice in groups if choice)
    lines = {}
    for segment in flow.segments:
        lines.setdefault(segment.y, []).append(segment)
    assert len(lines) == len(story.steps) == len(flow.labels)
    for line in lines.values():
        assert sum(segment.total for segment in line) == everything
        ordered = sorted(line, key=lambda segment: segment.x)
        assert ordered[0].x >= MARGIN
        assert ordered[-1].x + ordered[-1].width <= WIDTH + 1
        for left, right in pairwise(ordered):
            assert right.x - (left.x + left.width) <= GAP + 1
    assert max(lines) + BAR <= flow.height
    moved = [stream for stream in flow.streams if stream.is_move]
    assert moved
    assert all(stream.path.startswith("M") and stream.path.endswith("Z") for stream in flow.streams)
    assert NOBODY not in flow.options


def test_nothing_is_drawn_where_nothing_moved():
    assert story_of("stv", 3, ballots((5, "A>B"), (1, "B>A"))).flow is None
    assert story_of("stv", 3, [(4, ())]).flow is None


def test_a_long_count_folds_the_rounds_that_chose_nobody():
    story = story_of("stv", 30, random_ranking(30, 700), 5)
    assert len(story.steps) > 6
    assert [step.is_open for step in story.steps] == [bool(step.elected) for step in story.steps]


def test_equal_shares_says_who_paid_what_and_what_is_left():
    groups = ballots((6, "A"), (4, "B"), (2, "AB"))
    story = story_of("equal-shares", 3, groups, costs=(8, 6, 5), budget=20, unit=Fraction(1, 12))
    for step in story.steps:
        purchase = step.purchase
        if purchase.share is not None:
            assert sum(paid.amount.exact * paid.n for paid in purchase.paid) == purchase.cost.exact
    assert [part.hours.exact for part in story.budget.parts] == [8, 6, 6]
    assert story.budget.parts[-1].option is None
    assert story.budget.hours.exact == 20
    assert sum(percent(part.width) for part in story.budget.parts) == pytest.approx(100, abs=0.1)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("n_options", "n_seats", "n_ballots"), [(1, 1, 5), (2, 1, 6), (30, 10, 300), (3, 3, 1)])
def test_every_rule_has_a_story(rule, n_options, n_seats, n_ballots):
    if RULES[rule].kind == "approval":
        groups = random_ticks(n_options, n_ballots)
    elif RULES[rule].kind == "ranking":
        rng = shuffler()
        groups = [(1, tuple((o,) for o in rng.sample(range(n_options), 1))) for _ in range(n_ballots)]
    else:
        groups = [(1, ((n % n_options,),)) for n in range(n_ballots)]
    result = counted(rule, Profile(tuple(map(str, range(n_options))), tuple(range(n_options)), groups), n_seats)
    story = explain(result)
    assert story.winners == result.winners
    assert set(story.keys) == set(range(n_options))
    assert {miss.option for miss in story.missed} == set(result.missed_by)
    for step, each in zip(story.steps, result.rounds, strict=True):
        assert {option: amount.exact for option, amount in step.totals.items()} == dict(each.totals)
        assert [row.amount.exact for row in step.rows] == sorted(each.totals.values(), reverse=True)
        assert {bar.option for bar in step.bars.bars} >= set(each.elected)
        for bar in step.bars.bars:
            assert percent(bar.kept) + percent(bar.gained) + percent(bar.lost) <= 100.1
