"""The statements that first and last link of a chain stand for, and the roll's digest."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from membership.accounts.models import Person
from membership.db import db
from membership.polls.models import Poll, PollOption, PollResult, RollEntry
from membership.polls.rules import chain
from membership.topics.models import Topic


def opening_facts(poll: Poll, options: Sequence[PollOption]) -> dict[str, Any]:
    """All that is frozen at the opening, as evidence states it; its digest is the first link."""
    rows = db.session.execute(
        select(Topic.id, Topic.public_id).where(Topic.id.in_([option.topic_id for option in options]))
    )
    names = {row.id: row.public_id for row in rows}
    return {
        "poll": poll.public_id,
        "title": poll.title,
        "intro": poll.intro,
        "locale": poll.locale,
        "rule": poll.rule,
        "seats": poll.n_seats,
        "max_ranks": poll.max_ranks,
        "budget_hours": poll.budget_hours,
        "opens_at": chain.moment(poll.opens_at),
        "closes_at": chain.moment(poll.closes_at),
        "eligibility": poll.eligibility,
        "joined_before": chain.moment(poll.joined_before),
        "publish_from": poll.publish_from,
        "opened_at": chain.moment(poll.opened_at or poll.opens_at),
        "lot_seed": poll.lot_seed,
        "order_seed": poll.order_seed,
        "on_roll": poll.n_roll,
        "roll_digest": poll.roll_digest,
        "options": [
            {"n": o.position, "topic": names[o.topic_id], "title": o.title, "why": o.why, "hours": o.hours}
            for o in options
        ],
    }


def closing_facts(poll: Poll, result: PollResult, receipts: Sequence[str], closed_at: datetime) -> dict[str, Any]:
    """What was counted, as evidence states it; its digest is the last link. `receipts` are the sorted hashes."""
    return {
        "poll": poll.public_id,
        "closed_at": chain.moment(closed_at),
        "voted": result.n_voted,
        "counted": result.n_voted - result.n_set_aside,
        "blank": result.n_blank,
        "set_aside": result.n_set_aside,
        "has_breakdown": result.has_breakdown,
        "rule_version": result.rule_version,
        "receipts_digest": chain.digest_of_lines(receipts),
        "choices_digest": result.choices_digest,
        "ballots_digest": result.ballots_digest,
        "result_digest": chain.digest_of(result.count),
        "other_rules_digest": chain.digest_of(result.other_rules),
    }


def digest_of_roll(poll_id: int) -> str:
    """SHA-256 over the roll, one "person's public id|grant's id" per line, in order of the people's ids.

    Public ids are random, so that nobody can find out from the digest who is on the roll.
    """
    rows = db.session.execute(
        select(Person.public_id, RollEntry.grant_id)
        .join(Person, Person.id == RollEntry.person_id)
        .where(RollEntry.poll_id == poll_id)
        .order_by(RollEntry.person_id)
        .execution_options(yield_per=5000)
    )
    return chain.digest_of_lines(f"{public_id}|{grant_id}" for public_id, grant_id in rows)
