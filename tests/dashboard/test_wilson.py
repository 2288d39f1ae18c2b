"""The interval of a share: as it is published, and as it must be whatever the numbers."""

from math import isclose, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from membership.dashboard.rules.wilson import Z95, Interval, wilson

SHARES = st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("n_yes", "n", "low", "high"),
    [
        # R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998),
        # 857-872, Table I, method 3 (score, without continuity correction).
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_published_values(n_yes, n, low, high):
    found = wilson(n_yes, n)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_by_hand_with_one_of_two():
    # z = 1: the middle stays at a half, and half of the width is sqrt(1/8 + 1/16) / (3/2) = 1 / (2 * sqrt(3)).
    found = wilson(1, 2, z=1)
    assert isclose(found.low, 0.5 - 1 / (2 * sqrt(3)))
    assert isclose(found.high, 0.5 + 1 / (2 * sqrt(3)))


def test_of_nobody_everything_is_possible_and_of_all_or_none_an_end_is_exact():
    assert wilson(0, 0) == Interval(0, 1)
    assert (wilson(0, 7).low, wilson(7, 7).high) == (0, 1)


@pytest.mark.parametrize(("n_yes", "n"), [(-1, 3), (4, 3), (1, 0)])
def test_what_is_no_share_is_refused(n_yes, n):
    with pytest.raises(ValueError, match="is no share"):
        wilson(n_yes, n)


@given(SHARES)
def test_it_lies_within_zero_and_one_around_what_was_seen(share):
    found = wilson(*share)
    seen = share[0] / share[1]
    assert 0 <= found.low <= seen <= found.high <= 1


@given(SHARES)
def test_yes_and_no_mirror_each_other(share):
    n_yes, n = share
    yes, no = wilson(n_yes, n), wilson(n - n_yes, n)
    assert isclose(yes.low, 1 - no.high, abs_tol=1e-12)
    assert isclose(yes.high, 1 - no.low, abs_tol=1e-12)


@given(SHARES)
def test_both_ends_solve_the_equation_that_defines_them(share):
    n_yes, n = share
    found = wilson(n_yes, n)
    for p in (found.low, found.high):
        assert isclose(abs(n_yes / n - p), Z95 * sqrt(p * (1 - p) / n), abs_tol=1e-9) or p in {0, 1}


@given(SHARES, st.integers(2, 50))
def test_more_people_with_the_same_share_make_it_narrower(share, times):
    n_yes, n = share
    few, many = wilson(n_yes, n), wilson(n_yes * times, n * times)
    assert many.high - many.low < few.high - few.low


@given(SHARES, SHARES)
def test_overlapping_is_mutual(one, other):
    first, second = wilson(*one), wilson(*other)
    assert (
        first.overlaps(second) == second.overlaps(first) == (max(first.low, second.low) <= min(first.high, second.high))
    )
