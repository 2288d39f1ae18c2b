"""Reads of topics: lists, families of merged topics, near-duplicates, the promise, who is told."""

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from flask import current_app
from sqlalchemy import CTE, ColumnElement, Select, and_, distinct, exists, func, or_, select

from membership.accounts.models import Person
from membership.db import db
from membership.kernel.errors import NotFound
from membership.mail.audiences import Recipient
from membership.mail.catalogue import Args
from membership.topics.models import Topic, TopicEvent, TopicFollower, TopicMute
from membership.topics.rules import (
    EDITED,
    IN_WORK,
    OPEN,
    OWNER,
    PUBLIC,
    Stage,
    median_days,
    plain,
    rank_similar,
    significant,
)

MOST_SEARCH_WORDS = 6
# What a column of whole numbers holds, and a mark of a moment and an id.
LARGEST_INTEGER = 2**31 - 1
LONGEST_MARK = 32
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# How long titles are kept in memory for the list that is shown while somebody types.
TITLES_KEPT_SECONDS = 15.0

Sort = Literal["followers", "latest"]


# One topic and its family ------------------------------------------------------------------------------


def get(topic_id: int) -> Topic:
    """The topic with this id; NotFound if there is none."""
    return _found(db.session.get(Topic, topic_id))


def get_by_public_id(public_id: str) -> Topic:
    """The topic with this name in addresses, at whatever stage; NotFound if there is none."""
    return _found(db.session.scalar(select(Topic).where(Topic.public_id == public_id)))


def _found(topic: Topic | None) -> Topic:
    if topic is None:
        raise NotFound("no_topic", "There is no such topic.")
    return topic


def name_of(topic_id: int) -> str | None:
    """The title that readers know, for the page that stops mails; None where it is gone or its words are hidden."""
    topic = db.session.get(Topic, topic_id)
    return topic.title if topic is not None and not topic.is_hidden else None


def root_of(topic: Topic) -> Topic:
    """The topic that this one was merged into in the end; itself, where it was not."""
    while topic.merged_into_id is not None:
        topic = get(topic.merged_into_id)
    return topic


def merged_into(topic_id: int) -> Sequence[Topic]:
    """The topics that were merged into this one directly, in the order in which they were proposed."""
    statement = select(Topic).where(Topic.merged_into_id == topic_id).order_by(Topic.created_at, Topic.id)
    return db.session.scalars(statement).all()


def family(topic_ids: Collection[int]) -> CTE:
    """The rows (root_id, topic_id): each of these topics with itself and all that was merged into it, however deep."""
    roots = select(Topic.id.label("root_id"), Topic.id.label("topic_id")).where(Topic.id.in_(topic_ids))
    found = roots.cte("family", recursive=True)
    children = select(found.c.root_id, Topic.id).join(found, Topic.merged_into_id == found.c.topic_id)
    return found.union(children)


def n_followers(topic_id: int) -> int:
    """How many people follow a topic or one that was merged into it, each counted once."""
    members = family([topic_id])
    statement = select(func.count(distinct(TopicFollower.person_id))).join(
        members, members.c.topic_id == TopicFollower.topic_id
    )
    return db.session.scalar(statement) or 0


def followed_among(topic_ids: Collection[int], person_id: int) -> set[int]:
    """Which of these topics a person follows, by themselves or by one that was merged into them."""
    members = family(topic_ids)
    statement = (
        select(members.c.root_id)
        .join(TopicFollower, TopicFollower.topic_id == members.c.topic_id)
        .where(TopicFollower.person_id == person_id)
    )
    return set(db.session.scalars(statement))


def has_stopped(topic_id: int, person_id: int) -> bool:
    """Whether a person wants no more mails about this topic."""
    return db.session.get(TopicMute, (topic_id, person_id)) is not None


def events_of(topic_ids: Collection[int]) -> Sequence[TopicEvent]:
    """What happened to these topics, oldest first."""
    statement = select(TopicEvent).where(TopicEvent.topic_id.in_(topic_ids)).order_by(TopicEvent.at, TopicEvent.id)
    return db.session.scalars(statement).all()


