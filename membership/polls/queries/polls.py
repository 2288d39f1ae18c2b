"""Reads of polls, their options, the roll in numbers, and results."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import Executable, bindparam, func, select

from membership.accounts.models import Person
from membership.db import db, read_alone
from membership.kernel import clock
from membership.kernel.errors import NotFound
from membership.patrons.models import CoverageSpan
from membership.polls import keys
from membership.polls.models import ChainLink, Poll, PollOption, PollResult, RollEntry, SealedBallot, Skip
from membership.polls.rules import ballot_kind, named_in, parse_choice
from membership.polls.sealing import SealBroken

# What every ballot begins with is built once.
BALLOT_PAPER: Executable = select(Poll.id, Poll.rule).where(
    Poll.public_id == bindparam("public_id"), Poll.opened_at.is_not(None)
)


@dataclass(frozen=True, slots=True)
class Turnout:
    """How many are on the roll, and how many of them voted."""

    n_roll: int
    n_voted: int


@dataclass(frozen=True, slots=True)
class MyPart:
    """One person's part in one poll. `current`: the positions on their ballot while the poll is open, an empty list for
    a blank one; None where there is none or it cannot be read. `voted_elsewhere`: their vote was cast under another
    address of theirs, before the two turned out to be one.
    """

    is_on_roll: bool
    is_covered: bool
    has_voted: bool
    may_cast: bool
    current: list[int] | None
    voted_elsewhere: bool = False


def get_by_public_id(public_id: str) -> Poll:
    """The poll of an address, drafts as well; NotFound."""
    poll = db.session.scalar(select(Poll).where(Poll.public_id == public_id))
    if poll is None:
        raise NotFound("no_poll", "There is no such poll.")
    return poll


@lru_cache(64)
def ballot_paper(public_id: str) -> tuple[int, str]:
    """Id and kind of ballot of a poll that was opened; NotFound. Neither can change any more (`guards`)."""
    row = read_alone(BALLOT_PAPER, {"public_id": public_id})
    if row is None:
        raise NotFound("no_poll", "There is no such poll.")
    return row.id, ballot_kind(row.rule)


def title_of(poll_id: int) -> str | None:
    """The title of a poll; None if there is none."""
    return db.session.scalar(select(Poll.title).where(Poll.id == poll_id))


def list_open(now: datetime) -> list[Poll]:
    """Polls that take ballots at `now` or will from `opens_at` on, the one that closes first first."""
    running = (Poll.state == "open") & (Poll.closes_at > now)
    return list(db.session.scalars(select(Poll).where(running).order_by(Poll.closes_at, Poll.id)))


def list_public(limit: int, before: str | None = None) -> list[Poll]:
    """Polls that are over (counted, cancelled, or about to be counted), newest first, at most `limit`; `before` is the
    public id of the last one that was seen.
    """
    is_over = Poll.opened_at.is_not(None) & ((Poll.state != "open") | (Poll.closes_at <= clock.now()))
    statement = select(Poll).where(is_over).order_by(Poll.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(Poll.id < select(Poll.id).where(Poll.public_id == before).scalar_subquery())
    return list(db.session.scalars(statement))


def list_for_staff(limit: int = 100, state: str | None = None) -> list[Poll]:
    """All polls, drafts among them (or only those in one state), newest first, at most `limit`."""
    statement = select(Poll).order_by(Poll.id.desc()).limit(limit)
    return list(db.session.scalars(statement if state is None else statement.where(Poll.state == state)))


def options_of(poll_id: int) -> list[PollOption]:
    """The options in order of their numbers."""
    return list(
        db.session.scalars(select(PollOption).where(PollOption.poll_id == poll_id).order_by(PollOption.position))
    )


def turnout(poll_id: int) -> Turnout:
    """The roll in numbers; zeros for a draft."""
    return turnouts([poll_id])[poll_id]


def turnouts(poll_ids: Collection[int]) -> dict[int, Turnout]:
    """The rolls of these polls in numbers; zeros for a draft. A counted poll's stand in its result already."""
    known = select(Poll.id, Poll.n_roll, PollResult.n_voted).join(PollResult, PollResult.poll_id == Poll.id)
    counted = {
        row.id: Turnout(row.n_roll or 0, row.n_voted)
        for row in db.session.execute(known.where(Poll.id.in_(set(poll_ids))))
    }
    rolls = (
        select(RollEntry.poll_id, func.count(), func.count().filter(RollEntry.has_voted))
        .where(RollEntry.poll_id.in_(set(poll_ids) - set(counted)))
        .group_by(RollEntry.poll_id)
    )
    running = {poll_id: Turnout(n_roll, n_voted) for poll_id, n_roll, n_voted in db.session.execute(rolls)}
    return dict.fromkeys(poll_ids, Turnout(0, 0)) | running | counted


