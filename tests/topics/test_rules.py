"""The life of a topic, what may be typed, and what is nearly the same: values in, values out."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from membership.kernel.errors import InvalidInput
from membership.topics import rules
from membership.topics.rules import NEXT, SHELVES, WAY, Stage, life, plain, rank_similar, significant

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)


def test_every_stage_has_its_line_and_a_way_out():
    assert set(NEXT) == set(Stage)
    assert [stage for stage, then in NEXT.items() if not then or stage in then] == []


def test_every_stage_can_be_reached_from_a_proposal():
    reached, edge = set(), {Stage.PROPOSED}
    while edge:
        reached |= edge
        edge = {then for now in edge for then in NEXT[now]} - reached
    assert reached == set(Stage)


@given(st.lists(st.sampled_from(list(Stage)), max_size=30))
def test_no_walk_along_the_table_publishes_what_no_poll_chose(wishes):
    now, was_chosen = Stage.PROPOSED, False
    for wish in wishes:
        if rules.may_become(now, wish):
            now = wish
            was_chosen |= now is Stage.CHOSEN
        assert was_chosen or now not in {Stage.REPORTING, Stage.PUBLISHED, Stage.DROPPED}


def test_the_way_of_a_good_topic_is_a_walk_along_the_table():
    assert all(rules.may_become(now, then) for now, then in pairwise(WAY))


def test_every_public_stage_but_merged_stands_on_a_shelf():
    on_shelves = set().union(*SHELVES.values())
    assert on_shelves == rules.PUBLIC - {Stage.MERGED}


def test_the_line_of_a_topic_on_its_way_shows_what_is_ahead():
    moves = [("proposed", AT), ("shortlisted", AT), ("on_ballot", AT), ("not_chosen", AT), ("shortlisted", AT)]
    steps = life(Stage.SHORTLISTED, moves)
    assert [step.stage for step in steps] == list(WAY)
    assert [step.state for step in steps] == ["done", "now", "ahead", "ahead", "ahead", "ahead"]
    assert steps[2].at is None, "the ballot that it lost is no day of the one to come"


def test_the_line_of_a_topic_that_left_the_way_ends_there():
    steps = life(
        Stage.DROPPED, [("proposed", AT), ("shortlisted", AT), ("chosen", AT), ("update", AT), ("dropped", AT)]
    )
    assert [step.stage for step in steps] == [Stage.PROPOSED, Stage.SHORTLISTED, Stage.CHOSEN, Stage.DROPPED]
    assert steps[-1].state == "now"


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("  Night   buses\nto town ", "Night buses to town"),
        ("Night\u200b bu\u202eses to town", "Night buses to town"),
        ("<b>Night</b> buses & trams", "<b>Night</b> buses & trams"),
    ],
)
def test_titles_are_one_visible_line(typed, title):
    assert rules.clean_title(typed) == title


@pytest.mark.parametrize("typed", ["", "   ", "short", "\u200b" * 50, "!!! ??? ...", "x" * 121])
def test_what_is_no_title_is_refused(typed):
    with pytest.raises(InvalidInput) as error:
        rules.clean_title(typed)
    assert error.value.field == "title"


def test_the_longest_title_and_text_are_accepted():
    assert rules.clean_title("я" * 120) == "я" * 120
    assert rules.clean_why("я" * 1500) == "я" * 1500
    with pytest.raises(InvalidInput):
        rules.clean_why("я" * 1501)


def test_paragraphs_stay_and_the_rest_is_tidied():
    assert rules.clean_why("One \u0000line.\r\nAnother.\n\n\n\n Third\u202e. \n") == "One line.\nAnother.\n\nThird."


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)", "JaVaScRiPt://example.org/%0aalert(1)", "data:text/html,x", "vbscript:x", "ftp://example.org",
        "//example.org/a", "https://", "https:///path", "https://localhost", "https://user@example.org/",
        "https://user:secret@example.org/", "https://example.org/a b", 'https://example.org/"onclick=x', "example.org",
        "https://example.org/<script>", "https://example.org\\@evil.example", "https://exa\nmple.org", "https://[::1",
        "https://example.org:port/", "https://.../", "https://example.org/" + "x" * 500,
    ],
)  # fmt: skip
def test_no_link_that_is_not_plainly_a_web_address(address):
    with pytest.raises(InvalidInput) as error:
        rules.clean_address(address, "links")
    assert error.value.field == "links"


@pytest.mark.parametrize(
    "address", ["https://example.org", "http://example.org:8080/a?b=c#d", "https://приклад.укр/стаття"]
)
def test_web_addresses_are_kept_as_typed(address):
    assert rules.clean_address(f" {address} ", "links") == address


def test_links_stand_one_on_a_line_five_at_most_each_once():
    five = [f"https://example.org/{n}" for n in range(5)]
    assert rules.clean_links("\r\n".join([*five, "", five[0]])) == five
    with pytest.raises(InvalidInput):
        rules.clean_links("\n".join([*five, "https://example.org/6"]))


# Near-duplicates ----------------------------------------------------------------------------------------

KNOWN = [
    "Water prices in the port district", "Night buses to the suburbs", "School lunches and who cooks them",
    "Where do the dredging contracts go?", "Ціни на воду в портовому районі", "Хто володіє кранами в порту?",
    "Нічні автобуси до передмість", "Шкільні обіди та хто їх готує", "The mayor's new office",
    "П’ять мостів без ремонту",
]  # fmt: skip


def closest(typed):
    ranked = rank_similar(significant(plain(typed)), [significant(plain(title)) for title in KNOWN], 5)
    return [KNOWN[position] for position, _ in ranked]


@pytest.mark.parametrize(
    ("typed", "known"),
    [
        ("Prices of water in the port", "Water prices in the port district"),
        ("buses at night", "Night buses to the suburbs"),
        ("Dredging contracts: who gets them?", "Where do the dredging contracts go?"),
        ("DREDGING CONTRACTS", "Where do the dredging contracts go?"),
        ("Ціна води в порту", "Ціни на воду в портовому районі"),
        ("Нічний автобус у передмістя", "Нічні автобуси до передмість"),
        ("Обіди у школах, шкільні обіди", "Шкільні обіди та хто їх готує"),
        ("Mayor’s office", "The mayor's new office"),
        ("П'ять мостів", "П’ять мостів без ремонту"),
        # Latin letters among Cyrillic ones, and the other way round.
        ("ХTO BOЛOДIЄ KPAHAMИ", "Хто володіє кранами в порту?"),
        ("Шкiльнi oбiди", "Шкільні обіди та хто їх готує"),
        ("Wаtеr рriсеs", "Water prices in the port district"),
    ],
)
def test_the_same_matter_is_found_whatever_the_order_ending_case_or_keyboard(typed, known):
    assert closest(typed)[:1] == [known]


@pytest.mark.parametrize(
    "typed", ["The", "Хто", "Why is that so?", "Hospital waiting times", "Лікарня без лікарів", "", "???", "В"]
)
def test_another_matter_is_not_called_the_same(typed):
    assert closest(typed) == []


@given(st.text(max_size=200))
def test_folding_leaves_letters_and_digits_and_folds_only_once(text):
    folded = plain(text)
    assert all(ch == " " or ch.isalnum() for ch in folded)
    assert "%" not in folded
    assert "_" not in folded
    assert plain(folded) == folded


@given(st.permutations(["dredging", "contracts", "harbour", "cranes", "schools"]))
def test_the_order_of_words_does_not_matter(words):
    ((_, score),) = rank_similar(" ".join(words), ["dredging contracts harbour cranes schools"], 1)
    assert score == 100


def test_the_median_is_of_whole_days_and_none_without_stories():
    assert rules.median_days([]) is None
    assert rules.median_days([(AT, AT + timedelta(days=n)) for n in (3, 40, 11)]) == 11
    assert rules.median_days([(AT, AT + timedelta(days=n)) for n in (3, 11)]) == 7
