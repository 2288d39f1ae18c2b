"""What pages say about topics: gathered once, for readers and for staff."""

from dataclasses import dataclass
from typing import Any

from flask_login import current_user

from membership.accounts.queries import list_staff
from membership.kernel import clock
from membership.kernel.errors import NotFound
from membership.newsroom.queries import day_of
from membership.topics import queries
from membership.topics.models import Topic
from membership.topics.rules import PUBLIC, Stage, life


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks: their id (None where nobody is signed in), and whether they see what readers do not see yet."""

    person_id: int | None
    is_staff: bool


def viewer() -> Viewer:
    """Who looks at this page."""
    if not current_user.is_authenticated:
        return Viewer(None, is_staff=False)
    return Viewer(current_user.id, is_staff=current_user.may("desk.see"))


def shown_topic(public_id: str) -> Topic:
    """The topic, if whoever looks may see it: what waits for staff is seen by its proposer and staff only."""
    topic, looks = queries.get_by_public_id(public_id), viewer()
    is_own = looks.person_id is not None and topic.proposer_id == looks.person_id
    if Stage(topic.stage) in PUBLIC or is_own or looks.is_staff:
        return topic
    raise NotFound("no_topic", "There is no such topic.")


def facts_of(topic: Topic) -> dict[str, Any]:
    """What the page of a topic says besides its own words."""
    looks, events = viewer(), queries.events_of([topic.id])
    is_own = looks.person_id is not None and topic.proposer_id == looks.person_id
    return {
        "topic": topic,
        "steps": life(Stage(topic.stage), [(event.kind, event.at) for event in events]),
        "events": events[::-1],
        "parts": queries.merged_into(topic.id),
        "targets": queries.titles_of(event.details["into"] for event in events if "into" in event.details),
        "staff_names": {person.id: member.name for member, person in list_staff()},
        "is_own": is_own,
        "has_words": not topic.is_hidden or is_own or looks.is_staff,
        "is_followed": looks.person_id is not None and bool(queries.followed_among([topic.id], looks.person_id)),
        "is_overdue": topic.due_on is not None and topic.due_on < day_of(clock.now()),
    }
