"""One voter must not hold up a count: a lone tick for a costly option needs a share that only many raises give."""

import time
from fractions import Fraction

from membership.polls.counting import Profile, count, equal_shares

MANY = 2000


def profile(groups, costs, budget):
    n_voters = sum(size for size, _ in groups)
    lot = tuple(range(len(costs)))
    return Profile(tuple("abcdefg"[: len(costs)]), lot, groups, costs=costs, budget=budget, unit=Fraction(1, n_voters))


def with_lone_tick(n_voters):
    return profile([(n_voters // 2, ((0,),)), (n_voters // 2 - 1, ((0, 1),)), (1, ((2,),))], (60, 50, 300), 120)


def test_a_lone_tick_among_thousands_takes_no_time():
    began = time.perf_counter()
    assert count("equal-shares", with_lone_tick(MANY), 1).winners == (0, 1)
    assert time.perf_counter() - began < 1


def test_the_leap_over_raises_changes_nothing(monkeypatch):
    leaping = count("equal-shares", with_lone_tick(10), 1).as_dict()
    monkeypatch.setattr(equal_shares, "_raises_without_news", lambda *_: 0)
    assert count("equal-shares", with_lone_tick(10), 1).as_dict() == leaping