def get_event(event_id: int) -> TopicEvent:
    """The event with this id; NotFound if there is none."""
    event = db.session.get(TopicEvent, event_id)
    if event is None:
        raise NotFound("no_topic_event", "There is no such event.")
    return event


def latest_news(limit: int, topic_id: int | None = None) -> list[tuple[TopicEvent, Topic]]:
    """The latest public steps of all topics (or of one) with their topics, newest first; without what only mends words
    or names a reporter, and nothing of topics that wait for staff or whose words are hidden.
    """
    statement = (
        select(TopicEvent, Topic)
        .join(Topic, Topic.id == TopicEvent.topic_id)
        .where(TopicEvent.kind.not_in([EDITED, OWNER]), _is_public(), Topic.is_hidden.is_(False))
        .order_by(TopicEvent.at.desc(), TopicEvent.id.desc())
        .limit(limit)
    )
    if topic_id is not None:
        statement = statement.where(TopicEvent.topic_id == topic_id)
    return [(event, topic) for event, topic in db.session.execute(statement)]


# Lists -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a list: its rows, and the mark after which the next part begins (None where this is the end)."""

    rows: Sequence[Topic]
    next_mark: str | None


def list_topics(
    stages: Collection[Stage], words: str = "", sort: Sort = "followers", after: str = "", limit: int = 20
) -> Page:
    """Topics in these stages in whose title or text every word of `words` stands (six at most count).

    `sort`: "followers" (most first) or "latest" (moved last first). `after` is the `next_mark` of the part before;
    anything else that is no mark begins at the beginning. Words are found whatever their case, accents and keyboard.
    """
    statement = select(Topic).where(Topic.stage.in_([stage.value for stage in stages]))
    if words and not plain(words):
        return Page([], None)
    for word in plain(words).split()[:MOST_SEARCH_WORDS]:
        pattern = f"%{word}%"  # `plain` leaves letters and digits only, so there is no wild card in it
        stands = or_(Topic.plain_title.like(pattern), Topic.plain_why.like(pattern))
        # A search must not tell which words are hidden.
        statement = statement.where(stands, Topic.is_hidden.is_(False))
    if sort == "followers":
        mark = _number(after)
        return _part(statement, Topic.n_followers, mark if mark and mark[0] <= LARGEST_INTEGER else None, limit)
    return _part(statement, Topic.stage_at, _moment(after), limit)


def stories(limit: int, before: str = "") -> Page:
    """Topics whose story is published, the latest first; `before` is the `next_mark` of the part before."""
    statement = select(Topic).where(Topic.stage == Stage.PUBLISHED.value)
    return _part(statement, Topic.published_at, _moment(before), limit)


def proposals_of(person_id: int, limit: int = 50) -> Sequence[Topic]:
    """What a person proposed, the newest first, at whatever stage."""
    statement = select(Topic).where(Topic.proposer_id == person_id)
    return db.session.scalars(statement.order_by(Topic.created_at.desc(), Topic.id.desc()).limit(limit)).all()


def n_by_stage() -> dict[Stage, int]:
    """How many topics are at each stage; stages without any are left out."""
    rows = db.session.execute(select(Topic.stage, func.count()).group_by(Topic.stage))
    return {Stage(stage): n for stage, n in rows}


def list_at(stage: Stage, limit: int, *, oldest_first: bool = False) -> Sequence[Topic]:
    """Topics at one stage, the last moved first (or the longest waiting first), at most `limit`: for the board."""
    order = (Topic.stage_at, Topic.id) if oldest_first else (Topic.stage_at.desc(), Topic.id.desc())
    return db.session.scalars(select(Topic).where(Topic.stage == stage.value).order_by(*order).limit(limit)).all()


def _part(statement: Select[Any], column: Any, after: tuple[Any, int] | None, limit: int) -> Page:
    """One part of a list in falling order of a column; one row more is read, to know whether there is a next part."""
    if after is not None:
        value, topic_id = after
        statement = statement.where(or_(column < value, and_(column == value, Topic.id < topic_id)))
    rows = db.session.scalars(statement.order_by(column.desc(), Topic.id.desc()).limit(limit + 1)).all()
    if len(rows) <= limit:
        return Page(rows, None)
    last = rows[limit - 1]
    value = getattr(last, column.key)
    number = value if isinstance(value, int) else (value - EPOCH) // timedelta(microseconds=1)
    return Page(rows[:limit], f"{number}.{last.id}")


