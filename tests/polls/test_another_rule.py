"""A rule that the house has never heard of: one file and its line in RULES are enough for a whole poll."""

from fractions import Fraction

import pytest

from membership.polls import queries
from membership.polls.counting import RULES, count
from membership.polls.counting.files import read
from membership.polls.counting.lots import block
from membership.polls.counting.result import Count, Round
from membership.polls.counting.rule import Rule
from tests.polls.test_results_page import closed_poll, file_of, page_of, titles_of, words_of

BALLOTS = [[0, 1, 2]] * 3 + [[1, 2]] * 3 + [[2]] + [[]]


def points(profile, groups, n_seats):
    """Dowdall: a first place is worth 1, a second one 1/2, a third one 1/3; the lowest is dropped, then all is over."""
    totals = dict.fromkeys(range(len(profile.options)), Fraction(0))
    for n, choice in profile.groups:
        for place, (option,) in enumerate(choice, 1):
            totals[option] += Fraction(n, place)
    order, lots, missed = block(totals, profile.lot_order, n_seats)
    left = {option: total for option, total in totals.items() if option != order[-1]}
    return Count(
        rule=DOWDALL.slug,
        version=DOWDALL.version,
        n_seats=n_seats,
        options=profile.options,
        winners=tuple(order[:n_seats]),
        order=tuple(order),
        ties=tuple(lots.ties),
        rounds=(Round(1, totals, eliminated=(order[-1],)), Round(2, left, elected=tuple(order[:n_seats]))),
        n_ballots=groups.n_ballots,
        n_blank=groups.n_blank,
        missed_by=missed,
    )


DOWDALL = Rule(
    slug="dowdall-points-of-nauru",
    version="dowdall-points-of-nauru/1",
    kind="ranking",
    name="Points for places",
    sentence="A first place is a point, a second one half a point, and so on.",
    count=points,
)


@pytest.fixture(autouse=True)
def another_rule(monkeypatch):
    monkeypatch.setitem(RULES, DOWDALL.slug, DOWDALL)


def test_a_poll_by_another_rule_is_counted_and_told_in_the_words_of_its_file(client):
    poll = closed_poll(BALLOTS, rule=DOWDALL.slug, n_seats=1)
    titles, words = titles_of(poll), words_of(page_of(client, poll))
    assert queries.winners_now(poll) == [1]
    assert DOWDALL.sentence in words
    assert f"Counting rule {DOWDALL.name} {DOWDALL.version}" in words
    assert f"B {titles[2]} 3.5" in words
    assert f"Round 1 D {titles[3]} is dropped" in words
    assert f"Round 2 A {titles[1]} is chosen" in words
    assert "missed by" in words
    assert "hour" not in words


def test_counting_its_published_ballots_gives_the_published_count(client):
    poll = closed_poll(BALLOTS, rule=DOWDALL.slug, n_seats=1)
    published = read("ballots.json", file_of(client, poll, "ballots.json").data)
    found = count(published.rule, published.profile, published.n_seats)
    assert found == Count.from_dict(queries.result_of(poll.id).count)


def test_it_stands_among_the_other_rules_of_ranked_polls(client):
    poll = closed_poll(BALLOTS, rule="stv", n_seats=1)
    assert DOWDALL.name in words_of(page_of(client, poll))
