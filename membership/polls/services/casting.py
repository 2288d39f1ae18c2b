"""Casting a ballot: one transaction, in which everything that must be true is looked at and the ballot is written.

No time, no person and no choice leaves a trace but in the sealed ballot: no outbox row, no hint, no log, no timeline.
This is the path that a thousand members take in one minute, so it is written in SQL expressions, not in objects.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import structlog
from sqlalchemy import Connection, Executable, Insert, Row, Update, bindparam, func, insert, select, true, update
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

from membership.accounts.models import Person
from membership.db import db, transaction
from membership.kernel import ids
from membership.kernel.errors import Conflict, NotFound, Refused
from membership.patrons.models import CoverageSpan
from membership.polls import keys
from membership.polls.models import Commitment, Poll, PollOption, RollEntry, SealedBallot
from membership.polls.queries.roll import is_returned, is_revoked
from membership.polls.rules import ballot_kind, chain, check_choice, choice_text, refuse_unless_open
from membership.polls.sealing import MODULUS, NONCE_BYTES_OF_COMMITMENT, Ballot, PollKey, SealBroken, new_receipt
from membership.polls.sealing import plain_receipt as plain

log = structlog.get_logger(__name__)

# Each save is a link of the chain for ever, in a file that anybody may ask for: more than a mind can change, and few
# enough that nobody fills the disk with theirs. The count stands in the sealed ballot, so it tells nothing.
MOST_SAVES = 200


@dataclass(frozen=True, slots=True)
class Saved:
    """A ballot that was saved. `receipt` is shown to its voter now and can never be shown again."""

    receipt: str
    is_change: bool


def cast(poll_id: int, person_id: int, positions: Sequence[int], at: datetime) -> Saved:
    """Save a ballot, in place of this person's earlier one; an empty list of positions is a blank ballot.

    Raises NotFound, Conflict `poll_not_open`, `poll_closed` or `poll_stopped` (its key is missing or a ballot was
    tampered with), Refused `not_on_roll`, `voted_elsewhere`, `not_covered`, `payment_returned` or `too_many_saves`,
    InvalidInput as `rules.check_choice` does.
    Whoever is not allowed to vote is told so before what they chose is looked at.
    """
    with transaction("polls.cast"):
        connection = db.session.connection()
        poll, person = _hold(connection, poll_id, person_id, at)
        key = keys.find(poll.public_id)
        voter_key = key.voter_key(person) if key else None
        known = {"the_poll": poll_id, "the_person": person_id, "the_voter": voter_key}
        earlier = _let_in(connection, poll.eligibility, known | {"at": at, "opened_at": poll.opened_at})
        kind = ballot_kind(poll.rule)
        choice = choice_text(check_choice(kind, poll.n_options, poll.max_ranks, positions), kind)
        if key is None or voter_key is None:
            raise _stopped(poll_id, "key_missing")
        receipt = new_receipt()
        _write(connection, known | _sealed(key, known, earlier, choice=choice, receipt=plain(receipt)))
    return Saved(receipt, earlier is not None)


# Locks, in this order: the poll, shared (the close takes it alone), then the person (as everything does that changes
# coverage, so that a vote comes wholly before or wholly after a refund; two browsers of one person take turns). What
# those before us wrote is seen by the next statement, not by the one that waited for them: so roll, coverage and the
# earlier ballot are read by a second one.
_polls, _roll, _people, _spans = Poll.__table__, RollEntry.__table__, Person.__table__, CoverageSpan.__table__
HOLD: Executable = (
    select(
        _polls.c.public_id,
        _polls.c.state,
        _polls.c.opens_at,
        _polls.c.closes_at,
        _polls.c.rule,
        _polls.c.max_ranks,
        _polls.c.eligibility,
        _polls.c.opened_at,
        select(func.count()).where(PollOption.poll_id == _polls.c.id).scalar_subquery().label("n_options"),
        _people.c.public_id.label("person"),
    )
    .join_from(_polls, _people, true())
    .where(_polls.c.id == bindparam("the_poll"), _people.c.id == bindparam("the_person"))
    .with_for_update(read=True, key_share=True, of=_polls)
    .suffix_with("FOR NO KEY UPDATE OF people", dialect="postgresql")
)
_ON_THE_ROLL = (_roll.c.poll_id == bindparam("the_poll"), _roll.c.person_id == bindparam("the_person"))
THE_VOTER: Executable = select(
    select(_spans.c.id)
    .where(_spans.c.person_id == _roll.c.person_id)
    .where(_spans.c.starts_at <= bindparam("at"), _spans.c.ends_at > bindparam("at"))
    .exists()
    .label("is_covered"),
    select(SealedBallot.sealed)
    .where(SealedBallot.poll_id == _roll.c.poll_id, SealedBallot.voter_key == bindparam("the_voter"))
    .scalar_subquery()
    .label("earlier"),
    _roll.c.is_closed,
    is_revoked(_roll).label("is_revoked"),
).where(*_ON_THE_ROLL)
# Asked of the few whose payment was taken back, by eligibility of the poll: SQLite reads this statement for as long as
# a third of the whole ballot takes.
IS_RETURNED: dict[str, Executable] = {
    eligibility: select(is_returned(_roll, _roll.c.person_id, bindparam("opened_at"), eligibility)).where(*_ON_THE_ROLL)
    for eligibility in ("paid", "covered")
}
COMMIT_TO: Insert = (
    insert(Commitment).values(poll_id=bindparam("the_poll"), commitment=bindparam("the_commitment")).inline()
)
MARK: Update = (
    update(RollEntry)
    .where(RollEntry.poll_id == bindparam("the_poll"), RollEntry.person_id == bindparam("the_person"))
    .where(RollEntry.has_voted.is_(False))
    .values(has_voted=True)
)


def _hold(connection: Connection, poll_id: int, person_id: int, at: datetime) -> tuple[Row[Any], str]:
    """Take the locks: the poll, which takes ballots at `at`, and the person's public id."""
    row = connection.execute(HOLD, {"the_poll": poll_id, "the_person": person_id}).one_or_none()
    if row is None:
        if connection.scalar(select(_polls.c.id).where(_polls.c.id == poll_id)) is None:
            raise NotFound("no_poll", "There is no such poll.")
        raise _not_on_roll()
    refuse_unless_open(row.state, row.opens_at, row.closes_at, at)
    return row, row.person


