"""Following a topic, and stopping its mails. A tap of one's own makes a follow, and nothing else (decision 16)."""

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

from membership.db import db, is_sqlite, transaction
from membership.kernel import clock
from membership.kernel.errors import NotFound
from membership.topics import queries
from membership.topics.models import Topic, TopicFollower, TopicMute
from membership.topics.rules import PUBLIC, Stage
from membership.topics.services.steps import locked_root


def follow(topic_id: int, person_id: int) -> Topic:
    """Follow a topic, or the one that it was merged into; which one. The second time changes nothing.

    Mails about it come (again). NotFound for a topic that waits for staff and is not this person's own.
    """
    insert = insert_on_sqlite if is_sqlite() else insert_on_postgresql
    with transaction("topics.follow"):
        topic = locked_root(topic_id)
        if Stage(topic.stage) not in PUBLIC and topic.proposer_id != person_id:
            raise NotFound("no_topic", "There is no such topic.")
        members = family_of(topic.id)
        db.session.execute(delete(TopicMute).where(_is_of(TopicMute, members, person_id)))
        if db.session.scalar(select(TopicFollower.person_id).where(_is_of(TopicFollower, members, person_id)).limit(1)):
            return topic
        row = {"topic_id": topic.id, "person_id": person_id, "at": clock.now()}
        db.session.execute(insert(TopicFollower).values(**row).on_conflict_do_nothing())
        topic.n_followers += 1
    return topic


def unfollow(topic_id: int, person_id: int) -> Topic:
    """Follow a topic no more, nor what was merged into it; the topic that it is part of. Twice is once."""
    with transaction("topics.unfollow"):
        topic = locked_root(topic_id)
        gone = db.session.scalars(
            delete(TopicFollower)
            .where(_is_of(TopicFollower, family_of(topic.id), person_id))
            .returning(TopicFollower.topic_id)
        ).all()
        if gone:
            topic.n_followers -= 1
    return topic


def stop_news(topic_id: int, person_id: int) -> None:
    """No more mails about this topic to this person, whyever they came. Who follows it still counts."""
    insert = insert_on_sqlite if is_sqlite() else insert_on_postgresql
    with transaction("topics.stop_news"):
        row = {"topic_id": topic_id, "person_id": person_id}
        db.session.execute(insert(TopicMute).values(**row).on_conflict_do_nothing())


def resume_news(topic_id: int, person_id: int) -> None:
    """Take `stop_news` back."""
    with transaction("topics.resume_news"):
        db.session.execute(delete(TopicMute).where(TopicMute.topic_id == topic_id, TopicMute.person_id == person_id))


def family_of(topic_id: int) -> list[int]:
    """A topic and all that was merged into it, however deep, by their ids."""
    return list(db.session.scalars(select(queries.family([topic_id]).c.topic_id)))


def _is_of(table: type[TopicFollower | TopicMute], topic_ids: list[int], person_id: int) -> ColumnElement[bool]:
    return table.topic_id.in_(topic_ids) & (table.person_id == person_id)
