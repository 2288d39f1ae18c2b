"""What an appeal may be and say: states, rules, words. Values in, values out."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from membership.appeals import rules
from membership.appeals.rules import Fault, Plan, Remark, State, Variant, Warn
from membership.kernel.errors import InvalidInput
from tests.factories.appeals import OTHER, SLOVA, WORDS, make_variant

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=7)
DAY = timedelta(days=1)


def refused(rule, *args, **kwargs) -> tuple[str, str | None]:
    with pytest.raises(InvalidInput) as caught:
        rule(*args, **kwargs)
    return caught.value.code, caught.value.field


# States ------------------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from(State), max_size=8))
def test_whatever_is_tried_a_started_appeal_never_changes_again_and_a_stopped_one_never_runs_again(tries):
    state, seen = State.DRAFT, [State.DRAFT]
    for then in tries:
        if rules.may_become(state, then):
            state = then
            seen.append(state)
    assert seen == [State.DRAFT, State.RUNNING, State.STOPPED][: len(seen)]
    assert rules.may_change(state) is (len(seen) == 1)


def test_every_state_has_its_line_and_its_shelf():
    assert set(rules.NEXT) == set(State) == set(rules.SHELVES)


@given(
    st.none() | st.integers(-9, 9), st.none() | st.integers(1, 9), st.integers(-9, 9), st.sampled_from(State),
)  # fmt: skip
def test_it_is_shown_between_its_start_and_its_end_while_it_runs_and_at_no_other_time(start, length, at, state):
    starts_at = None if start is None else NOW + start * DAY
    ends_at = None if length is None else NOW + ((start or 0) + length) * DAY
    shown = rules.is_shown(state, starts_at, ends_at, NOW + at * DAY)
    assert shown is (
        state is State.RUNNING and start is not None and start <= at and (length is None or at < start + length)
    )
    assert not (shown and rules.is_over(state, ends_at, NOW + at * DAY))


def test_it_begins_when_it_is_started_or_later_and_never_before():
    assert rules.first_moment(None, NOW) == NOW
    assert rules.first_moment(NOW - DAY, NOW) == NOW
    assert rules.first_moment(LATER, NOW) == LATER


@pytest.mark.parametrize(
    ("wanted", "code"),
    [(None, "end_missing"), (NOW, "end_past"), (LATER, "end_later"), (LATER + DAY, "end_later")],
)
def test_a_running_appeal_can_only_end_sooner(wanted, code):
    assert refused(rules.check_sooner, NOW - DAY, LATER, wanted, NOW) == (code, "ends_at")


def test_one_that_has_not_begun_ends_after_its_beginning():
    assert rules.check_sooner(NOW - DAY, None, LATER, NOW) == LATER
    assert rules.check_sooner(NOW - DAY, LATER, LATER - DAY, NOW) == LATER - DAY
    assert refused(rules.check_sooner, LATER, None, LATER, NOW)[0] == "end_past"


# Rules of one appeal -----------------------------------------------------------------------------------


def test_lists_are_typed_with_commas_and_kept_in_lower_case_each_once():
    assert rules.clean_words(" Port , Money,, port;\nTHE  Council ", "tags") == ("port", "money", "the council")
    assert rules.clean_words("", "tags") == ()


@pytest.mark.parametrize(
    ("text", "code"), [(",".join(f"w{n}" for n in range(21)), "too_many_words"), ("x" * 41, "word_too_long")]
)
def test_a_list_that_is_too_long_is_refused(text, code):
    assert refused(rules.clean_words, text, "sections") == (code, "sections")
    assert len(rules.clean_words(",".join(f"{n:>040}" for n in range(20)), "sections")) == 20


def test_countries_have_two_letters():
    assert rules.clean_countries("ua, PL") == ("UA", "PL")
    for text in ("Ukraine", "u", "1a", "уа"):
        assert refused(rules.clean_countries, text) == ("country_unknown", "countries")


@pytest.mark.parametrize(
    "change",
    [
        {"priority": 0}, {"priority": 10}, {"cap_views": 0}, {"cap_days": 366}, {"days_between": -1},
        {"holdout_percent": 51}, {"holdout_percent": -1}, {"name": " "}, {"name": "x" * 81},
        {"starts_at": LATER, "ends_at": LATER},
    ],
)  # fmt: skip
def test_numbers_out_of_reach_and_dates_the_wrong_way_round_are_refused(change):
    assert refused(rules.clean_plan, Plan(**({"name": "Foot"} | change)))[1] in {*change, "ends_at"}


def test_a_plan_is_cleaned_once_and_for_all():
    plan = rules.clean_plan(Plan(" Foot  of it ", sections=("Port", "port"), countries=("ua",), ends_at=LATER))
    assert (plan.name, plan.sections, plan.countries, plan.ends_at) == ("Foot of it", ("port",), ("UA",), LATER)
    assert rules.clean_plan(plan) == plan


# Words -------------------------------------------------------------------------------------------------


def test_a_body_keeps_its_paragraphs_each_on_a_line_and_a_heading_is_one_line():
    assert (
        rules.clean_part("body", "One  paragraph.\r\n\r\n\r\nAnother paragraph.")
        == "One paragraph.\nAnother paragraph."
    )
    assert rules.clean_part("title", "Two\nlines of it") == "Two lines of it"
    assert rules.clean_part("button", " \n ") == ""


@pytest.mark.parametrize("part", rules.PARTS)
def test_each_text_has_a_shortest_and_a_longest_length(part):
    lengths = rules.LENGTHS[part]
    for n in (lengths.start, lengths.stop - 1):
        assert rules.clean_part(part, "x" * n) == "x" * n
    for n in (lengths.start - 1, lengths.stop):
        assert refused(rules.clean_part, part, "x" * n, "a_en_title") == (f"{part}_length", "a_en_title")


@pytest.mark.parametrize("text", ["Join for {price} now", "Join { now please", "Join for {Amount}", "{{amount}} it is"])
def test_a_brace_means_the_amount_and_nothing_else(text):
    assert refused(rules.clean_part, "title", text) == ("placeholder_unknown", "title")
    assert rules.clean_part("title", "Join for {amount} now") == "Join for {amount} now"


def test_a_variant_keeps_the_languages_in_which_something_is_written():
    empty = dict.fromkeys(rules.PARTS, "")
    cleaned = rules.clean_variant(Variant("b", 2, {"en": WORDS, "uk": empty, "xx": WORDS}), {"en", "uk"})
    assert cleaned == Variant("b", 2, {"en": WORDS})
    assert refused(rules.clean_variant, Variant("a", 0), {"en"})[1] == "a_weight"
    assert refused(rules.clean_variant, Variant("-", 1), {"en"})[0] == "weight_out_of_reach"


def test_one_more_variant_takes_the_first_letter_that_is_free():
    assert rules.next_key(set()) == "a"
    assert rules.next_key({"a", "c"}) == "b"
    assert rules.next_key(set("abcd")) is None


def test_it_is_told_in_the_languages_in_which_every_variant_is_whole():
    half = {"title": WORDS["title"], "body": "", "button": ""}
    assert rules.languages_of([make_variant(), make_variant("b")], ["uk", "en"]) == ["uk", "en"]
    assert rules.languages_of([make_variant(), make_variant("b", uk=half)], ["uk", "en"]) == ["en"]
    assert rules.languages_of([make_variant(), make_variant("b", en=None)], ["en"]) == []
    assert rules.languages_of([], ["en"]) == []


def test_it_starts_once_no_word_is_missing_in_the_newsrooms_own_language():
    whole, other = make_variant(), make_variant("b", uk=None)
    assert rules.faults_of([whole, other], "en", LATER, NOW) == []
    assert rules.faults_of([whole, other], "uk", None, NOW) == [Remark(Fault.NO_TEXT, "b", "uk")]
    assert rules.faults_of([], "en", NOW, NOW) == [Remark(Fault.NO_VARIANT), Remark(Fault.END_PAST)]


def test_warnings_refuse_nothing_and_name_where_to_look():
    long = WORDS | {"title": "x" * 61, "body": "x" * 401}
    found = rules.warnings_of([make_variant(en=long), make_variant("b"), make_variant("c")], ["en", "uk"], 0)
    assert found == [
        Remark(Warn.LONG_TITLE, "a", "en"), Remark(Warn.LONG_BODY, "a", "en"), Remark(Warn.SAME_WORDS, "c"),
        Remark(Warn.NO_HOLDOUT),
    ]  # fmt: skip
    one = [make_variant(), make_variant("b", en=OTHER, uk=None)]
    assert rules.warnings_of(one, ["en", "uk"], 10) == [Remark(Warn.ONE_LANGUAGE, "", "uk")]
    assert rules.warnings_of([make_variant(), make_variant("b", en=OTHER, uk=SLOVA)], ["en", "uk"], 10) == []
