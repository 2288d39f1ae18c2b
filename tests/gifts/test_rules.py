"""What a gift costs, when it is mailed, what its code looks like, and where it stands."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from membership.gifts.rules import (
    ALPHABET,
    CODE_LENGTH,
    GIVER_MAY,
    MONTHS_OFFERED,
    Stage,
    clean_message,
    clean_name,
    grouped,
    is_reminder_due,
    make_code,
    moment_of_mail,
    price_of,
    read_code,
    stage_of,
)
from membership.kernel.errors import InvalidInput
from membership.newsroom.rules import build_offer

KYIV = ZoneInfo("Europe/Kyiv")
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
OFFER = build_offer("EUR", {"EUR": 400}, {"EUR": 100}, 15, {"EUR": 25})


@pytest.mark.parametrize(("cups", "months", "minor"), [(1, 1, 400), (1, 3, 1200), (2, 6, 4800), (4, 12, 19200)])
def test_a_gift_costs_its_cups_for_its_months(cups, months, minor):
    assert price_of(OFFER, cups, months).minor == minor


@pytest.mark.parametrize(
    ("cups", "months", "field"), [(3, 3, "cups"), (0, 1, "cups"), (1, 2, "months"), (1, 0, "months")]
)
def test_what_is_not_on_offer_has_no_price(cups, months, field):
    with pytest.raises(InvalidInput) as refused:
        price_of(OFFER, cups, months)
    assert refused.value.field == field


def test_a_mail_for_today_leaves_at_once_and_any_other_at_eight_in_the_newsrooms_morning():
    assert moment_of_mail(date(2026, 11, 22), KYIV, NOON) == NOON
    assert moment_of_mail(date(2026, 12, 24), KYIV, NOON) == datetime(2026, 12, 24, 6, tzinfo=UTC)
    assert moment_of_mail(date(2027, 7, 1), KYIV, NOON) == datetime(2027, 7, 1, 5, tzinfo=UTC), "summer time"


def test_today_is_the_newsrooms_today():
    late = datetime(2026, 11, 22, 23, tzinfo=UTC)  # the 23rd in Kyiv
    with pytest.raises(InvalidInput, match="over"):
        moment_of_mail(date(2026, 11, 22), KYIV, late)
    assert moment_of_mail(date(2026, 11, 23), KYIV, late) == late


def test_a_mail_can_wait_for_a_year_and_no_longer():
    assert moment_of_mail(date(2027, 11, 22), KYIV, NOON)
    with pytest.raises(InvalidInput) as refused:
        moment_of_mail(date(2027, 11, 23), KYIV, NOON)
    assert refused.value.code == "day_too_far"


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_code_is_the_same_each_time_and_another_for_another_gift(key, nonce):
    code = make_code(key, nonce)
    assert code == make_code(key, nonce)
    assert (len(code), set(code) - set(ALPHABET)) == (CODE_LENGTH, set())
    assert code != make_code(key, nonce + "x")
    assert code != make_code(key + "x", nonce)


@given(st.text(ALPHABET, min_size=CODE_LENGTH, max_size=CODE_LENGTH))
def test_a_code_is_read_however_it_is_typed(code):
    for typed in (code, grouped(code), grouped(code).lower(), f"  {grouped(code).replace('-', ' – ')}\n"):
        assert read_code(typed) == code


def test_lookalikes_of_another_keyboard_and_of_bad_print_are_forgiven():
    assert read_code("oOiIlL-АВЕК-МН") == "001111ABEKMH"


@pytest.mark.parametrize("typed", ["", "7K3M", "7K3M-9XQ2-TBVW-1", "7K3M-9XQ2-TBV!", "УUUUUUUUUUUU", "x" * 5000])
def test_what_cannot_be_a_code_is_none(typed):
    assert read_code(typed) is None


@pytest.mark.parametrize(
    ("known", "stage"),
    [
        ("", Stage.UNPAID),
        ("paid", Stage.PAID),
        ("paid send", Stage.SCHEDULED),
        ("send", Stage.UNPAID),
        ("paid send sent", Stage.SENT),
        ("paid send sent redeemed", Stage.REDEEMED),
        ("paid redeemed", Stage.REDEEMED),
        ("paid returned", Stage.RETURNED),
        ("paid send sent redeemed returned", Stage.RETURNED),
    ],
)
def test_where_a_gift_stands_follows_from_its_moments(known, stage):
    moments = {
        f"{name}_at": NOON if name in known.split() else None
        for name in ("paid", "send", "sent", "redeemed", "returned")
    }
    assert stage_of(**moments) is stage


def test_nothing_can_be_done_about_a_gift_that_is_over_and_everything_else_can_be_printed():
    assert {stage for stage in Stage if not GIVER_MAY[stage]} == {Stage.UNPAID, Stage.REDEEMED, Stage.RETURNED}
    assert all("print" in GIVER_MAY[stage] for stage in (Stage.PAID, Stage.SCHEDULED, Stage.SENT))
    assert set(MONTHS_OFFERED) == {1, 3, 6, 12}


def test_names_are_one_line_and_messages_plain_paragraphs():
    assert clean_name(" Taras\r\n Bcc: x ", "receiver_name") == "Taras Bcc: x"
    assert clean_message("One.\n\n\n\nTwo.") == "One.\n\nTwo."
    assert clean_message("   ") is None
    for text, field in (("", "receiver_name"), ("x" * 61, "from_name")):
        with pytest.raises(InvalidInput) as refused:
            clean_name(text, field)
        assert refused.value.field == field
    with pytest.raises(InvalidInput):
        clean_message("x" * 501)


def test_a_reminder_is_due_after_sixty_days():
    assert not is_reminder_due(NOON, NOON + timedelta(days=59, hours=23))
    assert is_reminder_due(NOON, NOON + timedelta(days=60))
