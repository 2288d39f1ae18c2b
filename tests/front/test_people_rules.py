"""What was typed, who is asked for, what stands in a cell: decisions about values, without a database."""

import csv
import io
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from membership.accounts.rules import WordKind, folded, words_of
from membership.contributions.rules import State
from membership.front.rules import cells, runs
from membership.front.rules.filters import Column, Filter, Sort, Standing, read_filter, read_sort
from membership.front.rules.naming import clean_name
from membership.front.rules.runs import What
from membership.front.rules.searching import Kind, read
from membership.kernel.errors import InvalidInput
from membership.kernel.rhythm import Rhythm
from membership.transfers.rules import codes
from membership.transfers.rules.accounts import end_of

CODE = codes.new_body()


@pytest.mark.parametrize(
    ("typed", "kind", "value"),
    [
        ("per_0123456789abcdefghjkmnpqrs", Kind.PERSON, "per_0123456789abcdefghjkmnpqrs"),
        (" con_abc ", Kind.SUPPORT, "con_abc"),
        ("gif_abc", Kind.GIFT, "gif_abc"),
        ("2026-000042", Kind.RECEIPT, "2026-000042"),
        ("cus_Nffrz7kA1", Kind.AT_PROVIDER, "cus_Nffrz7kA1"),
        ("sub_1MowQVLkdIwHu7ixeRlqHVzs", Kind.AT_PROVIDER, "sub_1MowQVLkdIwHu7ixeRlqHVzs"),
        ("cs_test_a1B2", Kind.AT_PROVIDER, "cs_test_a1B2"),
        ("DE89 3704 0044 0532 0130 00", Kind.ACCOUNT, "DE89370400440532013000"),
        ("ua213223130000026007233566001", Kind.ACCOUNT, "UA213223130000026007233566001"),
        ("4242", Kind.END, "4242"),
        ("···· 4242".replace("·", "•"), Kind.END, "4242"),
        ("**** 4242", Kind.END, "4242"),
        (codes.written("HP", CODE), Kind.CODE, CODE),
        (codes.creditor_reference("HP", CODE), Kind.CODE, CODE),
        ("Olena@Example.org", Kind.ADDRESS, "olena@example.org"),
        ("@example", Kind.ADDRESS, "@example"),
        ("Олена Петренко", Kind.WORDS, "Олена Петренко"),
        ("42", Kind.WORDS, "42"),
        ("DE89 3704 0044 0532 0130 01", Kind.WORDS, "DE89 3704 0044 0532 0130 01"),
    ],
)
def test_what_was_typed_is_known_by_its_shape(typed, kind, value):
    search = read(typed, "HP")
    assert (search.kind, search.value) == (kind, value)


@pytest.mark.parametrize("nothing", ["", "   ", "\t\n"])
def test_nothing_typed_asks_for_nobody_in_particular(nothing):
    assert read(nothing, "HP") is None


@given(st.text(max_size=300))
def test_whatever_is_typed_is_taken_for_something(typed):
    search = read(typed, "HP")
    assert search is None or len(search.words) <= 6


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Дем’янчук", "демянчук"), ("Дем'янчук", "ДЕМЬЯНЧУК".replace("Ь", "")), ("Zoë", "zoe"), ("Їжак", "іжак"),
        ("Ґалаґан", "галаган"), ("ПЕТРЕНКО", "петренко"), ("  Anna-Maria ", "anna maria"), ("Straße", "strasse"),
    ],
)  # fmt: skip
def test_what_looks_the_same_is_the_same(one, other):
    assert folded(one) == folded(other)


def test_a_person_has_a_beginning_for_whatever_part_of_them_is_typed():
    assert words_of("olena.petrenko+news@example.org", "Олена Марія Петренко") == {
        "олена мария петренко": WordKind.NAME,
        "мария петренко": WordKind.PART,
        "петренко": WordKind.PART,
        "olena.petrenko+news@example.org": WordKind.ADDRESS,
        "@example.org": WordKind.DOMAIN,
        "petrenko": WordKind.PART,
        "news": WordKind.PART,
    }


def test_somebody_who_is_gone_is_found_by_no_word():
    assert words_of("erased-7@erased.invalid", None) == {}


@given(st.text(max_size=200))
def test_every_word_of_a_name_fits_its_column_and_is_none_of_an_addresss(name):
    words = words_of("x@example.org", name)
    assert all(0 < len(word) <= 254 for word in words)
    assert [word for word, kind in words.items() if kind is WordKind.NAME and "@" in word] == []


# Filters ------------------------------------------------------------------------------------------------

