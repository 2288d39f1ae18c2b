"""A ranking put in order tap by tap: the same rules with and without JavaScript."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from membership.kernel.errors import InvalidInput
from membership.polls.forms import arrange, moment_in, read_order

KYIV = ZoneInfo("Europe/Kyiv")
MOVES = st.tuples(st.sampled_from(["add", "up", "down", "remove"]), st.integers(0, 7))


@st.composite
def rankings(draw, most=8):
    return draw(st.permutations(range(8)))[: draw(st.integers(0, most))]


@given(rankings(5), st.lists(MOVES, max_size=30))
def test_whatever_is_pressed_it_stays_a_ranking_that_may_be_cast(order, moves):
    for verb, position in moves:
        order = arrange(order, f"{verb}-{position}", 8, 5)
        assert len(set(order)) == len(order) <= 5
        assert set(order) <= set(range(8))


@given(rankings(), MOVES)
def test_a_move_touches_only_its_own_card(order, move):
    verb, position = move
    new = arrange(order, f"{verb}-{position}", 8, 8)
    assert [other for other in new if other != position] == [other for other in order if other != position]


@given(rankings(), st.integers(0, 7))
def test_up_and_down_take_each_other_back(order, position):
    up = arrange(order, f"up-{position}", 8, 8)
    if up != list(order):
        assert arrange(up, f"down-{position}", 8, 8) == list(order)
        assert up.index(position) == list(order).index(position) - 1


@given(rankings(7), st.integers(0, 7))
def test_what_is_added_stands_last_and_can_be_taken_out(order, position):
    added = arrange(order, f"add-{position}", 8, 8)
    if position not in order:
        assert added == [*order, position]
    assert position not in arrange(added, f"remove-{position}", 8, 8)


@given(rankings(5), st.integers(0, 7))
def test_nothing_is_added_to_a_full_ranking(order, position):
    assert arrange(order, f"add-{position}", 8, len(order)) == list(order)


@given(rankings())
def test_an_order_is_read_as_it_was_written(order):
    assert read_order(",".join(map(str, order))) == list(order)


@pytest.mark.parametrize("move", ["", "add", "add-", "add-8", "up--1", "drop-1", "add-1;", "add-٣", "ADD-1", "add-1\n"])
def test_an_unknown_move_is_refused(move):
    with pytest.raises(InvalidInput):
        arrange([1, 2], move, 8, 5)


@pytest.mark.parametrize("text", ["a", "1,", ",1", "1;2", "1, 2", "-1", "1" * 5, "0," * 300 + "0"])
def test_an_order_that_no_page_of_ours_sends_is_refused(text):
    with pytest.raises(InvalidInput):
        read_order(text)


def test_an_option_that_is_not_on_the_ballot_is_refused_also_in_the_order():
    with pytest.raises(InvalidInput):
        arrange([9], "add-1", 8, 5)


# Times of the newsroom ---------------------------------------------------------------------------------


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


def test_a_time_is_one_of_the_newsrooms_clock():
    assert moment_in(KYIV, datetime(2026, 7, 1, 9, 0), "opens_at") == utc(2026, 7, 1, 6, 0)  # noqa: DTZ001
    assert moment_in(KYIV, datetime(2026, 12, 1, 9, 0), "opens_at") == utc(2026, 12, 1, 7, 0)  # noqa: DTZ001


def test_a_time_that_the_spring_skips_is_refused_and_names_its_field():
    with pytest.raises(InvalidInput) as caught:
        moment_in(KYIV, datetime(2026, 3, 29, 3, 30), "closes_at")  # noqa: DTZ001
    assert (caught.value.code, caught.value.field) == ("no_such_time", "closes_at")


def test_in_the_hour_that_autumn_repeats_a_poll_is_open_in_both_readings():
    typed = datetime(2026, 10, 25, 3, 30)  # noqa: DTZ001
    assert moment_in(KYIV, typed, "opens_at") == utc(2026, 10, 25, 0, 30)
    assert moment_in(KYIV, typed, "closes_at", is_later=True) == utc(2026, 10, 25, 1, 30)
