from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from membership.patrons.rules import (
    Cause,
    Grant,
    MovementKind,
    Why,
    add_months,
    months_for_gift,
    movement_kind,
    patron_changes,
    place,
    standing,
)

JAN = datetime(2027, 1, 1, tzinfo=UTC)
FEB, MAR, APR, MAY = (JAN.replace(month=n) for n in (2, 3, 4, 5))
DAY = timedelta(days=1)


def period(number, start, end, **changes):
    return Grant(number, Cause.PAID, start, start, end, **changes)


def length(number, paid_at, n_months, **changes):
    return Grant(number, Cause.PAID, paid_at, n_months=n_months, **changes)


def as_pairs(spans):
    return [(span.grant_id, span.starts_at, span.ends_at) for span in spans]


def test_an_invoice_covers_exactly_its_period():
    assert as_pairs(place([period(1, JAN, FEB)])) == [(1, JAN, FEB)]


def test_a_gift_during_a_paid_month_begins_when_the_month_ends():
    assert as_pairs(place([period(1, JAN, FEB), length(2, JAN + 9 * DAY, 1)])) == [
        (1, JAN, FEB),
        (2, FEB, FEB + (add_months(JAN + 9 * DAY, 1) - (JAN + 9 * DAY))),
    ]


def test_a_renewal_pushes_the_rest_of_a_gift_behind_it():
    spans = place([length(1, JAN, 3), period(2, FEB, MAR)])
    assert as_pairs(spans) == [(1, JAN, FEB), (2, FEB, MAR), (1, MAR, MAR + (APR - JAN) - (FEB - JAN))]


def test_a_refunded_gift_ends_at_the_refund_and_the_next_one_moves_up():
    refund = JAN + 10 * DAY
    spans = place([length(1, JAN, 1, revoked_at=refund), length(2, JAN + 5 * DAY, 1)])
    assert as_pairs(spans) == [(1, JAN, refund), (2, refund, refund + 31 * DAY)]


def test_a_refunded_period_ends_at_the_refund():
    assert as_pairs(place([period(1, JAN, FEB, revoked_at=JAN + DAY)])) == [(1, JAN, JAN + DAY)]


def test_a_grant_revoked_before_it_began_covers_nothing():
    assert place([period(1, FEB, MAR, revoked_at=JAN)]) == []


def test_a_gift_of_a_month_from_the_last_of_january_ends_on_the_last_of_february():
    paid = datetime(2027, 1, 31, 12, tzinfo=UTC)
    assert as_pairs(place([length(1, paid, 1)])) == [(1, paid, datetime(2027, 2, 28, 12, tzinfo=UTC))]


def test_one_cup_is_one_month_and_no_gift_covers_more_than_two_years():
    assert [months_for_gift(n) for n in (0, 1, 24, 25, 400)] == [0, 1, 24, 24, 24]


def test_standing_names_the_reason_and_the_end_of_unbroken_coverage():
    spans = place([period(1, JAN, FEB), period(2, FEB, MAR)])
    now = standing(spans, None, JAN + DAY)
    assert (now.is_patron, now.why, now.until) == (True, Why.PAID, MAR)


def test_the_end_of_coverage_is_exclusive():
    assert not standing(place([period(1, JAN, FEB)]), None, FEB).is_patron


def test_grace_keeps_a_patron_but_is_no_coverage():
    now = standing(place([period(1, JAN, FEB)]), FEB + 14 * DAY, FEB + DAY)
    assert (now.is_patron, now.why, now.is_covered) == (True, Why.GRACE, False)


def test_after_coverage_and_grace_the_standing_is_ended():
    now = standing(place([period(1, JAN, FEB)]), FEB + DAY, MAR)
    assert (now.is_patron, now.why, now.until) == (False, Why.ENDED, FEB)


def test_somebody_who_never_gave_has_no_standing():
    assert standing([], None, JAN).why is Why.NONE


def test_movements_are_named_by_what_changed():
    assert [
        movement_kind(0, 0, has_left_before=False),
        movement_kind(0, 5, has_left_before=False),
        movement_kind(0, 5, has_left_before=True),
        movement_kind(5, 9, has_left_before=False),
        movement_kind(9, 5, has_left_before=True),
        movement_kind(5, 0, has_left_before=False),
    ] == [None, MovementKind.NEW, MovementKind.BACK, MovementKind.MORE, MovementKind.LESS, MovementKind.LOST]


days = st.integers(0, 900).map(lambda n: JAN + n * DAY)


@st.composite
def grants(draw):
    made = []
    for number in range(draw(st.integers(0, 7))):
        paid_at = draw(days)
        revoked_at = draw(st.none() | st.integers(0, 400).map(lambda n, paid=paid_at: paid + n * DAY))
        if draw(st.booleans()):
            made.append(period(number, paid_at, paid_at + draw(st.integers(1, 366)) * DAY, revoked_at=revoked_at))
        else:
            made.append(length(number, paid_at, draw(st.integers(1, 24)), revoked_at=revoked_at))
    return made