def my_part(poll: Poll, person_id: int, at: datetime) -> MyPart:
    """What this person may do in this poll, and what stands on their ballot: for their own eyes only."""
    entry = db.session.get(RollEntry, (poll.id, person_id), populate_existing=True)
    has_voted = entry is not None and entry.has_voted
    is_on_roll = entry is not None and not entry.is_closed
    covered = select(CoverageSpan.id).where(
        CoverageSpan.person_id == person_id, CoverageSpan.starts_at <= at, CoverageSpan.ends_at > at
    )
    is_covered = db.session.scalar(covered.limit(1)) is not None
    is_open = poll.state == "open" and poll.opens_at <= at < poll.closes_at
    return MyPart(
        is_on_roll=is_on_roll,
        is_covered=is_covered,
        has_voted=has_voted,
        may_cast=is_open and is_covered and is_on_roll,
        current=_current(poll, person_id) if has_voted and poll.state == "open" else None,
        voted_elsewhere=entry is not None and entry.is_closed,
    )


def _current(poll: Poll, person_id: int) -> list[int] | None:
    key = keys.find(poll.public_id)
    if key is None:
        return None
    voter_key = key.voter_key(db.session.get_one(Person, person_id).public_id)
    sealed = db.session.scalar(
        select(SealedBallot.sealed).where(SealedBallot.poll_id == poll.id, SealedBallot.voter_key == voter_key)
    )
    try:
        return None if sealed is None else list(named_in(_read(key.open(voter_key, sealed).choice, poll.rule)))
    except SealBroken:
        return None


def _read(choice: str, rule: str) -> tuple[tuple[int, ...], ...]:
    return parse_choice(choice, ballot_kind(rule))


def head_of(poll_id: int) -> tuple[int, str]:
    """The newest link of an opened poll's chain: its number and its head; NotFound for a draft."""
    newest = select(ChainLink.seq, ChainLink.head).where(ChainLink.poll_id == poll_id)
    row = db.session.execute(newest.order_by(ChainLink.seq.desc()).limit(1)).one_or_none()
    if row is None:
        raise NotFound("no_poll", "This poll has not been opened.")
    return row.seq, row.head


def result_of(poll_id: int) -> PollResult | None:
    """The stored result; None before the close."""
    return db.session.get(PollResult, poll_id)


def winners_now(poll: Poll) -> list[int]:
    """The positions that stand as chosen today: as counted, without those passed over, with those that moved up."""
    result = result_of(poll.id)
    if result is None:
        return []
    positions = {option.topic_id: option.position for option in options_of(poll.id)}
    skips = list_skips(poll.id)
    moved_up = [positions[skip.moved_up_id] for skip in skips if skip.moved_up_id is not None]
    gone = {positions[skip.topic_id] for skip in skips}
    return [position for position in [*result.count["winners"], *moved_up] if position not in gone]


def list_skips(poll_id: int) -> list[Skip]:
    """What the editor passed over, in order of time."""
    return list(db.session.scalars(select(Skip).where(Skip.poll_id == poll_id).order_by(Skip.at, Skip.topic_id)))
