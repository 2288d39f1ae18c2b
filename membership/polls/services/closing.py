"""The close: open every ballot, prove that none is missing or new, count, publish, and let the key die.

One transaction, under the poll's own lock: a ballot is either in before it or refused after it. It may be killed at any
point and is done again from the start, or found done.
"""

import secrets
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update

from membership.accounts.models import Person
from membership.db import db, is_sqlite, take_time, transaction
from membership.kernel.errors import Conflict
from membership.mail import services as mail
from membership.polls import keys
from membership.polls.models import (
    ChainLink,
    Commitment,
    CountedBallot,
    Poll,
    PollOption,
    PollResult,
    RollEntry,
    SealedBallot,
)
from membership.polls.queries.facts import closing_facts, digest_of_roll, opening_facts
from membership.polls.queries.polls import options_of
from membership.polls.queries.roll import is_returned
from membership.polls.rules import FEW, ballot_kind, chain, parse_choice
from membership.polls.sealing import MODULUS, Ballot, PollKey, SealBroken
from membership.polls.services.drafting import locked
from membership.polls.services.linking import append, last_link
from membership.polls.services.tallying import Tally, tally
from membership.polls.services.trouble import Trouble, TroubleFound
from membership.topics import services as topics

AT_A_TIME = 5000


@dataclass(frozen=True, slots=True)
class Opened:
    """What came out of the sealed ballots: (receipt hash, choice) of those that count, by receipt hash."""

    counted: list[tuple[str, str]]
    n_set_aside: int


def close(poll_id: int, now: datetime) -> None:
    """Count a poll whose time is over; the key is destroyed afterwards. Closed already: nothing is done twice.

    Raises Conflict `poll_still_open` or `poll_not_open`, and TroubleFound where the ballots do not prove to be
    what was cast: then nothing is written, and no ballot is lost.
    """
    with transaction("polls.close"):
        take_time()
        poll = locked(poll_id)
        name, is_done = poll.public_id, poll.state == "closed"
        if not is_done:
            if poll.state != "open":
                raise Conflict("poll_not_open", "This poll is not open.")
            if now < poll.closes_at:
                raise Conflict("poll_still_open", "This poll is still open.")
            _count_and_publish(poll, now)
    keys.destroy(name)


def _count_and_publish(poll: Poll, now: datetime) -> None:
    key = keys.find(poll.public_id)
    if key is None:
        raise TroubleFound(Trouble.KEY_MISSING)
    newest = db.session.scalar(select(func.max(Commitment.id)).where(Commitment.poll_id == poll.id)) or 0
    append(poll, newest)
    options = options_of(poll.id)
    _check_frozen(poll, options)
    opened = _open_all(poll, key, _check_chain(poll))
    kind = ballot_kind(poll.rule)
    groups = Counter(choice for _, choice in opened.counted)
    counted = tally(poll, options, [(n, parse_choice(text, kind)) for text, n in sorted(groups.items())])
    _write_ballots(poll, opened)
    _write_result(poll, opened, counted, now)
    poll.state, poll.closed_at, poll.trouble = "closed", now, None
    forget_ballots(poll.id)
    _tell_topics(poll, options, counted, now)
    mail.broadcast("polls.news", "polls/results", {"poll_id": poll.id}, once_key=f"poll-results:{poll.id}")


def forget_ballots(poll_id: int) -> None:
    """Delete what the key could open; on PostgreSQL write the whole roll anew, so that no row tells when it changed."""
    db.session.flush()
    db.session.execute(delete(SealedBallot).where(SealedBallot.poll_id == poll_id))
    if not is_sqlite():
        db.session.execute(update(RollEntry).where(RollEntry.poll_id == poll_id).values(has_voted=RollEntry.has_voted))


def _check_frozen(poll: Poll, options: list[PollOption]) -> None:
    first = db.session.get(ChainLink, (poll.id, 0))
    if first is None or first.entry != chain.digest_of(opening_facts(poll, options)):
        raise TroubleFound(Trouble.POLL_CHANGED)
    if poll.roll_digest != digest_of_roll(poll.id):
        raise TroubleFound(Trouble.ROLL_CHANGED)


def _check_chain(poll: Poll) -> list[str]:
    """All commitments in their order, once every head of the chain has been worked out again from them."""
    entries = list(
        db.session.scalars(select(Commitment.commitment).where(Commitment.poll_id == poll.id).order_by(Commitment.id))
    )
    head, n_links = chain.NOTHING, 0
    with db.session.execute(
        select(ChainLink.seq, ChainLink.kind, ChainLink.entry, ChainLink.head)
        .where(ChainLink.poll_id == poll.id)
        .order_by(ChainLink.seq)
        .execution_options(yield_per=AT_A_TIME)
    ) as links:
        for seq, kind, entry, stated in links:
            head = chain.head_after(head, kind, entry)
            is_next = seq == n_links and kind == ("ballot" if seq else "opening")
            if not is_next or head != stated or (seq and (seq > len(entries) or entry != entries[seq - 1])):
                raise TroubleFound(Trouble.CHAIN_BROKEN)
            n_links += 1
    if n_links != len(entries) + 1:
        raise TroubleFound(Trouble.CHAIN_BROKEN)
    return entries