@given(grants(), st.randoms())
def test_the_order_of_news_never_matters(some, random):
    """Ids are given in order of arrival, so another order means other ids; coverage stays the same."""
    apart = [replace(grant, paid_at=grant.paid_at + timedelta(seconds=n)) for n, grant in enumerate(some)]
    ids = random.sample(range(len(apart)), len(apart))
    renumbered = [replace(grant, id=number) for grant, number in zip(apart, ids, strict=True)]
    back = dict(zip(ids, (grant.id for grant in apart), strict=True))
    again = [(back[span.grant_id], span.starts_at, span.ends_at) for span in place(renumbered)]
    assert sorted(again) == sorted(as_pairs(place(apart)))


@given(grants())
def test_no_paid_month_is_lost_to_overlap(some):
    spans = place(some)
    for grant in some:
        if grant.n_months and grant.revoked_at is None:
            lasted = sum((s.ends_at - s.starts_at for s in spans if s.grant_id == grant.id), timedelta())
            assert lasted == add_months(grant.paid_at, grant.n_months) - grant.paid_at


@given(grants())
def test_lengths_overlap_nothing_and_nothing_covers_before_it_was_paid(some):
    spans = place(some)
    lengths = {g.id for g in some if g.n_months}
    paid_at = {g.id: g.paid_at for g in some}
    for one in spans:
        assert one.starts_at < one.ends_at
        assert one.starts_at >= paid_at[one.grant_id]
        for other in spans:
            if one is not other and one.grant_id in lengths:
                assert one.ends_at <= other.starts_at or other.ends_at <= one.starts_at


@given(grants())
def test_a_revoked_grant_covers_nothing_after_its_revocation(some):
    revoked = {g.id: g.revoked_at for g in some if g.revoked_at}
    assert all(s.ends_at <= revoked[s.grant_id] for s in place(some) if s.grant_id in revoked)


@given(grants(), days)
def test_standing_agrees_with_the_spans(some, at):
    spans = place(some)
    now = standing(spans, None, at)
    assert now.is_covered == any(s.starts_at <= at < s.ends_at for s in spans)
    if now.is_covered:
        assert now.until > at
        assert not any(s.starts_at <= now.until < s.ends_at for s in spans)


# The edges, where one wrong sign would do harm ---------------------------------------------------------------------


def test_coverage_begins_with_its_first_moment():
    assert standing(place([period(1, JAN, FEB)]), None, JAN).is_covered
    assert not standing(place([period(1, FEB, MAR)]), None, JAN).is_patron


def test_the_end_of_grace_is_exclusive_and_coverage_beats_grace():
    spans = place([period(1, JAN, FEB)])
    assert standing(spans, MAR, MAR).why is Why.ENDED
    assert standing(spans, MAR, FEB).until == MAR
    covered = standing(spans, APR, JAN + DAY)
    assert (covered.is_patron, covered.why, covered.until, covered.is_covered) == (True, Why.PAID, FEB, True)


def test_coverage_that_is_only_to_come_is_no_past():
    now = standing(place([period(1, FEB, MAR)]), None, JAN)
    assert (now.is_patron, now.why, now.until) == (False, Why.NONE, None)


def test_what_is_over_ended_with_the_last_of_it():
    spans = place([period(1, JAN, FEB), period(2, MAR, APR), period(3, JAN, JAN + DAY)])
    now = standing(spans, None, MAY)
    assert (now.is_patron, now.is_covered, now.why, now.until) == (False, False, Why.ENDED, APR)
    assert standing(spans, None, APR).until == APR


def test_the_reason_is_that_of_the_span_that_lasts_longest_and_among_equals_of_the_newest():
    gift = Grant(2, Cause.GIFT, JAN, JAN, APR)
    comp = Grant(3, Cause.COMP, JAN, JAN, APR)
    assert standing(place([period(1, JAN, FEB), gift]), None, JAN).why is Why.GIFT
    assert standing(place([period(1, JAN, MAY), gift]), None, JAN).why is Why.PAID
    assert standing(place([gift, comp]), None, JAN).why is Why.COMP


def test_coverage_is_unbroken_only_without_a_gap():
    spans = place([period(1, JAN, FEB), period(2, FEB, MAR), period(3, APR, MAY), period(4, JAN, JAN + DAY)])
    assert standing(spans, None, JAN).until == MAR
    assert standing(spans, None, APR).until == MAY


def test_two_gifts_are_used_up_in_the_order_of_their_payment_then_of_their_numbers():
    later, earlier = length(1, JAN + DAY, 1), length(2, JAN, 1)
    assert as_pairs(place([later, earlier])) == [(2, JAN, FEB), (1, FEB, FEB + 31 * DAY)]
    assert as_pairs(place([length(4, JAN, 1), length(3, JAN, 1)])) == [(3, JAN, FEB), (4, FEB, FEB + 31 * DAY)]


