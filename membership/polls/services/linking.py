"""Putting commitments into the chain, whose heads are public while the poll is open.

Casting does not touch the chain, so that voters never wait for each other; a sweep does it every few seconds.
"""

from sqlalchemy import func, insert, select

from membership.db import db, transaction
from membership.polls import keys
from membership.polls.models import ChainLink, Commitment, Poll
from membership.polls.rules import chain
from membership.polls.services.drafting import locked
from membership.polls.services.trouble import Trouble, TroubleFound

AT_A_TIME = 2000


def link(poll_id: int) -> int:
    """Append what was saved since to the chain of an open poll, at most 2,000 links; how many.

    Raises TroubleFound where the database is not what it was when it was looked at last.
    """
    with transaction("polls.horizon"):
        # Nobody is casting while this lock is held: what has a number now is written, or never will be.
        poll = locked(poll_id)
        if poll.state != "open":
            return 0
        newest = db.session.scalar(select(func.max(Commitment.id)).where(Commitment.poll_id == poll_id)) or 0
    with transaction("polls.link"):
        # Casting goes on meanwhile, the close and other linkers wait.
        mine = select(Poll).where(Poll.id == poll_id).with_for_update(key_share=True)
        poll = db.session.scalars(mine, execution_options={"populate_existing": True}).one()
        if poll.state != "open":
            return 0
        n_linked = append(poll, newest, AT_A_TIME)
        last = last_link(poll_id)
        name = poll.public_id
    keys.remember_head(name, last.seq, last.head)
    return n_linked


def append(poll: Poll, newest: int, limit: int | None = None) -> int:
    """Link commitments up to the id `newest`, inside the caller's transaction and lock; how many."""
    last = last_link(poll.id)
    known = keys.find_head(poll.public_id)
    if known is not None and not _has(poll.id, *known):
        raise TroubleFound(Trouble.ROLLED_BACK)
    after = 0
    if last.kind == "ballot":
        found = db.session.scalar(select(Commitment.id).where(Commitment.commitment == last.entry))
        if found is None:
            raise TroubleFound(Trouble.CHAIN_BROKEN)
        after = found
    entries = db.session.scalars(
        select(Commitment.commitment)
        .where(Commitment.poll_id == poll.id, Commitment.id > after, Commitment.id <= newest)
        .order_by(Commitment.id)
        .limit(limit)
    ).all()
    heads = chain.heads_after(last.head, "ballot", entries)
    rows = [
        {"poll_id": poll.id, "seq": seq, "kind": "ballot", "entry": entry, "head": head}
        for seq, (entry, head) in enumerate(zip(entries, heads, strict=True), start=last.seq + 1)
    ]
    if rows:
        db.session.connection().execute(insert(ChainLink.__table__), rows)  # type: ignore[arg-type]
    return len(rows)


def last_link(poll_id: int) -> ChainLink:
    """The newest link of an opened poll."""
    newest = select(ChainLink).where(ChainLink.poll_id == poll_id).order_by(ChainLink.seq.desc()).limit(1)
    found = db.session.scalar(newest)
    if found is None:
        raise TroubleFound(Trouble.CHAIN_BROKEN)
    return found


def _has(poll_id: int, seq: int, head: str) -> bool:
    here = select(ChainLink.head).where(ChainLink.poll_id == poll_id, ChainLink.seq == seq)
    return db.session.scalar(here) == head