WHOLE = Filter(
    q="olena", standing=Standing.GRACE, rhythm=Rhythm.YEARLY, state=State.PAST_DUE, cups_from=2, cups_to=4,
    currency="UAH", way="card", joined_from=date(2026, 1, 2), joined_to=date(2026, 2, 3), trouble=True, look=True,
    role="any", locale="uk", tag="jury",
)  # fmt: skip


def test_a_filter_written_into_an_address_is_read_from_it():
    assert read_filter(WHOLE.to_query()) == (WHOLE, ())
    assert read_filter({}) == (Filter(), ())
    assert Filter().to_query() == {}


@pytest.mark.parametrize("name", [name for name in WHOLE.to_query() if name not in {"q", "tag"}])
def test_what_is_not_understood_is_named_and_not_guessed(name):
    wanted, odd = read_filter(WHOLE.to_query() | {name: "evil"})
    assert (wanted, odd) == (WHOLE.without(name), (name,))


def test_a_filter_asks_of_one_support_where_anything_is_asked_of_it():
    assert Filter(cups_from=0).asks_of_support
    assert not Filter(standing=Standing.PATRON, trouble=True).asks_of_support


def test_a_press_on_a_heading_sorts_by_it_and_another_one_turns_it_round():
    assert read_sort("-until") == Sort(Column.UNTIL, is_down=True)
    assert read_sort("evil") == Sort(Column.JOINED, is_down=True)
    assert Sort(Column.NAME, is_down=False).toggled(Column.NAME) == Sort(Column.NAME, is_down=True)
    assert Sort().toggled(Column.ADDRESS) == Sort(Column.ADDRESS, is_down=False)
    assert Sort().toggled(Column.CUPS) == Sort(Column.CUPS, is_down=True)


# Names --------------------------------------------------------------------------------------------------


def test_names_that_look_the_same_are_one():
    assert clean_name("  Jury\n2026 ") == ("Jury 2026", "jury 2026")
    assert clean_name("JURY 2026")[1] == clean_name("jury  2026")[1]


@pytest.mark.parametrize(
    ("text", "code"), [("", "name_missing"), ("– …", "name_missing"), ("x" * 41, "name_too_long"),
                       ("a@b", "name_is_address")]
)  # fmt: skip
def test_no_name_is_empty_long_or_somebodys_address(text, code):
    with pytest.raises(InvalidInput) as error:
        clean_name(text)
    assert (error.value.code, error.value.field) == (code, "name")


# Cells --------------------------------------------------------------------------------------------------

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "\0=1",
    "＝1",
    "＋1",
    "－1",
    "＠x",
    "  =1",
    "\u00a0=cmd|' /C calc'!A0",
]


@pytest.mark.parametrize("typed", FORMULAS)
def test_no_cell_begins_a_formula(typed):
    assert cells.safe(typed) == "'" + typed


@pytest.mark.parametrize("typed", ["", "Olena", "1=1", "olena@example.org", "Іван + Ганна", "“quoted”", "'=1"])
def test_what_is_no_formula_stays_as_it_is(typed):
    assert cells.safe(typed) == typed


@given(st.text(), st.text())
def test_a_reader_of_csv_gets_back_what_was_written(name, other):
    name, other = name.replace("\0", ""), other.replace("\0", "")
    page = cells.lines([(name, other, None, 7)], risky=(0,))
    assert next(csv.reader(io.StringIO(page, newline=""))) == [cells.safe(name), other, "", "7"]
    assert page.startswith('"')
    assert page.endswith('"\r\n')


# Runs ---------------------------------------------------------------------------------------------------


def test_free_months_are_months():
    assert runs.comp_until(datetime(2026, 11, 30, 9, tzinfo=UTC), 3) == datetime(2027, 2, 28, 9, tzinfo=UTC)


@pytest.mark.parametrize("n", [0, -1, 25, 10**9])
def test_nobody_is_a_guest_for_no_time_or_for_ever(n):
    with pytest.raises(InvalidInput):
        runs.comp_until(datetime(2026, 11, 30, tzinfo=UTC), n)


def test_what_stands_in_histories_needs_a_reason_and_tags_do_not():
    assert runs.clean_reason(What.TAG, "") is None
    assert runs.clean_reason(What.COMP, "  Our\nevening ") == "Our evening"
    for text in ("", "x" * 201):
        with pytest.raises(InvalidInput):
            runs.clean_reason(What.WAY_IN, text)


def test_only_a_mail_cannot_be_taken_back():
    assert [what for what in What if not what.is_undoable] == [What.WAY_IN]


@pytest.mark.parametrize(
    ("account", "end"),
    [("DE89 3704 0044 0532 0130 00", "3000"), ("ua2132231300000260072335660ab", "60AB"), ("a@b.org", None), ("", None),
     ("12345678", None)],
)  # fmt: skip
def test_of_an_account_the_end_is_kept_and_of_an_address_nothing(account, end):
    assert end_of(account) == end
