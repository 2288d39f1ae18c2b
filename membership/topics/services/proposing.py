"""A topic begins: members propose, staff mend words before anybody votes on them."""

from datetime import datetime, timedelta

from sqlalchemy import select

from membership.accounts.models import Person
from membership.db import db, transaction
from membership.kernel import clock, ids
from membership.kernel.errors import Conflict
from membership.topics.models import Topic, TopicFollower
from membership.topics.rules import (
    EDITABLE,
    EDITED,
    Stage,
    clean_hours,
    clean_links,
    clean_title,
    clean_why,
    plain,
)
from membership.topics.services.steps import locked, log, write_down

# The same title from the same person within this time is the same press of a button.
SAME_PROPOSAL = timedelta(days=1)


def propose(  # noqa: PLR0917 - the facts of a proposal, in the order in which everybody names them
    person_id: int | None,
    title: str,
    why: str,
    links: list[str],
    locale: str,
    now: datetime,
    *,
    actor: int | None = None,
) -> Topic:
    """A new topic, to be looked at by staff; `person_id` None for one of the newsroom itself, which `actor` wrote down.

    Texts are cleaned by the rules (InvalidInput naming the field). Its proposer follows it from the first. The same
    proposal sent twice is one topic.
    """
    title, why, links = clean_title(title), clean_why(why), clean_links("\n".join(links))
    with transaction("topics.propose"):
        twin = _find_twin(person_id, plain(title), now)
        if twin is not None:
            return twin
        topic = Topic(
            public_id=ids.new_public_id("top"),
            title=title,
            why=why,
            links=links,
            plain_title=plain(title),
            plain_why=plain(why),
            locale=locale,
            proposer_id=person_id,
            stage=Stage.PROPOSED.value,
            stage_at=now,
            created_at=now,
            n_followers=0 if person_id is None else 1,
        )
        db.session.add(topic)
        db.session.flush()
        if person_id is not None:
            db.session.add(TopicFollower(topic_id=topic.id, person_id=person_id, at=now))
        write_down(topic, Stage.PROPOSED.value, now, person_id)
        if actor is not None:
            log(topic, Stage.PROPOSED.value, actor)
    return topic


def _find_twin(person_id: int | None, plain_title: str, now: datetime) -> Topic | None:
    if person_id is not None:
        # Two presses at once take turns, and the second finds what the first has written.
        db.session.get(Person, person_id, populate_existing=True, with_for_update=True)
    same = select(Topic).where(
        Topic.proposer_id.is_not_distinct_from(person_id),
        Topic.plain_title == plain_title,
        Topic.stage == Stage.PROPOSED.value,
        Topic.created_at > now - SAME_PROPOSAL,
    )
    return db.session.scalar(same.limit(1))


def edit(topic_id: int, title: str, why: str, hours: int | None, actor: int | None) -> Topic:
    """Other words, other hours: while nobody can vote on them, else Conflict `words_are_fixed`.

    Readers see that the newsroom changed the words, and when. Nothing is written where nothing changes.
    """
    title, why, hours = clean_title(title), clean_why(why), clean_hours(hours)
    with transaction("topics.edit"):
        topic = locked(topic_id)
        wanted = {"title": title, "why": why, "hours": hours}
        changed = sorted(name for name, value in wanted.items() if getattr(topic, name) != value)
        if not changed:
            return topic
        if Stage(topic.stage) not in EDITABLE:
            raise Conflict("words_are_fixed", "The words and hours of this topic can no longer be changed.")
        topic.title, topic.why, topic.hours = title, why, hours
        topic.plain_title, topic.plain_why = plain(title), plain(why)
        write_down(topic, EDITED, clock.now(), actor, fields=changed)
    return topic
