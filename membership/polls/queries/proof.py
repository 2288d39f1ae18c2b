"""What makes a poll checkable: receipts, published ballots, evidence for the verifier."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from sqlalchemy import func, select

from membership.db import db, read_at_once
from membership.kernel import ids
from membership.kernel.errors import NotFound
from membership.polls import keys
from membership.polls.models import ChainLink, Commitment, CountedBallot, Poll, RollEntry, SealedBallot
from membership.polls.queries.facts import closing_facts, opening_facts
from membership.polls.queries.polls import options_of, result_of
from membership.polls.rules import ballot_kind, chain, named_in, parse_choice, weights_of
from membership.polls.sealing import plain_receipt

FORMAT = "membership-poll-evidence/1"


@dataclass(frozen=True, slots=True)
class ReceiptState:
    """What a receipt tells its holder, worked out in this moment.

    "recorded": the ballot lies in an open poll. "counted": it was counted, and `n_chosen` of its `n_named` topics stand
    as chosen; `weights`: what it counted for each of them (SPAV only: 1, 1/2, 1/3), else empty. Numbers are None where
    fewer than `rules.FEW` were counted. "unknown": none of these; a newer ballot of the same voter replaced it, it was
    set aside, or it was never a receipt of this poll.
    """

    state: Literal["unknown", "recorded", "counted"]
    n_chosen: int | None = None
    weights: tuple[Fraction, ...] = ()
    n_named: int | None = None


def find_receipt(poll: Poll, receipt: str) -> ReceiptState:
    """What became of the ballot with this receipt, however it was typed; not the choice. Nothing is stored."""
    plain = plain_receipt(receipt)
    if poll.state == "open":
        key = keys.find(poll.public_id)
        is_there = key is not None and db.session.scalar(
            select(func.count()).where(
                SealedBallot.poll_id == poll.id, SealedBallot.receipt_key == key.receipt_key(plain)
            )
        )
        return ReceiptState("recorded" if is_there else "unknown")
    ballot = db.session.get(CountedBallot, (poll.id, ids.digest(plain)))
    result = result_of(poll.id)
    if ballot is None or result is None:
        return ReceiptState("unknown")
    if ballot.choice is None:
        return ReceiptState("counted")
    choice = parse_choice(ballot.choice, ballot_kind(poll.rule))
    # As counted: with those that moved up later, two looks would tell whether they stand on the ballot.
    n_chosen = len(set(named_in(choice)) & set(result.count["winners"]))
    weights = weights_of(choice, result.count["winners"]) if poll.rule == "spav" else ()
    return ReceiptState("counted", n_chosen, weights, len(named_in(choice)))


def receipt_hashes(poll_id: int) -> list[str]:
    """SHA-256 of the receipt of every counted ballot, sorted: public after the close."""
    hashes = select(CountedBallot.receipt_hash).where(CountedBallot.poll_id == poll_id)
    return sorted(db.session.scalars(hashes))


def published_ballots(poll: Poll) -> list[tuple[str, int]] | None:
    """The counted choices in canonical form, each with how often it was cast, most frequent first; without receipts.

    None unless the poll said at its opening that so many voters publish their ballots.
    """
    result = result_of(poll.id)
    if result is None or poll.publish_from is None or not result.has_breakdown:
        return None
    if result.n_voted - result.n_set_aside < poll.publish_from:
        return None
    return sorted(_choices(poll.id), key=lambda pair: (-pair[1], pair[0]))


def _choices(poll_id: int) -> list[tuple[str, int]]:
    rows = db.session.execute(
        select(CountedBallot.choice, func.count())
        .where(CountedBallot.poll_id == poll_id, CountedBallot.choice.is_not(None))
        .group_by(CountedBallot.choice)
    )
    return [(choice or "", n) for choice, n in rows]


def evidence(poll_id: int, *, with_ballots: bool = False) -> dict[str, Any]:
    """Everything that the verifier reads (`docs/verify_poll.py`), as JSON: public, also while the poll is open.

    `with_ballots` adds each receipt's hash with its choice: for an auditor in the newsroom, never for the public,
    because whoever knows a member's receipt could read their ballot there. NotFound for a poll that was never opened.
    """
    read_at_once()  # a close between two of these reads would make honest evidence look forged
    poll = db.session.get(Poll, poll_id)
    if poll is None or poll.opened_at is None:
        raise NotFound("no_poll", "This poll has not been opened.")
    # Counted from the roll itself, so that a roll that somebody changed does not prove.
    voted = select(func.count()).where(RollEntry.poll_id == poll_id, RollEntry.has_voted)
    committed = select(Commitment.commitment).where(Commitment.poll_id == poll_id).order_by(Commitment.id)
    part: dict[str, Any] = {
        "format": FORMAT,
        "state": poll.state,
        "opening": opening_facts(poll, options_of(poll_id)),
        "links": [list(row) for row in db.session.execute(_links(poll_id))],
        "commitments": list(db.session.scalars(committed)),
        "voted": db.session.scalar(voted),
    }
    result = result_of(poll_id)
    if result is None or poll.closed_at is None:
        return part
    part["receipts"] = receipt_hashes(poll_id)
    part["closing"] = closing_facts(poll, result, part["receipts"], poll.closed_at)
    part["result"], part["other_rules"] = result.count, result.other_rules
    published = published_ballots(poll)
    if published is not None:
        part["ballots"] = [list(pair) for pair in published]
        part["choices_blind"] = chain.blind_for(result.blind, "choices")
    if with_ballots:
        part["opened"] = [[row.receipt_hash, row.choice or ""] for row in db.session.execute(_opened(poll_id))]
        part["ballots_blind"] = chain.blind_for(result.blind, "ballots")
    return part


def _links(poll_id: int) -> Any:
    columns = (ChainLink.seq, ChainLink.kind, ChainLink.entry, ChainLink.head)
    return select(*columns).where(ChainLink.poll_id == poll_id).order_by(ChainLink.seq)


def _opened(poll_id: int) -> Any:
    columns = (CountedBallot.receipt_hash, CountedBallot.choice)
    return select(*columns).where(CountedBallot.poll_id == poll_id).order_by(CountedBallot.receipt_hash)
