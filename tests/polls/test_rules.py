"""Choices, orders, windows, sealing: values in, values out."""

from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given, strategies

from membership.kernel.errors import Conflict, InvalidInput
from membership.polls import sealing
from membership.polls.rules import (
    chain,
    check_choice,
    choice_text,
    is_reminder_due,
    lot_order,
    parse_choice,
    refuse_unless_open,
    shown_order,
    weights_of,
)
from membership.polls.sealing import Ballot, PollKey, SealBroken, new_receipt, plain_receipt
from tests.factories.polls import CLOSES, NOW, OPENS

some_positions = strategies.lists(strategies.integers(0, 9), unique=True, max_size=10)


@pytest.mark.parametrize("kind", ["approval", "ranking", "single"])
@given(positions=some_positions)
def test_the_canonical_form_says_the_whole_choice(kind, positions):
    positions = positions[:1] if kind == "single" else positions
    choice = check_choice(kind, 10, 10, positions)
    assert parse_choice(choice_text(choice, kind), kind) == choice
    assert (choice_text(choice, kind) == "") == (positions == [])


@given(positions=some_positions)
def test_ticks_have_no_order_and_rankings_have_one(positions):
    backwards = positions[::-1]
    assert check_choice("approval", 10, 10, positions) == check_choice("approval", 10, 10, backwards)
    is_same = check_choice("ranking", 10, 10, positions) == check_choice("ranking", 10, 10, backwards)
    assert is_same == (len(positions) < 2)


def test_choices_are_written_as_documented():
    assert choice_text(check_choice("approval", 8, 5, [7, 0, 3]), "approval") == "0,3,7"
    assert choice_text(check_choice("ranking", 8, 5, [3, 0, 7]), "ranking") == "3>0>7"
    assert choice_text(check_choice("single", 8, 5, [4]), "single") == "4"


@pytest.mark.parametrize(
    ("text", "kind"), [("3,0", "approval"), ("01", "single"), ("1>", "ranking"), ("x", "ranking"), ("1, 2", "approval")]
)
def test_other_forms_of_a_choice_are_refused(text, kind):
    with pytest.raises(ValueError, match=r"canonical|invalid literal"):
        parse_choice(text, kind)


@pytest.mark.parametrize(
    ("kind", "positions", "code"),
    [
        ("approval", [10], "choice_unknown_option"),
        ("ranking", [1, 2, 1], "choice_twice"),
        ("single", [1, 2], "choice_one_only"),
        ("ranking", [1, 2, 3, 4], "choice_too_many"),
    ],
)
def test_a_ballot_that_cannot_be_is_refused_by_name(kind, positions, code):
    with pytest.raises(InvalidInput) as invalid:
        check_choice(kind, 10, 3, positions)
    assert invalid.value.code == code


def test_lots_can_be_drawn_again_by_anybody():
    assert lot_order("a" * 64, 5) == lot_order("a" * 64, 5) != lot_order("b" * 64, 5)
    assert sorted(lot_order("a" * 64, 30)) == list(range(30))
    orders = {tuple(shown_order("s", f"per_{i}", 4)) for i in range(300)}
    assert len(orders) == 24  # every order comes up


def test_spav_weights_are_harmonic():
    assert weights_of(((0, 2, 5),), [2, 4, 0]) == (Fraction(1), Fraction(1, 2))
    assert weights_of((), [2]) == ()


def test_a_poll_is_open_from_its_first_moment_until_just_before_its_last():
    tick = timedelta(microseconds=1)
    refuse_unless_open("open", OPENS, CLOSES, OPENS)
    refuse_unless_open("open", OPENS, CLOSES, CLOSES - tick)
    for state, at, code in (
        ("open", OPENS - tick, "poll_not_open"),
        ("open", CLOSES, "poll_closed"),
        ("draft", OPENS, "poll_not_open"),
        ("closed", OPENS, "poll_closed"),
        ("cancelled", OPENS, "poll_closed"),
    ):
        with pytest.raises(Conflict) as conflict:
            refuse_unless_open(state, OPENS, CLOSES, at)
        assert conflict.value.code == code


def test_a_short_poll_reminds_nobody_who_has_just_heard_of_it():
    assert not is_reminder_due(NOW, NOW + timedelta(hours=40), NOW + timedelta(hours=1))
    assert is_reminder_due(NOW, NOW + timedelta(hours=40), NOW + timedelta(hours=25))
    assert not is_reminder_due(NOW, NOW + timedelta(hours=40), NOW + timedelta(hours=40))


BALLOT = Ballot("0,3", "n" * 64, "r" * 64, 3, 2**255 + 1)


def test_a_sealed_ballot_opens_with_its_key_for_its_voter_in_its_poll_only():
    key = PollKey(b"k" * 32, "pol_1")
    voter = key.voter_key("per_1")
    sealed = key.seal(voter, BALLOT)
    assert key.open(voter, sealed) == BALLOT
    assert key.seal(voter, BALLOT) != sealed
    broken = bytearray(sealed)
    broken[40] ^= 1
    for other, name, content in (
        (PollKey(b"x" * 32, "pol_1"), voter, sealed),
        (PollKey(b"k" * 32, "pol_2"), voter, sealed),
        (key, key.voter_key("per_2"), sealed),
        (key, voter, bytes(broken)),
        (key, voter, b""),
    ):
        with pytest.raises(SealBroken):
            other.open(name, content)
    assert "k" * 8 not in repr(key)


def test_the_longest_ballot_fits():
    key = PollKey(b"k" * 32, "pol_1")
    longest = Ballot(",".join(map(str, range(30))), "f" * 64, "f" * 64, 10**9, sealing.MODULUS - 1)
    assert len(key.seal("v", longest)) == len(key.seal("v", BALLOT)) == 540


def test_receipts_are_random_and_forgiving_of_typing():
    shown = {new_receipt() for _ in range(1000)}
    assert len(shown) == 1000
    one = "a0b1c-d2e3f-g4h5j-k6m7n"
    assert {plain_receipt(text) for text in (one, one.upper(), " a0b1c d2e3f g4h5j k6m7n ", one.replace("0", "O"))} == {
        "a0b1cd2e3fg4h5jk6m7n"
    }


def test_digests_are_those_that_the_documents_name():
    assert chain.canonical({"b": [1, None], "a": "ї"}) == '{"a":"ї","b":[1,null]}'
    assert chain.moment(NOW) == "2026-11-20T12:00:00.000000Z"
    assert chain.digest_of_lines([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert chain.heads_after(chain.NOTHING, "ballot", ["x"]) == [chain.digest(f"{'0' * 64}|ballot|x")]