def test_a_gift_is_cut_by_two_paid_months_and_loses_nothing():
    spans = place([length(1, JAN, 1), period(2, JAN + 10 * DAY, JAN + 20 * DAY), period(3, JAN + 25 * DAY, FEB)])
    assert as_pairs(spans) == [
        (1, JAN, JAN + 10 * DAY),
        (2, JAN + 10 * DAY, JAN + 20 * DAY),
        (1, JAN + 20 * DAY, JAN + 25 * DAY),
        (3, JAN + 25 * DAY, FEB),
        (1, FEB, FEB + 16 * DAY),
    ]


def test_a_gift_that_just_fits_before_a_paid_month_is_not_cut():
    assert as_pairs(place([length(1, JAN, 1), period(2, FEB, MAR)])) == [(1, JAN, FEB), (2, FEB, MAR)]


def test_a_refunded_month_gives_its_place_to_a_gift():
    refund = JAN + 10 * DAY
    spans = place([period(1, JAN, FEB, revoked_at=refund), length(2, JAN, 1)])
    assert as_pairs(spans) == [(1, JAN, refund), (2, refund, refund + 31 * DAY)]


def test_a_refund_changes_nothing_of_a_gift_that_was_lived():
    refund = FEB + 10 * DAY
    spans = place([length(1, JAN, 1), period(2, FEB, MAR, revoked_at=refund), length(3, JAN, 1)])
    assert as_pairs(spans) == [(1, JAN, FEB), (2, FEB, refund), (3, refund, refund + 31 * DAY)]


def test_a_refund_in_the_middle_of_a_gift_cuts_another_gift_into_no_pieces():
    spans = place([length(1, JAN, 2), period(2, MAR, APR, revoked_at=JAN + 5 * DAY)])
    assert as_pairs(spans) == [(1, JAN, MAR)]
    assert [span.cause for span in spans] == [Cause.PAID]


def test_a_refund_at_the_very_moment_of_the_payment_leaves_nothing():
    assert place([length(1, JAN, 1, revoked_at=JAN)]) == []
    assert place([period(1, JAN, FEB, revoked_at=JAN)]) == []


def test_the_words_of_a_standing_and_of_a_movement_are_those_that_are_stored():
    assert [cause.value for cause in Cause] == ["paid", "gift", "comp"]
    assert [why.value for why in Why] == ["paid", "gift", "comp", "grace", "ended", "none"]
    assert [kind.value for kind in MovementKind] == ["new", "more", "less", "lost", "back"]


def test_time_as_a_patron_is_written_where_it_is_new():
    assert patron_changes([], [(JAN, FEB)]) == [(JAN, FEB, 1)]
    assert patron_changes([(JAN, FEB, 1)], [(JAN, FEB), (FEB, MAR)]) == [(FEB, MAR, 1)]
    assert patron_changes([(JAN, FEB, 1)], [(JAN, FEB)]) == []


def test_times_that_overlap_make_one_patron_and_touching_ones_one_piece():
    assert patron_changes([], [(JAN, MAR), (FEB, APR), (APR, MAY)]) == [(JAN, MAY, 1)]
    assert patron_changes([], [(JAN, FEB), (MAR, APR)]) == [(JAN, FEB, 1), (MAR, APR, 1)]


def test_what_is_taken_back_is_written_below_zero():
    assert patron_changes([(JAN, MAR, 1)], [(JAN, FEB)]) == [(FEB, MAR, -1)]
    assert patron_changes([(JAN, MAR, 1), (FEB, MAR, -1)], [(JAN, APR)]) == [(FEB, APR, 1)]


def test_of_two_people_who_are_one_the_time_that_both_had_counts_once():
    assert patron_changes([(JAN, MAR, 1), (FEB, APR, 1)], [(JAN, APR)]) == [(FEB, MAR, -1)]
    assert patron_changes([(JAN, MAR, 1)] * 3, []) == [(JAN, MAR, -3)]


def test_an_empty_time_is_none():
    assert patron_changes([], [(FEB, FEB), (MAR, FEB)]) == []


SPANS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 10)).map(lambda pair: (JAN + pair[0] * DAY, JAN + sum(pair) * DAY)),
    max_size=5,
)


@given(st.lists(SPANS, min_size=1, max_size=4))
def test_all_changes_together_are_the_last_times_whatever_came_between(histories):
    known = []
    for times in histories:
        known += patron_changes(known, times)
    for n in range(45):
        at = JAN + n * DAY
        level = sum(delta for start, end, delta in known if start <= at < end)
        assert level == any(start <= at < end for start, end in histories[-1])
