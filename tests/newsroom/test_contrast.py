import pytest
from hypothesis import given
from hypothesis import strategies as st

from membership.newsroom.rules.contrast import contrast, nearest, read_colour, shade, shown_ratio, weakest
from membership.newsroom.rules.tokens import read_tokens
from membership.resources import resource_dir
from tests.look.test_tokens import TOKENS
from tests.look.test_tokens import contrast as contrast_of_the_look

colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@pytest.mark.parametrize(
    ("typed", "read"),
    [("#8A3323", "#8a3323"), ("8a3323", "#8a3323"), (" #abc ", "#aabbcc"), ("ABC", "#aabbcc")],
)
def test_a_colour_is_read_as_people_type_it(typed, read):
    assert read_colour(typed) == read


@pytest.mark.parametrize("typed", ["", "#12345", "red", "#12345g", "##123456", "url(x)", "#1234567", "#８a3323"])
def test_what_is_no_colour_is_refused(typed):
    with pytest.raises(ValueError, match="Not a colour"):
        read_colour(typed)


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    # Worked out with the formula of WCAG 2.2; #767676 on white is its well-known grey that is just enough.
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#767676", "#ffffff", 4.54),
        ("#777777", "#ffffff", 4.47),
    ],
)
def test_contrast_is_what_wcag_says(one, other, ratio):
    assert shown_ratio(contrast(one, other)) == ratio
    assert contrast(one, other) == contrast(other, one)


@given(colours, colours)
def test_it_is_the_same_that_the_style_sheet_is_tested_with(one, other):
    assert contrast(one, other) == pytest.approx(contrast_of_the_look(one, other))


def test_a_ratio_that_is_not_enough_is_never_shown_as_enough():
    assert shown_ratio(4.4999) == 4.49


@given(colours, st.lists(colours, min_size=1, max_size=4), st.sampled_from([3.0, 4.5]))
def test_the_shade_that_is_offered_has_enough_contrast_everywhere(colour, grounds, least):
    found = nearest(colour, grounds, least)
    passes = [all(contrast(end, ground) >= least for ground in grounds) for end in ("#000000", "#ffffff")]
    assert (found is None) == (not any(passes)) or found == colour
    if found is not None:
        assert weakest(found, [("", ground) for ground in grounds])[1] >= least


@given(colours)
def test_what_has_enough_is_offered_as_it_is(colour):
    grounds = [ground for ground in ("#ffffff", "#000000") if contrast(colour, ground) >= 4.5]
    assert grounds  # every colour can be read on one of them
    assert nearest(colour, grounds, 4.5) == colour


@pytest.mark.parametrize(
    ("colour", "least_apart"), [("#1f77d0", 4.5), ("#e08040", 4.5), ("#22aa55", 4.5), ("#d04090", 4.5)]
)
def test_the_shade_keeps_its_hue_and_is_no_darker_than_it_must_be(colour, least_apart):
    found = nearest(colour, ["#faf5ec"], least_apart)
    assert least_apart <= contrast(found, "#faf5ec") < least_apart + 0.12
    order = [sorted(range(3), key=lambda place: code[1 + 2 * place : 3 + 2 * place]) for code in (colour, found)]
    assert order[0] == order[1]  # the strongest of red, green and blue is still the strongest


@given(colours)
def test_a_stronger_shade_is_darker_and_a_paler_one_lighter(colour):
    black, white = contrast("#000000", colour), contrast("#ffffff", colour)
    assert contrast("#000000", shade(colour, -0.1)) <= black
    assert contrast("#ffffff", shade(colour, 0.1)) <= white


def test_the_colours_of_the_style_sheet_are_read_light_and_dark():
    tokens = read_tokens((resource_dir("templates").parent / "membership/static/tokens.css").read_text())
    assert tokens.light["accent"] in TOKENS
    assert tokens.light["paper"] != tokens.dark["paper"]
    assert tokens.light.keys() == tokens.dark.keys()
