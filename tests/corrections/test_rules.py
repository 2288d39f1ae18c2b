"""Passages, words and states of corrections: values in, values out."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from membership.corrections.rules import (
    ANSWERED,
    LONGEST_CONTEXT,
    NEXT,
    SHELVES,
    TARGETS,
    Anchor,
    State,
    clean_fix,
    clean_note,
    clean_quote,
    clean_reply,
    clean_report,
    is_same_passage,
    split_context,
)
from membership.kernel.errors import InvalidInput

# Passages ----------------------------------------------------------------------------------------------

ALPHABET = "abdegiklmnoprstuvz"
# Some that stand everywhere among many that stand once or twice, as in any language.
COMMON = ("the", "of", "and", "a", "in", "to")


def article_of(seed, n=160):
    luck = random.Random(seed)  # noqa: S311 - a made-up article
    names = ["".join(luck.choice(ALPHABET) for _ in range(luck.randint(4, 9))) for _ in range(n)]
    return [luck.choice(COMMON) if luck.random() < 0.3 else name for name in names]


def marked(words, start, end, reach=120):
    """What the script sends when somebody marks these words: with so many characters before and after."""
    before, quote, after = (" ".join(part) for part in (words[:start], words[start:end], words[end:]))
    return Anchor(quote, before[-reach:], after[:reach])


seeds, places, lengths = st.integers(0, 10_000), st.integers(25, 110), st.integers(1, 14)


@given(seeds, places, lengths)
def test_a_passage_is_itself(seed, start, length):
    anchor = marked(article_of(seed), start, start + length)
    assert is_same_passage(anchor, anchor)


@given(seeds, places, lengths, st.integers(0, 1), st.integers(0, 1))
def test_whoever_marks_a_word_more_or_less_means_the_same(seed, start, length, left, right):
    words = article_of(seed)
    one, other = marked(words, start, start + length), marked(words, start - left, start + length + right)
    assert is_same_passage(one, other)


@given(seeds, places, lengths, st.integers(1, 6), st.booleans())
def test_a_passage_is_found_again_after_small_edits_around_it(seed, start, length, n_edits, has_new_words):
    words = article_of(seed)
    luck = random.Random(seed)  # noqa: S311 - a made-up article
    edited = list(words)
    outside = [at for at in range(len(words)) if at < start - 8 or at >= start + length + 8]
    for at in luck.sample(outside, n_edits):
        edited[at] = "mended"
    if has_new_words:
        edited[2:2] = ["some", "quite", "new", "words"]
        start += 4
    one = marked(words, start - 4 * has_new_words, start - 4 * has_new_words + length)
    assert is_same_passage(one, marked(edited, start, start + length))


@given(seeds, places, st.integers(1, 3))
def test_a_passage_that_was_mended_itself_is_known_by_what_stands_around_it(seed, start, length):
    words = article_of(seed)
    mended = [*words[:start], *(f"mended{n}" for n in range(length)), *words[start + length :]]
    assert is_same_passage(marked(words, start, start + length), marked(mended, start, start + length))


@given(seeds, places, lengths, lengths, st.integers(2, 20))
def test_passages_beside_each_other_are_two(seed, start, length, other_length, gap):
    words = article_of(seed)
    other = start + length + gap
    assert not is_same_passage(marked(words, start, start + length), marked(words, other, other + other_length))


@settings(max_examples=200)
@given(*(st.builds(Anchor, *(st.text("aбв, .’", max_size=12) for _ in range(3))) for _ in range(2)))
def test_it_does_not_matter_who_came_first(one, other):
    assert is_same_passage(one, other) == is_same_passage(other, one)


def test_the_same_word_at_two_places_is_two_passages():
    first = Anchor("port", "Ships leave the old ", " at dawn, and nobody counts them any more.")
    second = Anchor("port", "The council sold half of the ", " to three firms from another town.")
    assert not is_same_passage(first, second)
    assert is_same_passage(first, Anchor("old port", "Ships leave the ", " at dawn, and nobody counts them"))


def test_what_is_typed_without_anything_around_it_is_found_by_itself():
    typed = Anchor("pays 1.2 million a year for the dredging")
    sent = Anchor("1.2 million a year", "Since the flood the port pays ", " for the dredging of its basin")
    assert is_same_passage(typed, Anchor("It pays 1,2 million a year for the dredging."))
    assert is_same_passage(typed, sent)
    assert not is_same_passage(Anchor("million"), sent)
    assert is_same_passage(Anchor("million"), Anchor("Million", "Twelve ", " came after the flood"))


def test_case_marks_and_keyboards_make_no_difference():
    one = Anchor("Сім’я з Миколаєва", "Учора до нас приїхала ", " і розповіла про порт.")
    other = Anchor("сімʼя з миколаєва", "учора до нас приїхала", "і розповіла про порт")
    assert is_same_passage(one, other)


def test_a_comma_may_be_a_passage():
    one = Anchor(",", "We saw the ship that left", " and nobody waved to it.")
    assert is_same_passage(one, one)


def test_what_marks_nothing_is_like_nothing():
    assert not is_same_passage(Anchor(""), Anchor(""))
    assert not is_same_passage(Anchor("", "a b c d e f", "g h i j k l"), Anchor("", "a b c d e f", "g h i j k l"))


def test_the_sentence_that_somebody_copied_is_what_stands_around():
    assert split_context("two", "One two three") == ("One ", " three")
    assert split_context("four", "One two three") == ("", "")
    assert split_context("", "One two three") == ("", "")


# Words -------------------------------------------------------------------------------------------------


def test_a_report_keeps_the_words_next_to_what_was_marked():
    report = clean_report("  a\nquote ", "x" * 400 + " before", "after " + "y" * 400, "a note")
    assert (report.anchor.quote, report.note) == ("a quote", "a note")
    assert report.anchor.prefix.endswith(" before")
    assert report.anchor.suffix.startswith("after ")
    assert {len(report.anchor.prefix), len(report.anchor.suffix)} == {LONGEST_CONTEXT}


def test_a_quote_or_a_note_is_enough_and_nothing_is_not():
    assert clean_report("", "", "", "The date is wrong").anchor.quote == ""
    assert clean_report("teh", "", "", "").note == ""
    assert clean_report(",", "", "", "").anchor.quote == ","
    for nothing in ("", "  \n ", "\u200b\u2060", "\x00"):
        with pytest.raises(InvalidInput):
            clean_report(nothing, "", "", nothing)


def test_what_cannot_be_seen_is_taken_off():
    assert clean_quote("pay\u202epal\u200b\x07 ") == "paypal"
    assert clean_note("one\r\n\r\n\r\ntwo\ud800") == "one\n\ntwo"


@pytest.mark.parametrize(
    ("clean", "args"),
    [
        (clean_quote, ("x" * 1001,)),
        (clean_note, ("x" * 2001,)),
        (clean_reply, ("",)),
        (clean_reply, ("x" * 2001,)),
        (clean_fix, ("", "", "", "")),
        (clean_fix, ("same", " same ", "", "")),
        (clean_fix, ("x" * 1001, "y", "", "")),
        (clean_fix, ("x", "y" * 1001, "", "")),
        (clean_fix, ("x", "y", "h" * 201, "")),
        (clean_fix, ("x", "y", "", "r" * 2001)),
    ],
)
def test_what_is_too_long_or_says_nothing_is_refused_beside_its_field(clean, args):
    with pytest.raises(InvalidInput) as error:
        clean(*args)
    assert error.value.field


def test_a_correction_may_put_something_in_or_take_it_out():
    assert clean_fix("", "and who wins", "", "").before == ""
    assert clean_fix("and who wins", "", "", "").after == ""
    assert clean_fix(",", ";", "", "").after == ";"


# States ------------------------------------------------------------------------------------------------


def test_no_state_is_a_dead_end_and_every_state_is_reached():
    assert set(NEXT) == set(State) == set(SHELVES)
    assert all(NEXT[state] for state in State)
    assert set(itertools.chain.from_iterable(NEXT.values())) == set(State)
    reached = {State.NEW}
    for _ in State:
        reached |= {then for state in reached for then in NEXT[state]}
    assert reached == set(State)


def test_what_readers_are_answered_and_what_may_have_duplicates():
    assert {State.FIXED, State.DECLINED} == ANSWERED
    assert State.DUPLICATE not in TARGETS
    assert State.SPAM not in TARGETS