def _number(mark: str) -> tuple[int, int] | None:
    value, _, topic_id = mark.partition(".")
    if not (value.isascii() and value.isdigit() and topic_id.isascii() and topic_id.isdigit()):
        return None
    if len(mark) > LONGEST_MARK or int(topic_id) > LARGEST_INTEGER:
        return None
    return int(value), int(topic_id)


def _moment(mark: str) -> tuple[datetime, int] | None:
    numbers = _number(mark)
    try:
        return None if numbers is None else (EPOCH + timedelta(microseconds=numbers[0]), numbers[1])
    except OverflowError:
        return None


def _is_public() -> ColumnElement[bool]:
    return Topic.stage.in_([stage.value for stage in PUBLIC])


# Near-duplicates ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Similar:
    """A topic that is nearly the same as what somebody typed; `score` from 60 (akin) to 100 (the same words)."""

    topic: Topic
    score: int


def similar(title: str, limit: int, *, for_staff: bool = False, besides: int | None = None) -> list[Similar]:
    """Open topics with nearly this title, the closest first, at most `limit`.

    What waits for staff is compared only `for_staff`: readers may not see it yet. `besides` leaves one topic out.
    """
    return _topics_of(_rank(title, _titles(for_staff=for_staff), limit + (besides is not None)), besides)[:limit]


def similar_to_each(topics: Collection[Topic], limit: int) -> dict[int, list[Similar]]:
    """For staff: to each of these topics (by id) what is nearly the same; titles are read once for all of them."""
    known = _titles(for_staff=True)
    return {topic.id: _topics_of(_rank(topic.title, known, limit + 1), topic.id)[:limit] for topic in topics}


def similar_while_typing(title: str, limit: int) -> list[Similar]:
    """As `similar`, for readers and at every pause of their typing: titles may be 15 seconds old."""
    kept = current_app.extensions.get("membership.topic_titles")
    if kept is None or time.monotonic() - kept[0] > TITLES_KEPT_SECONDS:
        kept = (time.monotonic(), _titles(for_staff=False))
        current_app.extensions["membership.topic_titles"] = kept
    return [found for found in _topics_of(_rank(title, kept[1], limit)) if Stage(found.topic.stage) in OPEN & PUBLIC]


def _titles(*, for_staff: bool) -> tuple[list[int], list[str]]:
    """Ids of open topics, and their titles without the words that say nothing."""
    stages = OPEN if for_staff else OPEN & PUBLIC
    statement = select(Topic.id, Topic.plain_title).where(Topic.stage.in_([stage.value for stage in stages]))
    rows = db.session.execute(statement.order_by(Topic.id)).all()
    return [row.id for row in rows], [significant(row.plain_title) for row in rows]


def _rank(title: str, known: tuple[list[int], list[str]], limit: int) -> list[tuple[int, int]]:
    ids, titles = known
    return [(ids[position], score) for position, score in rank_similar(significant(plain(title)), titles, limit)]


def _topics_of(ranked: Iterable[tuple[int, int]], besides: int | None = None) -> list[Similar]:
    scores = {topic_id: score for topic_id, score in ranked if topic_id != besides}
    topics = {topic.id: topic for topic in db.session.scalars(select(Topic).where(Topic.id.in_(scores)))}
    return [Similar(topics[topic_id], score) for topic_id, score in scores.items() if topic_id in topics]


# The promise -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Promise:
    """What became of all topics that polls have chosen, at one moment.

    `share_ratio` is `n_published / n_chosen`, `median_days` from the close of the poll to the story; both None where
    there is nothing to divide. `in_work` and `overdue` (its due day is over) part the chosen topics that are not
    published or dropped, the one that is due first in front.
    """

    n_chosen: int
    n_published: int
    n_dropped: int
    share_ratio: float | None
    median_days: int | None
    in_work: Sequence[Topic]
    overdue: Sequence[Topic]


