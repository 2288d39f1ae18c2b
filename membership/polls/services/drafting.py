"""Making a poll, while nobody can vote in it yet."""

from collections.abc import Sequence

from sqlalchemy import delete, select

from membership.accounts.queries import find_staff_name
from membership.audit.rules import Plain
from membership.audit.services import record
from membership.db import db, transaction
from membership.kernel import clock, ids
from membership.kernel.errors import Conflict, InvalidInput, NotFound
from membership.polls.models import Poll, PollOption
from membership.polls.rules.drafts import PollFields, clean_fields
from membership.topics.models import Topic


def draft(fields: PollFields, actor: int | None = None) -> Poll:
    """A new poll that nobody sees but staff. InvalidInput where a field cannot be so."""
    columns = clean_fields(fields)
    with transaction("polls.draft"):
        poll = Poll(
            public_id=ids.new_public_id("pol"), state="draft", created_by_id=actor, created_at=clock.now(), **columns
        )
        db.session.add(poll)
        db.session.flush()
        write_options(poll, fields.topic_ids)
        log(poll, "drafted", actor)
    return poll


def change(poll_id: int, fields: PollFields, actor: int | None = None) -> Poll:
    """Other fields for a draft; Conflict `poll_is_fixed` from its opening on."""
    columns = clean_fields(fields)
    with transaction("polls.change"):
        poll = locked(poll_id)
        if poll.state != "draft":
            raise Conflict("poll_is_fixed", "This poll has been opened and cannot be changed any more.")
        changed = sorted(name for name, value in columns.items() if getattr(poll, name) != value)
        for name, value in columns.items():
            setattr(poll, name, value)
        db.session.flush()
        write_options(poll, fields.topic_ids)
        log(poll, "changed", actor, after={"fields": changed, "topics": list(fields.topic_ids)})
    return poll


def log(
    poll: Poll,
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
        record(f"poll.{what}", ("poll", poll.public_id), actor=name, reason=reason, before=before, after=after)


def locked(poll_id: int) -> Poll:
    """The poll, with nobody else casting in it or changing it until the end of the transaction; or NotFound."""
    poll = db.session.get(Poll, poll_id, populate_existing=True, with_for_update=True)
    if poll is None:
        raise NotFound("no_poll", "There is no such poll.")
    return poll


def write_options(poll: Poll, topic_ids: Sequence[int]) -> list[PollOption]:
    """The options of a draft, anew from their topics as they stand now, in this order."""
    db.session.execute(delete(PollOption).where(PollOption.poll_id == poll.id))
    topics = {topic.id: topic for topic in db.session.scalars(select(Topic).where(Topic.id.in_(topic_ids)))}
    if len(topics) != len(topic_ids):
        raise InvalidInput("poll_options", "One of these topics does not exist.", field="topic_ids")
    options = [
        PollOption(
            poll_id=poll.id,
            topic_id=topic_id,
            position=position,
            title=topics[topic_id].title,
            why=topics[topic_id].why,
            hours=topics[topic_id].hours,
        )
        for position, topic_id in enumerate(topic_ids)
    ]
    db.session.add_all(options)
    db.session.flush()
    return options
