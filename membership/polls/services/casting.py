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
from sqlalchemy import Connection, Executable, Row, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

from membership.accounts.models import Person
from membership.db import db, transaction
from membership.kernel import ids
from membership.kernel.errors import Conflict, NotFound, Refused
from membership.patrons.models import CoverageSpan
from membership.polls import keys
from membership.polls.models import Commitment, Poll, PollOption, RollEntry, SealedBallot
from membership.polls.rules import ballot_kind, chain, check_choice, choice_text, refuse_unless_open
from membership.polls.sealing import MODULUS, NONCE_BYTES_OF_COMMITMENT, Ballot, PollKey, SealBroken, new_receipt
from membership.polls.sealing import plain_receipt as plain

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Saved:
    """A ballot that was saved. `receipt` is shown to its voter now and can never be shown again."""

    receipt: str
    is_change: bool


def cast(poll_id: int, person_id: int, positions: Sequence[int], at: datetime) -> Saved:
    """Save a ballot, in place of this person's earlier one; an empty list of positions is a blank ballot.

    Raises NotFound, Conflict `poll_not_open`, `poll_closed` or `poll_stopped` (its key is missing or a ballot was
    tampered with), Refused `not_on_roll` or `not_covered`, InvalidInput as `rules.check_choice` does. Whoever is not
    allowed to vote is told so before what they chose is looked at.
    """
    with transaction("polls.cast"):
        connection = db.session.connection()
        poll, voter, person = _let_in(connection, poll_id, person_id, at)
        choice = check_choice(ballot_kind(poll.rule), poll.n_options, poll.max_ranks, positions)
        key = keys.find(poll.public_id)
        if key is None:
            raise _stopped(poll_id, "key_missing")
        receipt = new_receipt()
        text = choice_text(choice, ballot_kind(poll.rule))
        is_change = _write(connection, poll_id, key, person.public_id, choice=text, receipt=receipt)
        if not voter.has_voted:
            connection.execute(MARK, {"the_poll": poll_id, "the_person": person_id})
    return Saved(receipt, is_change)


# Locks, in this order: the poll, shared (the close takes it alone), then the person (as everything does that changes
# coverage, so that a vote comes wholly before or wholly after a refund; two browsers of one person take turns).
_polls, _roll, _people, _spans = Poll.__table__, RollEntry.__table__, Person.__table__, CoverageSpan.__table__
THE_POLL: Executable = (
    select(
        _polls.c.public_id,
        _polls.c.state,
        _polls.c.opens_at,
        _polls.c.closes_at,
        _polls.c.rule,
        _polls.c.max_ranks,
        select(func.count()).where(PollOption.poll_id == _polls.c.id).scalar_subquery().label("n_options"),
    )
    .where(_polls.c.id == bindparam("the_poll"))
    .with_for_update(read=True, key_share=True)
)
THE_PERSON: Executable = (
    select(_people.c.public_id).where(_people.c.id == bindparam("the_person")).with_for_update(key_share=True)
)
THE_VOTER: Executable = select(
    _roll.c.has_voted,
    select(_spans.c.id)
    .where(_spans.c.person_id == _roll.c.person_id)
    .where(_spans.c.starts_at <= bindparam("at"), _spans.c.ends_at > bindparam("at"))
    .exists()
    .label("is_covered"),
).where(_roll.c.poll_id == bindparam("the_poll"), _roll.c.person_id == bindparam("the_person"))
EARLIER: Executable = select(SealedBallot.sealed).where(
    SealedBallot.poll_id == bindparam("the_poll"), SealedBallot.voter_key == bindparam("the_voter")
)
COMMIT_TO: Executable = Commitment.__table__.insert()  # type: ignore[attr-defined]
MARK: Executable = (
    update(RollEntry)
    .where(RollEntry.poll_id == bindparam("the_poll"), RollEntry.person_id == bindparam("the_person"))
    .values(has_voted=True)
    .execution_options(synchronize_session=False)
)


def _let_in(connection: Connection, poll_id: int, person_id: int, at: datetime) -> tuple[Row[Any], Row[Any], Row[Any]]:
    """The poll, the entry on the roll and the person, if this person may cast a ballot in it at `at`."""
    poll = connection.execute(THE_POLL, {"the_poll": poll_id}).one_or_none()
    if poll is None:
        raise NotFound("no_poll", "There is no such poll.")
    refuse_unless_open(poll.state, poll.opens_at, poll.closes_at, at)
    person = connection.execute(THE_PERSON, {"the_person": person_id}).one_or_none()
    known = {"the_poll": poll_id, "the_person": person_id, "at": at}
    voter = connection.execute(THE_VOTER, known).one_or_none()
    if person is None or voter is None:
        raise Refused("not_on_roll", "Only those who were members when the poll opened can vote in it.")
    if not voter.is_covered:
        raise Refused("not_covered", "Only those whose membership is paid at this moment can vote.")
    return poll, voter, person


def _write(connection: Connection, poll_id: int, key: PollKey, person: str, *, choice: str, receipt: str) -> bool:
    """Write commitment and sealed ballot; whether it replaced an earlier one."""
    voter_key = key.voter_key(person)
    nonce = secrets.token_hex(NONCE_BYTES_OF_COMMITMENT)
    commitment = chain.commitment(nonce, choice)
    sealed = connection.scalar(EARLIER, {"the_poll": poll_id, "the_voter": voter_key})
    n_saves, tags = 0, 0
    if sealed is not None:
        try:
            earlier = key.open(voter_key, sealed)
        except SealBroken:
            raise _stopped(poll_id, "seal_broken") from None
        n_saves, tags = earlier.n_saves, earlier.tags
    tags = (tags + key.tag(commitment)) % MODULUS
    ballot = Ballot(choice, nonce, ids.digest(plain(receipt)), n_saves + 1, tags)
    fields = {"sealed": key.seal(voter_key, ballot), "receipt_key": key.receipt_key(plain(receipt))}
    connection.execute(_replace(connection.dialect.name), {"poll_id": poll_id, "voter_key": voter_key} | fields)
    connection.execute(COMMIT_TO, {"poll_id": poll_id, "commitment": commitment})
    return sealed is not None


@cache
def _replace(dialect: str) -> Executable:
    """One effective ballot per voter: the database decides, whoever comes at the same time."""
    statement = (insert_on_sqlite if dialect == "sqlite" else insert_on_postgresql)(SealedBallot.__table__)  # type: ignore[arg-type]
    new = {"sealed": statement.excluded.sealed, "receipt_key": statement.excluded.receipt_key}
    return statement.on_conflict_do_update(index_elements=["poll_id", "voter_key"], set_=new)


def _stopped(poll_id: int, why: str) -> Conflict:
    log.error("poll_stopped", poll_id=poll_id, why=why)
    return Conflict(
        "poll_stopped", "This poll cannot take ballots at the moment: something is wrong with it. The newsroom is told."
    )
