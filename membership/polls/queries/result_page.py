"""Reads of the page of a result and its files: the topics as they are now, the ballots as they are published."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from membership.db import db
from membership.polls.counting import BallotKind
from membership.polls.models import Poll, PollOption
from membership.polls.queries.polls import options_of
from membership.polls.queries.proof import published_ballots
from membership.polls.rules import ballot_kind, lot_order, parse_choice
from membership.topics.models import Topic


@dataclass(frozen=True)
class TopicNow:
    """An option of a closed poll with its title of then, and what has become of its topic since."""

    position: int
    topic_id: int
    public_id: str
    title: str
    stage: str
    story_url: str | None


def topics_of(poll_id: int) -> list[TopicNow]:
    """The options of a poll, in order of position."""
    rows = db.session.execute(
        select(PollOption.position, Topic.id, Topic.public_id, PollOption.title, Topic.stage, Topic.story_url)
        .join(Topic, Topic.id == PollOption.topic_id)
        .where(PollOption.poll_id == poll_id)
        .order_by(PollOption.position)
    )
    return [TopicNow(*row) for row in rows]


def ballots_file(poll: Poll) -> dict[str, Any] | None:
    """All counted ballots in the format that `membership count` reads (`counting.files.grouped_json`), complete, so
    that a recount is exact: grouped, most frequent first, without receipts. None where the poll does not publish them.
    """
    published = published_ballots(poll)
    if published is None:
        return None
    options = options_of(poll.id)
    n_ballots = sum(n for _, n in published)
    file: dict[str, Any] = {
        "title": poll.title,
        "rule": poll.rule,
        "seats": poll.n_seats,
        "candidates": [option.title for option in options],
        "lot_order": list(lot_order(poll.lot_seed or "", len(options))),
        "valid_ballots": n_ballots,
    }
    if poll.budget_hours is not None:
        file |= {
            "costs": [option.hours or 1 for option in options],
            "budget": poll.budget_hours,
            "unit": f"1/{max(1, n_ballots)}",
        }
    kind = ballot_kind(poll.rule)
    return file | {"ballots": [[n, _ranks(choice, kind)] for choice, n in published]}


def _ranks(text: str, kind: BallotKind) -> list[Any]:
    """A choice as the file holds it: positions best first; ticks are one inner list."""
    choice = parse_choice(text, kind)
    return [list(rank) if kind == "approval" else rank[0] for rank in choice]
