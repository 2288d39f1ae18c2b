"""What every use case of topics is made of: the locked row, one event, one broadcast. Called inside a transaction."""

from datetime import datetime
from typing import Any

from sqlalchemy import text

from membership.accounts.queries import find_staff_name
from membership.audit.rules import Plain
from membership.audit.services import record
from membership.db import db, is_sqlite
from membership.kernel.errors import Conflict, NotFound
from membership.mail import services as mail
from membership.topics import queries
from membership.topics.models import Topic, TopicEvent
from membership.topics.rules import Stage, may_become

FOLLOWERS = "topics.followers"
# Followers, and everybody who voted in the poll that chose the topic.
FOLLOWERS_AND_VOTERS = "topics.stage"
# The name of PostgreSQL's lock under which mergers take turns; any number that nobody else uses.
MERGER_LOCK = 7_406_001


def locked(topic_id: int) -> Topic:
    """The topic, with nobody else changing it until the end of the transaction; NotFound if there is none."""
    topic = db.session.get(Topic, topic_id, populate_existing=True, with_for_update=True)
    if topic is None:
        raise NotFound("no_topic", "There is no such topic.")
    return topic


def locked_root(topic_id: int) -> Topic:
    """The topic that this one was merged into in the end (or itself), locked as `locked` does."""
    _hold_mergers("pg_advisory_xact_lock_shared")
    return locked(queries.root_of(queries.get(topic_id)).id)


def take_turns_merging() -> None:
    """Let no other merger happen until the end of the transaction, so that no two of them make a ring."""
    _hold_mergers("pg_advisory_xact_lock")


def _hold_mergers(lock: str) -> None:
    """Taken before any row is locked, so that nobody waits in a ring. On SQLite only one transaction writes anyway."""
    if not is_sqlite():
        db.session.execute(text(f"SELECT {lock}(:name)"), {"name": MERGER_LOCK})


def move(
    topic: Topic, stage: Stage, at: datetime, actor: int | None, words: str | None = None, **details: Any
) -> TopicEvent:
    """Take a (locked) topic to another stage and write it down; Conflict `wrong_stage` where that is no way to go."""
    # A merged topic moves with the one that it is part of; only parting them leads out.
    if topic.stage == Stage.MERGED or not may_become(Stage(topic.stage), stage):
        raise Conflict("wrong_stage", "This topic has moved on in the meantime. Look at it again.", stage=topic.stage)
    before, topic.stage, topic.stage_at = topic.stage, stage.value, at
    event = TopicEvent(topic_id=topic.id, at=at, kind=stage.value, words=words, details=details, actor_id=actor)
    _add(event)
    log(topic, stage.value, actor, reason=words, before={"stage": before}, after={"event": event.id} | details)
    return event


def write_down(
    topic: Topic, kind: str, at: datetime, actor: int | None, words: str | None = None, **details: Any
) -> TopicEvent:
    """One event in the life of a topic, with its id. What staff do stands in the audit log as well."""
    event = TopicEvent(topic_id=topic.id, at=at, kind=kind, words=words, details=details, actor_id=actor)
    _add(event)
    log(topic, kind, actor, after={"event": event.id} | details)
    return event


def _add(event: TopicEvent) -> None:
    db.session.add(event)
    db.session.flush()


def log(
    topic: Topic,
    what: str,
    actor: int | None,
    *,
    reason: str | None = None,
    before: Plain = None,
    after: Plain = None,
) -> None:
    """Into the audit log, where `actor` (the id of a person) is on the staff."""
    name = find_staff_name(actor)
    if name is not None:
        record(f"topic.{what}", ("topic", topic.public_id), actor=name, reason=reason, before=before, after=after)


def tell(event: TopicEvent, kind: str, audience: str, besides: int | None = None) -> None:
    """Have the people of an audience told of an event, each once; also those of the topic `besides`."""
    args: dict[str, int | str] = {"topic_id": event.topic_id, "event_id": event.id}
    if besides is not None:
        args["besides_id"] = besides
    mail.broadcast(audience, kind, args, once_key=f"topic:{event.id}")
