"""Reads of the page of a result: its topics as they are now."""

from dataclasses import dataclass

from sqlalchemy import select

from membership.db import db
from membership.polls.models import PollOption
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