def _open_all(poll: Poll, key: PollKey, commitments: list[str]) -> Opened:
    """Open every ballot, and prove that together they vouch for exactly the commitments of the chain."""
    dropped = _voters_to_set_aside(poll, key)
    in_chain = set(commitments)
    counted, n_saves, tags, n_set_aside, n_ballots = [], 0, 0, 0, 0
    for voter_key, ballot in _unseal(poll, key):
        if ballot.commitment not in in_chain:
            raise TroubleFound(Trouble.BALLOTS_DIFFER)
        n_ballots, n_saves, tags = n_ballots + 1, n_saves + ballot.n_saves, (tags + ballot.tags) % MODULUS
        if voter_key in dropped:
            n_set_aside += 1
        else:
            counted.append((ballot.receipt_hash, ballot.choice))
    voted = select(func.count()).where(RollEntry.poll_id == poll.id, RollEntry.has_voted)
    expected = sum(key.tag(each) for each in commitments) % MODULUS
    if n_saves != len(commitments) or tags != expected or n_ballots != db.session.scalar(voted):
        raise TroubleFound(Trouble.BALLOTS_DIFFER)
    return Opened(sorted(counted), n_set_aside)


def _unseal(poll: Poll, key: PollKey) -> list[tuple[str, Ballot]]:
    sealed = select(SealedBallot.voter_key, SealedBallot.sealed).where(SealedBallot.poll_id == poll.id)
    with db.session.execute(sealed.execution_options(yield_per=AT_A_TIME)) as rows:
        try:
            return [(voter_key, key.open(voter_key, sealed)) for voter_key, sealed in rows]
        except SealBroken:
            raise TroubleFound(Trouble.SEAL_BROKEN) from None


def _voters_to_set_aside(poll: Poll, key: PollKey) -> set[str]:
    """Voter keys of those whose qualifying payment is back with them, or disputed, at this moment (decision 20)."""
    entry, person = RollEntry.__table__, Person.__table__
    whose = func.coalesce(person.c.merged_into_id, person.c.id)
    rows = db.session.scalars(
        select(person.c.public_id)
        .join_from(person, entry, entry.c.person_id == person.c.id)
        .where(entry.c.poll_id == poll.id, entry.c.has_voted)
        .where(is_returned(entry, whose, poll.opened_at, poll.eligibility))
    )
    return {key.voter_key(public_id) for public_id in rows}


def _write_ballots(poll: Poll, opened: Opened) -> None:
    keeps_choices = len(opened.counted) >= FEW
    rows = [
        {"poll_id": poll.id, "receipt_hash": receipt_hash, "choice": choice if keeps_choices else None}
        for receipt_hash, choice in opened.counted
    ]
    for start in range(0, len(rows), AT_A_TIME):
        statement = insert(CountedBallot.__table__)  # type: ignore[arg-type]
        db.session.connection().execute(statement, rows[start : start + AT_A_TIME])


def _write_result(poll: Poll, opened: Opened, counted: Tally, now: datetime) -> None:
    keeps_choices = len(opened.counted) >= FEW
    blind = secrets.token_hex(32)
    ballots = [f"{receipt_hash}|{choice if keeps_choices else ''}" for receipt_hash, choice in opened.counted]
    choices = sorted(choice for _, choice in opened.counted) if keeps_choices else []
    result = PollResult(
        poll_id=poll.id,
        rule_version=counted.version,
        has_breakdown=keeps_choices,
        count=counted.count,
        other_rules=counted.other_rules,
        n_voted=len(opened.counted) + opened.n_set_aside,
        n_blank=counted.n_blank,
        n_set_aside=opened.n_set_aside,
        blind=blind,
        ballots_digest=chain.digest_of_lines([chain.blind_for(blind, "ballots"), *ballots]),
        choices_digest=chain.digest_of_lines([chain.blind_for(blind, "choices"), *choices]),
    )
    db.session.add(result)
    last = last_link(poll.id)
    entry = chain.digest_of(closing_facts(poll, result, [receipt_hash for receipt_hash, _ in opened.counted], now))
    head = chain.head_after(last.head, "close", entry)
    db.session.add(ChainLink(poll_id=poll.id, seq=last.seq + 1, kind="close", entry=entry, head=head))
    db.session.flush()


def _tell_topics(poll: Poll, options: list[PollOption], counted: Tally, now: datetime) -> None:
    winners = set(counted.count["winners"])
    for option in sorted(options, key=lambda each: each.topic_id):
        step = topics.choose if option.position in winners else topics.not_choose
        step(option.topic_id, poll.id, now)