def promise(at: datetime, today: date) -> Promise:
    """The promise at a moment; `today` is that moment's day in the newsroom's zone."""
    del at
    counted = db.session.execute(
        select(Topic.stage, func.count()).where(Topic.chosen_at.is_not(None)).group_by(Topic.stage)
    )
    n_at = {Stage(stage): n for stage, n in counted}
    spans = db.session.execute(
        select(Topic.chosen_at, Topic.published_at).where(
            Topic.stage == Stage.PUBLISHED.value, Topic.chosen_at.is_not(None), Topic.published_at.is_not(None)
        )
    )
    in_work = select(Topic).where(Topic.stage.in_([stage.value for stage in IN_WORK]))
    rows = db.session.scalars(in_work.order_by(Topic.due_on.is_(None), Topic.due_on, Topic.chosen_at, Topic.id)).all()
    n_chosen, n_published = sum(n_at.values()), n_at.get(Stage.PUBLISHED, 0)
    return Promise(
        n_chosen=n_chosen,
        n_published=n_published,
        n_dropped=n_at.get(Stage.DROPPED, 0),
        share_ratio=n_published / n_chosen if n_chosen else None,
        median_days=median_days((start, end) for start, end in spans if start is not None and end is not None),
        in_work=[topic for topic in rows if topic.due_on is None or topic.due_on >= today],
        overdue=[topic for topic in rows if topic.due_on is not None and topic.due_on < today],
    )


# Who is told -------------------------------------------------------------------------------------------


def followers_after(args: Args, after: int, limit: int) -> Sequence[Recipient]:
    """Who follows the topic `args["topic_id"]` (and `args["besides_id"]`, where there is one) or what was merged into
    it: a source of `wiring.AUDIENCES`.

    Each person once, in order of their ids, after the id `after`; without those who stopped the mails. Each topic of
    the family is walked along its own key, so that a part costs the same however many follow.
    """
    topic_ids = {int(args[name]) for name in ("topic_id", "besides_id") if name in args}
    members = db.session.scalars(select(family(topic_ids).c.topic_id).distinct()).all()
    stopped = exists().where(TopicMute.person_id == Person.id, TopicMute.topic_id.in_(members))
    found: dict[int, Recipient] = {}
    for topic_id in members:
        rows = db.session.execute(
            select(Person.id, Person.email, Person.locale)
            .join(TopicFollower, TopicFollower.person_id == Person.id)
            .where(TopicFollower.topic_id == topic_id, TopicFollower.person_id > after)
            .where(Person.disabled_at.is_(None), ~stopped)
            .order_by(TopicFollower.person_id)
            .limit(limit)
        )
        found |= {person_id: Recipient(person_id, email, locale) for person_id, email, locale in rows}
    return [found[person_id] for person_id in sorted(found)[:limit]]


def titles_of(topic_ids: Iterable[int]) -> Mapping[int, Topic]:
    """These topics by their ids; those that do not exist are left out."""
    statement = select(Topic).where(Topic.id.in_(set(topic_ids)))
    return {topic.id: topic for topic in db.session.scalars(statement)}


# What we hold of a member, for the member --------------------------------------------------------------


def export_proposals(person_id: int) -> list[dict[str, Any]]:
    """What a person proposed, oldest first."""
    rows = db.session.scalars(select(Topic).where(Topic.proposer_id == person_id).order_by(Topic.created_at))
    return [
        {
            "topic": row.public_id,
            "title": row.title,
            "why": row.why,
            "links": ", ".join(row.links),
            "stage": row.stage,
            "proposed_at": row.created_at,
        }
        for row in rows
    ]


def export_follows(person_id: int) -> list[dict[str, Any]]:
    """What a person follows, and of which they want no mails."""
    followed = db.session.execute(
        select(Topic.public_id, Topic.title, TopicFollower.at)
        .join(Topic, Topic.id == TopicFollower.topic_id)
        .where(TopicFollower.person_id == person_id)
    )
    stopped = db.session.execute(
        select(Topic.public_id, Topic.title)
        .join(TopicMute, TopicMute.topic_id == Topic.id)
        .where(TopicMute.person_id == person_id)
    )
    return [
        *({"topic": row.public_id, "title": row.title, "follows_since": row.at} for row in followed),
        *({"topic": row.public_id, "title": row.title, "wants_no_mails": True} for row in stopped),
    ]
