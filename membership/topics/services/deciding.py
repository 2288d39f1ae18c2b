"""What staff and polls decide about a topic, up to being chosen."""

from datetime import datetime

from sqlalchemy import select

from membership.db import db, transaction
from membership.kernel import clock
from membership.kernel.errors import Conflict
from membership.topics.models import Topic, TopicEvent
from membership.topics.rules import EDITED, Stage, clean_words
from membership.topics.services.steps import FOLLOWERS, FOLLOWERS_AND_VOTERS, locked, move, tell, write_down


def shortlist(topic_id: int, actor: int | None, *, is_told: bool = True) -> Topic:
    """Take a proposal up: it is public from now on and may come onto a ballot. Twice is once."""
    with transaction("topics.shortlist"):
        topic = locked(topic_id)
        if topic.stage != Stage.SHORTLISTED:
            _refuse_unless(topic, Stage.PROPOSED)
            event = move(topic, Stage.SHORTLISTED, clock.now(), actor)
            if is_told:
                tell(event, "topics/stage", FOLLOWERS)
    return topic


def decline(topic_id: int, reason: str, actor: int | None, *, is_hidden: bool = False) -> Topic:
    """Say no, with a reason that everybody reads; `is_hidden`: its words are not fit to be shown. Twice is once."""
    reason = clean_words(reason, "reason")
    with transaction("topics.decline"):
        topic = locked(topic_id)
        if topic.stage != Stage.DECLINED:
            event = move(topic, Stage.DECLINED, clock.now(), actor, reason)
            tell(event, "topics/stage", FOLLOWERS)
        topic.is_hidden = is_hidden
    return topic


def show_words(topic_id: int, actor: int | None, *, is_hidden: bool) -> Topic:
    """Show the words of a declined topic to everybody after all, or hide them after all."""
    with transaction("topics.show_words"):
        topic = locked(topic_id)
        _refuse_unless(topic, Stage.DECLINED)
        if topic.is_hidden != is_hidden:
            topic.is_hidden = is_hidden
            write_down(topic, EDITED, clock.now(), actor, fields=["hidden"])
    return topic


def back_to_shortlist(
    topic_id: int, reason: str, actor: int | None, *, poll_id: int | None = None, tell: bool = True
) -> Topic:
    """Back onto the shortlist, with a public reason: declined or dropped in error, or missed in the last poll.

    Off a ballot only by its own poll, which was cancelled: that names itself by `poll_id`. Twice is once. What it
    was chosen for stays written, so that the promise is not made shorter.
    """
    reason = clean_words(reason, "reason")
    with transaction("topics.back_to_shortlist"):
        topic = locked(topic_id)
        if topic.stage != Stage.SHORTLISTED:
            is_off_its_ballot = topic.stage == Stage.ON_BALLOT and _poll_of_ballot(topic.id) == poll_id
            if Stage(topic.stage) not in {Stage.DECLINED, Stage.DROPPED, Stage.NOT_CHOSEN} and not is_off_its_ballot:
                raise Conflict("wrong_stage", "This topic has moved on in the meantime. Look at it again.")
            event = move(topic, Stage.SHORTLISTED, clock.now(), actor, reason, is_back=True)
            topic.is_hidden, topic.owner_id, topic.due_on = False, None, None
            _tell_if(event, is_wanted=tell, to_voters=False)
    return topic


def put_on_ballot(topic_id: int, poll_id: int, at: datetime) -> Topic:
    """A poll that opens takes it onto its ballot. Nobody is told here: the poll tells its voters. Twice is once;
    Conflict `on_another_ballot` while another poll has it.
    """
    with transaction("topics.put_on_ballot"):
        topic = locked(topic_id)
        if topic.stage != Stage.ON_BALLOT:
            move(topic, Stage.ON_BALLOT, at, None, poll_id=poll_id)
        elif _poll_of_ballot(topic.id) != poll_id:
            raise Conflict("on_another_ballot", "This topic is on the ballot of another poll.")
    return topic


def choose(topic_id: int, poll_id: int, at: datetime, *, tell: bool = True, to_voters: bool = False) -> Topic:
    """The poll chose it; `at` (the close) starts the clock of the promise. Twice is once.

    `tell`: its followers are told; `to_voters`: and all who voted in that poll, as when it moves up later because
    the editor skipped another.
    """
    with transaction("topics.choose"):
        topic = locked(topic_id)
        if topic.stage not in {Stage.CHOSEN, Stage.REPORTING, Stage.PUBLISHED}:
            event = move(topic, Stage.CHOSEN, at, None, poll_id=poll_id)
            topic.chosen_at = at
            _tell_if(event, is_wanted=tell, to_voters=to_voters)
    return topic


def not_choose(topic_id: int, poll_id: int, at: datetime, *, tell: bool = True) -> Topic:
    """The poll did not choose it; it may come onto another ballot. Its followers are told if `tell`. Twice is once."""
    with transaction("topics.not_choose"):
        topic = locked(topic_id)
        if topic.stage != Stage.NOT_CHOSEN:
            event = move(topic, Stage.NOT_CHOSEN, at, None, poll_id=poll_id)
            _tell_if(event, is_wanted=tell, to_voters=False)
    return topic


def _tell_if(event: TopicEvent, *, is_wanted: bool, to_voters: bool) -> None:
    if is_wanted:
        tell(event, "topics/stage", FOLLOWERS_AND_VOTERS if to_voters else FOLLOWERS)


def _poll_of_ballot(topic_id: int) -> int | None:
    latest = select(TopicEvent).where(TopicEvent.topic_id == topic_id, TopicEvent.kind == Stage.ON_BALLOT.value)
    event = db.session.scalar(latest.order_by(TopicEvent.id.desc()).limit(1))
    return None if event is None else event.details.get("poll_id")


def _refuse_unless(topic: Topic, stage: Stage) -> None:
    if topic.stage != stage:
        raise Conflict("wrong_stage", "This topic has moved on in the meantime. Look at it again.")
