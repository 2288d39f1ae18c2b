"""The reference code: noticed however it is written, and never where it is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iso11649

from membership.transfers.rules import codes

bodies = st.builds(codes.new_body)
BODY = "7K2M4QB"


@given(bodies)
def test_a_code_is_found_however_a_person_or_a_bank_writes_it(body):
    spaced = f"{body[:2]} {body[2:4]}-{body[4:]}"
    for text in (codes.written("HP", body), body.lower(), f"danke! hp {spaced} 2026", f"HP{body}", f"XX/HP{body}YY"):
        assert codes.bodies_in(text, "HP") == [body], text


@given(bodies)
def test_the_creditor_reference_is_valid_and_leads_back_to_the_code(body):
    reference = codes.creditor_reference("HP", body)
    assert iso11649.is_valid(reference)
    assert codes.bodies_in(f"SCOR {iso11649.format(reference)}", "HP") == [body]


@given(bodies, st.integers(0, codes.LENGTH - 1), st.sampled_from(codes.ALPHABET + "01OIL"))
def test_one_wrong_character_is_noticed_and_its_code_is_among_those_it_may_have_been(body, place, char):
    wrong = body[:place] + char + body[place + 1 :]
    if wrong == body:
        return
    assert not codes.is_body(wrong)
    assert body not in codes.bodies_in(f"HP-{wrong}", "HP")
    assert body in codes.near_bodies(f"HP-{wrong}", "HP")


@given(bodies, st.integers(0, codes.LENGTH - 2))
def test_two_characters_that_changed_places_are_noticed(body, place):
    swapped = body[:place] + body[place + 1] + body[place] + body[place + 2 :]
    if swapped != body:
        assert not codes.is_body(swapped)
        assert body in codes.near_bodies(f"HP {swapped}", "HP")


def test_letters_of_another_keyboard_count_as_those_they_look_like():
    body = next(body for body in iter(codes.new_body, None) if set(body) & set("ABEKMHPCTX"))
    cyrillic = body.translate(str.maketrans("ABEKMHPCTX", "АВЕКМНРСТХ"))
    assert codes.bodies_in(f"НР {cyrillic}", "HP") == [body]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Thank you for your reporting",
        "Invoice 2026112 from 20.11.2026",
        "DE89 3704 0044 0532 0130 00",
        "HARBOUR POST",
    ],
)
def test_words_numbers_and_accounts_are_no_codes(text):
    assert codes.bodies_in(text, "HP") == []


def test_the_prefix_is_the_initials_of_the_newsroom():
    assert codes.prefix_of("The Harbour Post") == "HP"
    assert codes.prefix_of("Гавань") == "RM"
    assert codes.prefix_of("the") == "T"
    assert codes.prefix_of("A Very Long Name Indeed") == "AVL"
