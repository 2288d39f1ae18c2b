"""The mails about a topic: one for each step in its life. Each person gets one mail for a step, whyever they are told.

All carry the one link that stops them (`stop_url`). They say nothing of votes.
"""

from datetime import date, datetime
from typing import Any

from membership.accounts.queries import list_staff
from membership.mail.catalogue import About, mail
from membership.mail.stopping import stop_url
from membership.newsroom.queries import newsroom
from membership.topics import queries
from membership.topics.models import Topic
from membership.topics.rules import UNMERGED, Stage
from membership.web.links import absolute

# Staff may press the wrong button; who has not been told yet need not be.
CAN_BE_UNDONE = frozenset({Stage.DECLINED, Stage.NOT_CHOSEN, Stage.PUBLISHED, Stage.DROPPED})

_EXAMPLE = {
    "newsroom_name": "The Harbour Post",
    "title": "Where do the dredging contracts go?",
    "topic_url": "https://join.example.org/topics/top_0123456789abcdefghjkmnpqrs",
    "stop_url": "https://join.example.org/mail/stop/example",
}


@mail(
    "topics/stage",
    example=_EXAMPLE
    | {
        "stage": "reporting",
        "is_back": False,
        "words": None,
        "owner_name": "The city desk",
        "due_on": date.fromisoformat("2027-04-30"),
        "story_url": None,
        "story_title": None,
    },
    about=About.TOPICS,
)
def stage(args: dict[str, int | str], at: datetime) -> dict[str, Any] | None:
    """To followers (and, once it was chosen, to voters): a topic has reached another stage, with its reason."""
    del at
    event, topic = queries.get_event(int(args["event_id"])), queries.get(int(args["topic_id"]))
    is_undone = event.kind in CAN_BE_UNDONE and topic.stage != event.kind
    if is_undone or queries.has_stopped(topic.id, int(args["person_id"])):
        return None
    return _about(topic, args) | {
        "stage": event.kind,
        "is_back": bool(event.details.get("is_back")),
        "words": event.words,
        "owner_name": name_of_staff(event.details.get("owner_id")),
        "due_on": event.due_day,
        "story_url": topic.story_url,
        "story_title": topic.story_title,
    }


@mail(
    "topics/update",
    example=_EXAMPLE | {"words": "We have the contracts of the last ten years and are reading them."},
    about=About.TOPICS,
)
def update(args: dict[str, int | str], at: datetime) -> dict[str, Any] | None:
    """To followers and voters: a short word from the newsroom about the work on a chosen topic."""
    del at
    event, topic = queries.get_event(int(args["event_id"])), queries.get(int(args["topic_id"]))
    if queries.has_stopped(topic.id, int(args["person_id"])):
        return None
    return _about(topic, args) | {"words": event.words}


@mail(
    "topics/merged",
    example=_EXAMPLE | {"other_title": "Who gets the contracts for dredging the port?", "is_apart": False},
    about=About.TOPICS,
)
def merged(args: dict[str, int | str], at: datetime) -> dict[str, Any] | None:
    """To the followers of two topics: they are one from now on, or are two again."""
    del at
    event, topic = queries.get_event(int(args["event_id"])), queries.get(int(args["topic_id"]))
    other = queries.get(int(args["besides_id"]))
    person_id = int(args["person_id"])
    if queries.has_stopped(topic.id, person_id) or queries.has_stopped(other.id, person_id):
        return None
    is_apart = event.kind == UNMERGED
    if is_apart == (topic.merged_into_id is not None):
        return None  # undone before this mail left
    if is_apart and queries.followed_among([topic.id], person_id):
        topic, other = other, topic
    return _about(other, args) | {"other_title": topic.title, "is_apart": is_apart}


def _about(topic: Topic, args: dict[str, int | str]) -> dict[str, Any]:
    return {
        "newsroom_name": newsroom().name,
        "title": topic.title,
        "topic_url": absolute("topics.topic", public_id=topic.public_id),
        "stop_url": stop_url("topic", topic.id, int(args["person_id"])),
    }


def name_of_staff(person_id: int | None) -> str | None:
    """How pages and mails name a member of staff; None for nobody, or somebody who has left."""
    return next((member.name for member, person in list_staff() if person.id == person_id), None)
