"""Whether voters stay, counted by hand; and that it is counted once."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from membership.accounts import services as accounts
from membership.dashboard.jobs import freeze_stays
from membership.dashboard.models import FrozenStay
from membership.db import db, transaction
from membership.patrons import services as patrons
from membership.patrons.models import CoverageGrant
from membership.polls.models import Poll
from tests.dashboard.conftest import kyiv
from tests.factories.polls import cast_ballot, close_poll, make_patrons, make_poll

pytestmark = pytest.mark.usefixtures("app")
OPENS = kyiv("2026-08-01 10:00")
CLOSES = OPENS + timedelta(days=7)
OVER = CLOSES + timedelta(days=90)
RANGE = {"first": "2026-11-01", "last": "2026-11-30", "at": OVER + timedelta(days=25)}
NONE = (None, None, None, None)


def leave(person_id: int, at=CLOSES + timedelta(days=30)) -> None:
    """Their money goes back, and so they are no patron from then on."""
    patrons.revoke(db.session.scalar(select(CoverageGrant.cause_ref).where(CoverageGrant.person_id == person_id)), at)


def hold(n_voters: int, n_others: int, opens=OPENS) -> tuple[Poll, list[int], list[int]]:
    """A closed poll with so many people who voted and who did not; their ids."""
    people = make_patrons(n_voters + n_others, now=opens)
    poll = make_poll(now=opens, opens_at=opens, closes_at=opens + timedelta(days=7))
    for person_id in people[:n_voters]:
        cast_ballot(poll, person_id, [0], opens)
    return close_poll(poll, opens + timedelta(days=7)), people[:n_voters], people[n_voters:]


def frozen() -> tuple:
    row = db.session.scalars(select(FrozenStay)).one()
    return row.n_voters, row.n_voters_stayed, row.n_others, row.n_others_stayed


def test_how_many_of_each_are_patrons_ninety_days_after_the_close(ask):
    poll, voters, others = hold(6, 10)
    for person_id in (voters[0], *others[:7]):
        leave(person_id)
    freeze_stays(OVER)
    assert frozen() == (6, 5, 10, 3)
    result = ask("voters-stay", **RANGE)
    # By hand: 5 of 6 is 0.4365 to 0.9699; 3 of 10 is 0.1078 to 0.6032. They overlap.
    said = ("Too early to say",)
    voted = ("Voted", 6, 5, Decimal("0.8333"), Decimal("0.4365"), Decimal("0.9699"), *said)
    did_not = ("Did not vote", 10, 3, Decimal("0.3"), Decimal("0.1078"), Decimal("0.6032"), *said)
    assert result.table.rows == (
        ("All together", *voted), ("All together", *did_not), (poll.title, *voted), (poll.title, *did_not),
    )  # fmt: skip
    assert (result.now, result.before) == (Decimal("0.8333"), None)


@pytest.mark.parametrize(
    ("left_of_voters", "left_of_others", "said"),
    [(0, 20, "Voters stay more often"), (20, 0, "Voters stay less often"), (10, 10, "Too early to say")],
)
def test_where_the_intervals_do_not_meet_something_can_be_said(ask, left_of_voters, left_of_others, said):
    _, voters, others = hold(20, 20)
    for person_id in (*voters[:left_of_voters], *others[:left_of_others]):
        leave(person_id)
    freeze_stays(OVER)
    assert {row[7] for row in ask("voters-stay", **RANGE).table.rows} == {said}


def test_not_a_moment_before_the_ninety_days_are_over(ask):
    hold(5, 5)
    freeze_stays(OVER - timedelta(microseconds=1))
    assert db.session.scalars(select(FrozenStay)).all() == []
    freeze_stays(OVER)
    assert db.session.scalars(select(FrozenStay.stood_at)).one() == OVER


def test_it_is_counted_once_whatever_happens_afterwards(ask):
    _, voters, _ = hold(5, 5)
    freeze_stays(OVER)
    leave(voters[0])  # heard late
    freeze_stays(OVER + timedelta(days=1))
    assert frozen() == (5, 5, 5, 5)
    with pytest.raises(DBAPIError, match="append-only"), transaction("test"):
        db.session.execute(update(FrozenStay).values(n_voters=4))


def test_who_leaves_after_those_days_has_stayed(ask):
    _, voters, others = hold(5, 5)
    leave(voters[0], OVER)
    leave(others[0], OVER + timedelta(seconds=1))
    freeze_stays(OVER + timedelta(days=3))
    assert frozen() == (5, 4, 5, 5)


def test_who_keeps_it_while_a_payment_is_tried_again_is_a_patron(ask):
    _, voters, _ = hold(5, 5)
    for person_id in voters[:3]:
        leave(person_id)
    patrons.open_grace(voters[0], "con_1", opened_at=OVER - timedelta(days=3), days=14)
    patrons.open_grace(voters[1], "con_2", opened_at=OVER - timedelta(days=3), days=14)
    patrons.close_grace("con_2", OVER - timedelta(days=1))
    freeze_stays(OVER)
    assert frozen() == (5, 3, 5, 5)


@pytest.mark.parametrize(("n_voters", "n_others", "kept"), [(4, 6, (None, None, 6, 6)), (6, 4, (6, 6, None, None))])
def test_of_fewer_than_five_people_nothing_is_kept_nor_shown(ask, n_voters, n_others, kept):
    hold(n_voters, n_others)
    freeze_stays(OVER)
    assert frozen() == kept
    rows = ask("voters-stay", **RANGE).table.rows
    few = [row for row in rows if row[2] == "fewer than 5"]
    assert {row[1] for row in few} == {"Voted" if n_voters < 5 else "Did not vote"}
    assert {row[3:7] for row in few} == {NONE}
    assert {row[7] for row in rows} == {"Nothing to compare with"}


def test_two_people_who_turned_out_to_be_one_are_one_voter(ask):
    people = make_patrons(12, now=OPENS)
    poll = make_poll(now=OPENS, opens_at=OPENS, closes_at=CLOSES)
    for person_id in people[:6]:
        cast_ballot(poll, person_id, [0], OPENS)
    accounts.merge(people[0], people[11], "The same person.", "staff:1", OPENS, is_told=False)
    close_poll(poll, CLOSES)
    freeze_stays(OVER)
    assert frozen() == (6, 6, 5, 5)


def test_a_poll_belongs_to_the_day_on_which_its_days_were_over(ask):
    hold(5, 5)
    freeze_stays(OVER + timedelta(days=4))
    assert ask("voters-stay", "2026-11-06", "2026-11-06", at=RANGE["at"]).now == 1
    assert ask("voters-stay", "2026-11-07", "2026-11-30", at=RANGE["at"]).now is None
    assert ask("voters-stay", "2026-11-07", "2026-11-07", at=RANGE["at"]).before == 1
