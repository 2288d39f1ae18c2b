"""However a statement is cut, repeated, split or shuffled, its lines keep their names: nothing twice, nothing lost."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from membership.kernel.money import Money
from membership.transfers.rules.matching import Announced, Known, Why, match
from membership.transfers.statements.lines import Kind, Line, Statement, identities

FIRST_DAY = date(2026, 11, 1)
N_DAYS = 6

# Few values, so that equal lines are common; some have the bank's own id, most do not.
days = st.integers(0, N_DAYS - 1).map(lambda n: FIRST_DAY + timedelta(days=n))
without_id = st.builds(
    Line,
    kind=st.just(Kind.CREDIT),
    booked_on=days,
    amount=st.sampled_from([Money(400, "EUR"), Money(800, "EUR")]),
    text=st.sampled_from(["", "Coffee"]),
    name=st.sampled_from(["A", "B"]),
)


@st.composite
def movements(draw):
    """What happened on an account: every line is another movement; those with an id have one of their own."""
    lines = draw(st.lists(without_id, max_size=25))
    has_id = draw(st.lists(st.booleans(), min_size=len(lines), max_size=len(lines)))
    return [
        Line(**{name: getattr(line, name) for name in Line.__dataclass_fields__} | {"own_id": f"T{n}" if own else ""})
        for n, (line, own) in enumerate(zip(lines, has_id, strict=True))
    ]


def names(lines):
    return {identity for identity, _ in identities(Statement("bank", "csv", "DE89", tuple(lines)))}


@given(movements())
def test_every_movement_has_a_name_of_its_own(lines):
    assert len(names(lines)) == len(lines)


@given(movements(), st.data())
def test_statements_that_overlap_in_any_order_tell_of_the_same_movements(lines, data):
    ranges = data.draw(st.lists(st.tuples(st.integers(0, N_DAYS), st.integers(0, N_DAYS)), max_size=6))
    told = set()
    for first, last in [*ranges, (0, N_DAYS)]:
        days_ = {FIRST_DAY + timedelta(days=n) for n in range(first, last + 1)}
        part = data.draw(st.permutations([line for line in lines if line.booked_on in days_]))
        told |= names(part)
    assert told == names(lines)


@given(movements(), st.integers(0, N_DAYS))
def test_two_halves_are_the_whole(lines, day):
    cut = FIRST_DAY + timedelta(days=day)
    early, late = [x for x in lines if x.booked_on < cut], [x for x in lines if x.booked_on >= cut]
    assert names(early) | names(late) == names(lines)
    assert not names(early) & names(late)


@given(movements(), st.data())
def test_lines_with_the_banks_own_id_may_be_cut_anywhere_even_within_a_day(lines, data):
    own = [line for line in lines if line.own_id]
    part = data.draw(st.lists(st.sampled_from(own), max_size=40)) if own else []
    assert names(part) <= names(own)
    assert len(names(part)) == len(set(part))


@given(movements())
def test_the_same_lines_on_another_account_are_other_lines(lines):
    other = {identity for identity, _ in identities(Statement("bank", "csv", "NL91", tuple(lines)))}
    assert not other & names(lines)


# Matching -------------------------------------------------------------------------------------------------

FOUR = Money(400, "EUR")
OLENA = Announced("7", FOUR, ("Olena Example", "olena"))


def test_a_code_is_certain_and_stronger_than_the_account():
    found = match(FOUR, "", Known(coded=["1"], by_account=["2"]))
    assert (found.reference, found.why, found.is_certain) == ("1", Why.CODE, True)


def test_two_codes_in_one_text_are_for_a_person():
    found = match(FOUR, "", Known(coded=["1", "2"]))
    assert (found.why, found.is_certain) == (Why.TWO_CODES, False)


def test_a_known_account_is_certain_unless_two_people_share_it():
    assert match(FOUR, "", Known(by_account=["2"])).is_certain
    assert not match(FOUR, "", Known(by_account=["2", "3"])).is_certain


def test_a_code_with_one_wrong_character_is_only_suggested():
    found = match(FOUR, "", Known(nearly=["4"]))
    assert (found.reference, found.why, found.is_certain) == ("4", Why.NEAR_CODE, False)


def test_the_same_amount_and_a_like_name_are_only_suggested():
    found = match(FOUR, "EXAMPLE, OLENA", Known(announced=[OLENA]))
    assert (found.reference, found.why, found.is_certain) == ("7", Why.NAME, False)
    assert match(Money(800, "EUR"), "Olena Example", Known(announced=[OLENA])) is None
    assert match(FOUR, "Somebody Else", Known(announced=[OLENA])) is None
    assert match(FOUR, "", Known(announced=[OLENA])) is None


def test_what_another_statement_told_or_what_is_hardly_a_gift_is_never_booked_by_itself():
    seen = match(FOUR, "", Known(coded=["1"], is_seen=True))
    assert (seen.reference, seen.why, seen.is_certain) == ("1", Why.SEEN_ELSEWHERE, False)
    assert not match(FOUR, "", Known(by_account=["2"], is_odd=True)).is_certain


def test_what_somebody_opened_again_is_never_booked_by_itself():
    found = match(FOUR, "", Known(coded=["1"], was_decided=True))
    assert (found.reference, found.why, found.is_certain) == ("1", Why.CODE, False)


def test_an_account_through_which_somebody_else_pays_is_only_suggested():
    found = match(FOUR, "Mallory Stranger", Known(by_account=["2"], earlier_names=["Olena Example"]))
    assert (found.reference, found.why, found.is_certain) == ("2", Why.ACCOUNT, False)
    assert match(FOUR, "EXAMPLE OLENA", Known(by_account=["2"], earlier_names=["Olena Example"])).is_certain


def test_one_word_in_common_makes_no_namesake_and_a_list_of_names_catches_nobody():
    many = Announced("8", FOUR, ("Olena Ivan Maria Oleh Petrenko Shevchenko Koval Bondar",))
    for name in ("Ivan Koval", "PETRENKO OLEH", "Koval"):
        assert match(FOUR, name, Known(announced=[many])) is None, name
    assert match(FOUR, "Koval", Known(announced=[Announced("9", FOUR, ("Ivan Koval",))])) is None
    assert not match(FOUR, "Koval", Known(by_account=["2"], earlier_names=["Ivan Koval"])).is_certain
