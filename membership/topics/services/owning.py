"""Whose topics and follows they are, when that changes: two people turn out to be one, or somebody leaves for good."""

from datetime import datetime

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import delete, or_, select, update

from membership.db import db, transaction
from membership.topics import queries
from membership.topics.models import Topic, TopicEvent, TopicFollower, TopicMute
from membership.topics.rules import Stage, plain
from membership.topics.services.following import family_of, stop_news
from membership.topics.services.steps import locked, locked_root, move

UNSYNCHRONISED = {"synchronize_session": False}


def merge(from_id: int, into_id: int, at: datetime) -> None:
    """Give one person's proposals, follows and stops to another; whoever followed by both follows once."""
    del at
    with transaction("topics.merge_people"):
        for root_id in _followed_roots(from_id):
            _move_follows(locked_root(root_id), from_id, into_id)
        stopped = delete(TopicMute).where(TopicMute.person_id == from_id).returning(TopicMute.topic_id)
        for topic_id in db.session.scalars(stopped).all():
            stop_news(topic_id, into_id)
        for model, column in ((Topic, "proposer_id"), (Topic, "owner_id"), (TopicEvent, "actor_id")):
            moved = update(model).where(getattr(model, column) == from_id).values({column: into_id})
            db.session.execute(moved, execution_options=UNSYNCHRONISED)


def _followed_roots(person_id: int) -> list[int]:
    """What somebody follows, each family of merged topics once, in the order in which everybody locks them."""
    followed = db.session.scalars(select(TopicFollower.topic_id).where(TopicFollower.person_id == person_id)).all()
    return sorted({queries.root_of(queries.get(topic_id)).id for topic_id in followed})


def _follows(members: list[int], person_id: int) -> set[int]:
    mine = TopicFollower.topic_id.in_(members) & (TopicFollower.person_id == person_id)
    return set(db.session.scalars(select(TopicFollower.topic_id).where(mine)))


def _move_follows(root: Topic, from_id: int, into_id: int) -> None:
    members = family_of(root.id)
    theirs, kept = _follows(members, from_id), _follows(members, into_id)
    mine = TopicFollower.person_id == from_id
    both = delete(TopicFollower).where(mine, TopicFollower.topic_id.in_(theirs & kept))
    alone = update(TopicFollower).where(mine, TopicFollower.topic_id.in_(theirs - kept)).values(person_id=into_id)
    db.session.execute(both, execution_options=UNSYNCHRONISED)
    db.session.execute(alone, execution_options=UNSYNCHRONISED)
    if theirs and kept:
        root.n_followers -= 1


def erase(person_id: int, at: datetime) -> None:
    """Forget what somebody follows and stopped, and empty what they proposed and the public never saw.

    Words that are public stay, without a name: others follow them and voted on them.
    """
    with transaction("topics.erase"):
        for root_id in _followed_roots(person_id):
            root = locked_root(root_id)
            members = family_of(root.id)
            if _follows(members, person_id):
                root.n_followers -= 1
            gone = delete(TopicFollower).where(
                TopicFollower.topic_id.in_(members), TopicFollower.person_id == person_id
            )
            db.session.execute(gone)
        db.session.execute(delete(TopicMute).where(TopicMute.person_id == person_id))
        unseen = or_(Topic.stage == Stage.PROPOSED, Topic.is_hidden)
        mine = select(Topic.id).where(Topic.proposer_id == person_id, unseen).order_by(Topic.id)
        for topic_id in db.session.scalars(mine).all():
            _empty(locked(topic_id), at)


def _empty(topic: Topic, at: datetime) -> None:
    with force_locale(topic.locale):
        topic.title = _("A proposal whose author left")
        topic.why = _("Whoever wrote it has deleted their account.")
        reason = topic.why
    topic.links, topic.is_hidden = [], True
    topic.plain_title, topic.plain_why = plain(topic.title), plain(topic.why)
    if topic.stage == Stage.PROPOSED:
        move(topic, Stage.DECLINED, at, None, reason)
