import pytest
import time_machine

from membership.kernel.errors import InvalidInput
from membership.web.tokens import read_signed, signed


def test_a_note_is_read_as_it_was_written(web):
    assert read_signed("a", signed("a", {"n": 1, "text": "ї"}, 60)) == {"n": 1, "text": "ї"}


@pytest.mark.parametrize("change", [lambda text: text + "x", lambda text: text[:-1], lambda text: "", lambda text: "é"])
def test_a_changed_note_is_refused(web, change):
    with pytest.raises(InvalidInput, match="not made") as refused:
        read_signed("a", change(signed("a", 1, 60)))
    assert refused.value.code == "token_invalid"


def test_a_note_for_another_purpose_is_refused(web):
    with pytest.raises(InvalidInput):
        read_signed("b", signed("a", 1, 60))


def test_an_old_note_is_refused(web):
    with time_machine.travel("2026-11-01 12:00:00Z", tick=False) as traveller:
        text = signed("a", 1, 60)
        traveller.shift(59)
        assert read_signed("a", text) == 1
        traveller.shift(1)
        with pytest.raises(InvalidInput) as refused:
            read_signed("a", text)
    assert refused.value.code == "token_expired"