def _let_in(connection: Connection, eligibility: str, known: dict[str, Any]) -> bytes | None:
    """The voter's earlier ballot, sealed, or None; refused where this person may not cast one."""
    voter = connection.execute(THE_VOTER, known).one_or_none()
    if voter is None:
        raise _not_on_roll()
    if voter.is_closed:
        raise Refused("voted_elsewhere", "You voted in this poll with your other address. That ballot counts.")
    if not voter.is_covered:
        raise Refused("not_covered", "Only those whose membership is paid at this moment can vote.")
    if voter.is_revoked and connection.scalar(IS_RETURNED[eligibility], known):
        raise Refused(
            "payment_returned",
            "The payment behind your vote was returned or is disputed, so a ballot of yours would not count.",
        )
    earlier: bytes | None = voter.earlier
    return earlier


def _not_on_roll() -> Refused:
    return Refused("not_on_roll", "Only those who were members when the poll opened can vote in it.")


def _sealed(key: PollKey, row: dict[str, Any], earlier: bytes | None, *, choice: str, receipt: str) -> dict[str, Any]:
    """What is written of a ballot: sealed, with its commitment and what its receipt is found by."""
    nonce = secrets.token_hex(NONCE_BYTES_OF_COMMITMENT)
    commitment = chain.commitment(nonce, choice)
    n_saves, tags = 0, 0
    if earlier is not None:
        try:
            before = key.open(row["the_voter"], earlier)
        except SealBroken:
            raise _stopped(row["the_poll"], "seal_broken") from None
        if before.n_saves >= MOST_SAVES:
            raise Refused("too_many_saves", "This ballot was changed so often that it stays as it was saved last.")
        n_saves, tags = before.n_saves, before.tags
    tags = (tags + key.tag(commitment)) % MODULUS
    ballot = Ballot(choice, nonce, ids.digest(receipt), n_saves + 1, tags)
    sealed = key.seal(row["the_voter"], ballot)
    return {"the_ballot": sealed, "the_receipt": key.receipt_key(receipt), "the_commitment": commitment}


def _write(connection: Connection, row: dict[str, Any]) -> None:
    """Write ballot, commitment and mark: in one statement where the database can."""
    for statement in _writing(connection.dialect.name):
        connection.execute(statement, row)


@cache
def _writing(dialect: str) -> tuple[Executable, ...]:
    """One effective ballot per voter: the database decides, whoever comes at the same time."""
    insert_on = insert_on_sqlite if dialect == "sqlite" else insert_on_postgresql
    fresh = insert_on(SealedBallot).values(
        poll_id=bindparam("the_poll"),
        voter_key=bindparam("the_voter"),
        sealed=bindparam("the_ballot"),
        receipt_key=bindparam("the_receipt"),
    )
    new = {"sealed": fresh.excluded.sealed, "receipt_key": fresh.excluded.receipt_key}
    ballot = fresh.on_conflict_do_update(index_elements=["poll_id", "voter_key"], set_=new)
    if dialect == "sqlite":
        return ballot, COMMIT_TO, MARK
    return (COMMIT_TO.add_cte(ballot.cte("ballot"), MARK.cte("mark")),)


def _stopped(poll_id: int, why: str) -> Conflict:
    log.error("poll_stopped", poll_id=poll_id, why=why)
    return Conflict(
        "poll_stopped", "This poll cannot take ballots at the moment: something is wrong with it. The newsroom is told."
    )
