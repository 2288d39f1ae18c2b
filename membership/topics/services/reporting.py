"""The work on a chosen topic: who reports it, what they say on the way, the story."""

from datetime import date

from membership.accounts.queries import list_staff
from membership.db import transaction
from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput
from membership.topics import queries
from membership.topics.models import Topic
from membership.topics.rules import (
    EDITED,
    IN_WORK,
    OWNER,
    UPDATE,
    Stage,
    clean_address,
    clean_story_title,
    clean_words,
)
from membership.topics.services.steps import FOLLOWERS_AND_VOTERS, locked, move, tell, write_down


def assign(topic_id: int, owner_id: int, due_on: date, actor: int | None) -> Topic:
    """Who reports a chosen topic, and until when. Told once, when the work begins; later changes stand on its page.

    InvalidInput where the owner is not on the staff.
    """
    if owner_id not in {person.id for _, person in list_staff()}:
        raise InvalidInput("owner_not_staff", "Please choose somebody from the staff.", field="owner")
    with transaction("topics.assign"):
        topic = locked(topic_id)
        now = clock.now()
        is_same = (topic.owner_id, topic.due_on) == (owner_id, due_on)
        topic.owner_id, topic.due_on = owner_id, due_on
        if topic.stage == Stage.CHOSEN:
            event = move(topic, Stage.REPORTING, now, actor, owner_id=owner_id, due_on=due_on.isoformat())
            tell(event, "topics/stage", FOLLOWERS_AND_VOTERS)
        elif topic.stage != Stage.REPORTING:
            raise Conflict("wrong_stage", "This topic has moved on in the meantime. Look at it again.")
        elif not is_same:
            write_down(topic, OWNER, now, actor, owner_id=owner_id, due_on=due_on.isoformat())
    return topic


def update(topic_id: int, words: str, actor: int | None) -> Topic:
    """A short word to everybody about the work on a chosen topic; followers and voters are told.

    The same words twice in a row are one update.
    """
    words = clean_words(words, "words")
    with transaction("topics.update"):
        topic = locked(topic_id)
        if Stage(topic.stage) not in IN_WORK | {Stage.PUBLISHED}:
            raise Conflict("wrong_stage", "This topic has moved on in the meantime. Look at it again.")
        if _last_update(topic.id) != words:
            event = write_down(topic, UPDATE, clock.now(), actor, words)
            tell(event, "topics/update", FOLLOWERS_AND_VOTERS)
    return topic


def publish(topic_id: int, story_url: str, story_title: str, actor: int | None) -> Topic:
    """The story is out: its address and headline. Again with others mends them, which nobody is told about."""
    story_url, story_title = clean_address(story_url, "story_url"), clean_story_title(story_title)
    with transaction("topics.publish"):
        topic = locked(topic_id)
        now = clock.now()
        is_same = (topic.story_url, topic.story_title) == (story_url, story_title)
        topic.story_url, topic.story_title = story_url, story_title
        if topic.stage == Stage.PUBLISHED:
            if not is_same:
                write_down(topic, EDITED, now, actor, fields=["story"])
            return topic
        topic.published_at = now
        event = move(topic, Stage.PUBLISHED, now, actor)
        tell(event, "topics/stage", FOLLOWERS_AND_VOTERS)
    return topic


def take_back(topic_id: int, reason: str, actor: int | None) -> Topic:
    """The story was the wrong one or is gone: back to work, with a public reason, told to nobody. Twice is once."""
    reason = clean_words(reason, "reason")
    with transaction("topics.take_back"):
        topic = locked(topic_id)
        if topic.stage != Stage.REPORTING:
            if topic.stage != Stage.PUBLISHED:
                raise Conflict("wrong_stage", "This topic has moved on in the meantime. Look at it again.")
            move(topic, Stage.REPORTING, clock.now(), actor, reason, is_back=True)
            topic.story_url = topic.story_title = topic.published_at = None
    return topic


def drop(topic_id: int, reason: str, actor: int | None) -> Topic:
    """There will be no story, with a public reason; followers and voters are told. Twice is once."""
    reason = clean_words(reason, "reason")
    with transaction("topics.drop"):
        topic = locked(topic_id)
        if topic.stage != Stage.DROPPED:
            event = move(topic, Stage.DROPPED, clock.now(), actor, reason)
            tell(event, "topics/stage", FOLLOWERS_AND_VOTERS)
    return topic


def _last_update(topic_id: int) -> str | None:
    updates = [event.words for event in queries.events_of([topic_id]) if event.kind == UPDATE]
    return updates[-1] if updates else None
