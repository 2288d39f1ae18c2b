"""Opening a poll: everything that decides about it is drawn, frozen and put under the first link of its chain."""

import secrets
from datetime import datetime

from sqlalchemy import false, func, insert, literal, select, true

from membership.db import db, take_time, transaction
from membership.kernel.errors import Conflict, InvalidInput
from membership.mail import services as mail
from membership.polls import keys
from membership.polls.models import ChainLink, Poll, PollOption, RollEntry
from membership.polls.queries.facts import digest_of_roll, opening_facts
from membership.polls.queries.roll import eligible
from membership.polls.rules import chain
from membership.polls.services.drafting import locked, log, write_options
from membership.topics import services as topics

SEED_BYTES = 32


def open_poll(poll_id: int, actor: int | None, now: datetime) -> Poll:
    """Open a draft: ballots are taken from `opens_at` on, or at once where that is past.

    Conflict `poll_not_draft`, `wrong_stage` (a topic is no longer on the shortlist), `nobody_on_roll`; InvalidInput
    `poll_dates` where the end is past, `poll_hours` where equal shares miss the hours of a topic. The key is on
    the disk before anything is committed; what is left of an opening that failed is swept.
    """
    with transaction("polls.open"):
        take_time()
        poll = locked(poll_id)
        if poll.state != "draft":
            raise Conflict("poll_not_draft", "This poll has been opened already.")
        if poll.closes_at <= now:
            raise InvalidInput("poll_dates", "This poll would be over before it begins.", field="closes_at")
        options = _freeze_options(poll)
        keys.create(poll.public_id)
        _freeze_roll(poll, now)
        poll.lot_seed, poll.order_seed = secrets.token_hex(SEED_BYTES), secrets.token_hex(SEED_BYTES)
        poll.opened_at, poll.opened_by_id = now, actor
        entry = chain.digest_of(opening_facts(poll, options))
        head = chain.head_after(chain.NOTHING, "opening", entry)
        poll.state = "open"
        db.session.flush()
        db.session.add(ChainLink(poll_id=poll.id, seq=0, kind="opening", entry=entry, head=head))
        for topic_id in sorted(option.topic_id for option in options):
            topics.put_on_ballot(topic_id, poll.id, now)
        log(poll, "opened", actor, before={"state": "draft"}, after={"n_roll": poll.n_roll})
        mail.broadcast("polls.roll", "polls/opened", {"poll_id": poll.id}, once_key=f"poll-opened:{poll.id}")
    return poll


def _freeze_options(poll: Poll) -> list[PollOption]:
    topic_ids = db.session.scalars(
        select(PollOption.topic_id).where(PollOption.poll_id == poll.id).order_by(PollOption.position)
    ).all()
    options = write_options(poll, topic_ids)
    if poll.rule == "equal-shares" and any(option.hours is None for option in options):
        raise InvalidInput("poll_hours", "To share hours, every topic needs its hours.", field="topic_ids")
    return options


def _freeze_roll(poll: Poll, now: datetime) -> None:
    """Write who may vote, and by which grant, in one statement; then count and digest it."""
    members = eligible(poll.eligibility, poll.joined_before, now).subquery()
    rows = select(literal(poll.id), members.c.person_id, members.c.grant_id, false(), true())
    columns = ["poll_id", "person_id", "grant_id", "has_voted", "wants_news"]
    db.session.execute(insert(RollEntry).from_select(columns, rows, include_defaults=False))
    on_roll = select(func.count()).select_from(RollEntry).where(RollEntry.poll_id == poll.id)
    poll.n_roll = db.session.scalar(on_roll) or 0
    if not poll.n_roll:
        raise Conflict("nobody_on_roll", "Nobody could vote in this poll: there is no member who joined in time.")
    poll.roll_digest = digest_of_roll(poll.id)
