"""Casting and changing a ballot: who may, when, and what is kept of it."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from membership.db import db
from membership.kernel.errors import Conflict, InvalidInput, NotFound, Refused
from membership.patrons import services as patrons
from membership.patrons.rules import Cause
from membership.polls import keys, queries, services
from membership.polls.models import Commitment, RollEntry, SealedBallot
from tests.factories.people import make_person
from tests.factories.polls import CLOSES, NOW, cast_ballot, make_draft, make_patron, make_poll, refund

pytestmark = pytest.mark.usefixtures("app")


def n_rows(model) -> int:
    return db.session.scalar(select(func.count()).select_from(model))


def test_a_ballot_can_be_read_and_changed_by_its_voter_alone():
    olena, ihor = make_patron(), make_patron("ihor@example.org")
    poll = make_poll()
    first = cast_ballot(poll, olena, [2, 0])
    assert not first.is_change
    assert queries.my_part(poll, olena.id, NOW).current == [0, 2]
    assert queries.my_part(poll, ihor.id, NOW) == queries.MyPart(
        is_on_roll=True, is_covered=True, has_voted=False, may_cast=True, current=None
    )
    second = cast_ballot(poll, olena, [])
    assert second.is_change
    assert second.receipt != first.receipt
    assert queries.my_part(poll, olena.id, NOW).current == []
    assert (n_rows(SealedBallot), n_rows(Commitment)) == (1, 2)
    assert queries.turnout(poll.id) == queries.Turnout(2, 1)


def test_only_the_newest_receipt_is_recorded_however_it_is_typed():
    olena = make_patron()
    poll = make_poll()
    first, second = cast_ballot(poll, olena, [1]).receipt, cast_ballot(poll, olena, [2]).receipt
    assert queries.find_receipt(poll, first).state == "unknown"
    for typed in (second, second.upper().replace("-", " "), f"  {second.replace('-', '')} ", second.replace("0", "o")):
        assert queries.find_receipt(poll, typed).state == "recorded"
    assert queries.find_receipt(poll, "").state == "unknown"


def test_who_was_no_member_at_the_opening_cannot_vote():
    make_patron()
    poll = make_poll()
    late = make_patron("late@example.org")
    for person in (late, make_person("reader@example.org")):
        with pytest.raises(Refused) as refused:
            cast_ballot(poll, person, [1])
        assert refused.value.code == "not_on_roll"
    assert n_rows(SealedBallot) == n_rows(Commitment) == 0


def test_grace_is_no_coverage_and_a_ballot_stays_when_coverage_runs_out():
    olena = make_patron(ends_at=NOW + timedelta(days=2))
    poll = make_poll()
    cast_ballot(poll, olena, [1])
    patrons.open_grace(olena.id, "con_1", opened_at=NOW + timedelta(days=2), days=14)
    with pytest.raises(Refused) as refused:
        cast_ballot(poll, olena, [2], NOW + timedelta(days=3))
    assert refused.value.code == "not_covered"
    assert n_rows(SealedBallot) == 1
    patrons.grant_months(olena.id, Cause.COMP, "comp:1", paid_at=NOW + timedelta(days=4), n_months=1)
    assert cast_ballot(poll, olena, [2], NOW + timedelta(days=4)).is_change


def test_a_refund_ends_the_right_to_vote_at_once():
    olena = make_patron()
    poll = make_poll()
    refund(olena)
    with pytest.raises(Refused) as refused:
        cast_ballot(poll, olena, [2], NOW + timedelta(days=1))
    assert refused.value.code == "not_covered"


@pytest.mark.parametrize(
    ("opens_in", "at", "code"),
    [(1, 0, "poll_not_open"), (0, 7, "poll_closed"), (0, 8, "poll_closed")],
)
def test_ballots_are_taken_from_the_first_moment_to_the_last(opens_in, at, code):
    olena = make_patron()
    poll = make_poll(opens_at=NOW + timedelta(days=opens_in), closes_at=CLOSES)
    with pytest.raises(Conflict) as conflict:
        cast_ballot(poll, olena, [1], NOW + timedelta(days=at))
    assert conflict.value.code == code
    cast_ballot(poll, olena, [1], NOW + timedelta(days=opens_in))
    cast_ballot(poll, olena, [1], CLOSES - timedelta(microseconds=1))


def test_a_draft_takes_no_ballots_and_what_does_not_exist_is_not_found():
    olena = make_patron()
    with pytest.raises(Conflict, match="not open"):
        cast_ballot(make_draft(), olena, [1])
    with pytest.raises(NotFound):
        services.cast(999, olena.id, [1], NOW)


@pytest.mark.parametrize(
    ("rule", "positions", "code"),
    [
        ("spav", [4], "choice_unknown_option"),
        ("spav", [-1], "choice_unknown_option"),
        ("spav", [1, 1], "choice_twice"),
        ("plurality", [0, 1], "choice_one_only"),
        ("stv", [0, 1, 2, 3], "choice_too_many"),
    ],
)
def test_what_is_no_ballot_of_this_poll_is_refused_and_leaves_nothing(rule, positions, code):
    olena = make_patron()
    poll = make_poll(rule=rule, max_ranks=3)
    with pytest.raises(InvalidInput) as invalid:
        cast_ballot(poll, olena, positions)
    assert invalid.value.code == code
    assert n_rows(SealedBallot) == n_rows(Commitment) == 0
    assert db.session.get(RollEntry, (poll.id, olena.id)).has_voted is False


def test_a_ranking_keeps_its_order():
    olena = make_patron()
    poll = make_poll(rule="stv")
    cast_ballot(poll, olena, [3, 0, 2])
    assert queries.my_part(poll, olena.id, NOW).current == [3, 0, 2]


def test_without_the_key_nobody_votes_and_the_sentence_is_clear():
    olena = make_patron()
    poll = make_poll()
    (keys.folder() / f"{poll.public_id}.key").unlink()
    with pytest.raises(Conflict, match="cannot take ballots") as conflict:
        cast_ballot(poll, olena, [1])
    assert conflict.value.code == "poll_stopped"
    assert n_rows(Commitment) == 0


def test_every_sealed_ballot_is_as_long_as_every_other():
    people = [make_patron(f"reader{i}@example.org") for i in range(4)]
    poll = make_poll(n_options=8, rule="stv", max_ranks=8)
    for person, positions in zip(people, ([], [1], [7, 6, 5, 4, 3, 2, 1, 0], [2, 3]), strict=True):
        cast_ballot(poll, person, positions)
    for _ in range(30):
        cast_ballot(poll, people[0], [1, 2])
    assert len({len(sealed) for sealed in db.session.scalars(select(SealedBallot.sealed))}) == 1


def test_nobody_makes_the_chain_grow_without_end(monkeypatch):
    monkeypatch.setattr("membership.polls.services.casting.MOST_SAVES", 3)
    olena, ihor = make_patron(), make_patron("ihor@example.org")
    poll = make_poll()
    for position in (0, 1, 2):
        cast_ballot(poll, olena, [position])
    with pytest.raises(Refused) as refused:
        cast_ballot(poll, olena, [3])
    assert refused.value.code == "too_many_saves"
    assert queries.my_part(poll, olena.id, NOW).current == [2]
    assert n_rows(Commitment) == 3
    cast_ballot(poll, ihor, [0])
