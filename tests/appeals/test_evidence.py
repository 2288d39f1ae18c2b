"""Which of two variants brings more: true however often one looks, and exact about what it says."""

import random
from math import exp, isclose, log, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from membership.appeals.rules import evidence
from membership.appeals.rules.evidence import ALPHA, NOTHING, TAU, Arm, Interval, State, compare

N_LOOKS = 30
arms = st.integers(1_000, 3_000_000).flatmap(lambda n: st.builds(Arm, st.just(n), st.integers(0, max(20, n // 50))))


def test_the_ratio_is_that_of_the_paper():
    """By hand: V = 4e-7, tau = 0.001, d = 0.002: sqrt(0.4/1.4) * exp(4e-12 / (2 * 4e-7 * 1.4e-6)) = 19.00."""
    assert isclose(evidence.ratio(0.002, 4e-7, 0.001), sqrt(0.4 / 1.4) * exp(4e-12 / 1.12e-12), rel_tol=1e-12)
    assert round(evidence.ratio(0.002, 4e-7, 0.001), 2) == 19.01
    assert evidence.ratio(0.5, 1e-9, 0.001) > 1e300  # larger than it may be, and no error


def test_the_ratio_is_the_mixture_of_likelihoods_that_it_stands_for():
    """Integrated in small steps: the likelihood of d under each difference, by how likely the mixture takes it."""
    d, variance = 0.0013, 3e-7
    step, total = TAU / 400, 0.0
    for number in range(-4000, 4001):
        delta = number * step
        density = exp(-delta * delta / (2 * TAU * TAU)) / (TAU * sqrt(2 * 3.141592653589793))
        total += density * step * exp((2 * d * delta - delta * delta) / (2 * variance))
    assert isclose(total, evidence.ratio(d, variance, TAU), rel_tol=1e-6)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (Arm(0, 0), Arm(0, 0)),
        (Arm(999, 50), Arm(5000, 50)),
        (Arm(5000, 50), Arm(999, 0)),
        (Arm(1000, 4), Arm(1000, 5)),
        (Arm(1000, 1001), Arm(5000, 3)),
    ],
)
def test_it_is_too_early_before_the_least_numbers(a, b):
    assert compare(a, b) == NOTHING


def test_from_the_least_numbers_on_there_is_an_interval():
    found = compare(Arm(1000, 5), Arm(1000, 5))
    assert found.state is State.EARLY
    assert found.difference.low < 0 < found.difference.high


@pytest.mark.parametrize(
    ("a", "b", "is_more"), [((20_000, 100), (20_000, 220), True), ((20_000, 220), (20_000, 100), False)]
)
def test_a_clear_difference_is_said(a, b, is_more):
    found = compare(Arm(*a), Arm(*b))
    assert (found.state, found.is_more) == (State.AHEAD, is_more)
    assert (found.lift.low > 0) is is_more


def test_what_cannot_be_a_tenth_apart_is_not_worth_waiting_for():
    assert compare(Arm(4_000_000, 20_000), Arm(4_000_000, 20_050)).state is State.EQUAL
    assert compare(Arm(400_000, 2_000), Arm(400_000, 2_005)).state is State.EARLY


def test_a_small_side_that_has_nothing_yet_decides_nothing():
    """With a hold-out of a tenth that happens in a third of all cases, though there is no difference."""
    assert compare(Arm(1000, 0), Arm(9000, 10)).state is State.EARLY
    assert compare(Arm(1000, 0), Arm(9000, 10)).lift.high is None


@pytest.mark.parametrize(("n_of_a", "n_of_b"), [(1000, 1000), (0, 1000), (1000, 0)])
def test_where_nobody_or_everybody_gave_nothing_breaks(n_of_a, n_of_b):
    found = compare(Arm(1000, n_of_a), Arm(1000, n_of_b))
    assert found.difference.low <= (n_of_b - n_of_a) / 1000 <= found.difference.high


@given(arms, arms)
def test_interval_and_verdict_say_the_same(a, b):
    found = compare(a, b)
    if found == NOTHING:
        return
    is_apart = found.difference.low > 0 or found.difference.high < 0
    edge = min(abs(found.difference.low), abs(found.difference.high))
    if edge > 1e-12:
        assert is_apart == (found.state is State.AHEAD)
    assert found.difference.low <= b.share - a.share <= found.difference.high
    lift = found.lift
    if a.n_paid:
        assert lift.low - 1e-9 <= b.share / a.share - 1
        assert lift.high is None or b.share / a.share - 1 <= lift.high + 1e-9
    if found.state is State.AHEAD:
        assert lift.low >= 0 if found.is_more else lift.high <= 0
    else:
        assert lift.low <= 1e-9
        assert lift.high is None or lift.high >= -1e-9


@given(arms, arms)
def test_the_other_way_round_it_says_the_opposite(a, b):
    there, back = compare(a, b), compare(b, a)
    assert there.state is back.state or State.EQUAL in {there.state, back.state}
    if there.state is State.AHEAD:
        assert there.is_more is not back.is_more
    if there.difference.low is not None:
        assert isclose(there.difference.low, -back.difference.high, abs_tol=1e-15)


@given(arms, arms)
def test_a_stricter_question_has_a_wider_answer(a, b):
    found, strict = compare(a, b), compare(a, b, ALPHA / 3)
    if found != NOTHING:
        assert strict.difference.low < found.difference.low
        assert strict.difference.high > found.difference.high


def test_an_interval_without_a_bound_is_within_nothing():
    assert Interval(-0.1, 0.1).is_within(0.1)
    assert not Interval(-0.1, None).is_within(0.1)
    assert not Interval(-0.2, 0).is_within(0.1)


# Looked at every day -----------------------------------------------------------------------------------


def successes(luck: random.Random, n: int, p: float) -> int:
    """How many of n succeed, exactly: by the gaps between them, which are geometric."""
    found, at, scale = 0, 0, log(1 - p)
    while True:
        at += int(log(1 - luck.random()) / scale) + 1
        if at > n:
            return found
        found += 1


def looked_at(seed: str, shares: tuple[float, float], views: tuple[int, int]):
    """One test, looked at every day: what is said at each look."""
    luck = random.Random(seed)  # noqa: S311 - a made-up world
    n_paid = [0, 0]
    for day in range(1, N_LOOKS + 1):
        n_paid = [n + successes(luck, new, share) for n, new, share in zip(n_paid, views, shares, strict=True)]
        yield compare(*(Arm(new * day, n) for new, n in zip(views, n_paid, strict=True)))


def is_ever_decided(seed: str, shares, views) -> bool:
    return any(found.state is State.AHEAD for found in looked_at(seed, shares, views))


@pytest.mark.parametrize(("share", "views"), [(0.001, (2000, 2000)), (0.005, (1800, 200))], ids=["halves", "holdout"])
def test_without_a_difference_none_is_said_in_nineteen_of_twenty_tests_that_are_looked_at_thirty_times(share, views):
    n_wrong = sum(is_ever_decided(f"null {number}", (share, share), views) for number in range(400))
    assert n_wrong <= 20


@pytest.mark.parametrize(("share", "views"), [(0.01, 4_000), (0.005, 8_000)])
def test_a_lift_of_a_fifth_is_found_in_most_tests_by_so_many_views(share, views):
    """120,000 of each variant where 1 % give, 240,000 where 0.5 % do."""
    n_found = sum(is_ever_decided(f"lift {number}", (share, share * 1.2), (views, views)) for number in range(50))
    assert n_found >= 40


def test_the_interval_of_the_lift_holds_the_truth_at_every_look_in_nineteen_of_twenty_tests():
    n_wrong = 0
    for number in range(100):
        looks = [found.lift for found in looked_at(f"cover {number}", (0.005, 0.006), (3000, 3000)) if found != NOTHING]
        n_wrong += not all(lift.low <= 0.2 and (lift.high is None or lift.high >= 0.2) for lift in looks)
    assert n_wrong <= 5
