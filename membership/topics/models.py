"""Tables of topics: proposals, who follows them, what happened to them, what staff said on the way."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from membership.db import Model, append_only_but


class Topic(Model):
    """One row is something that the newsroom could cover. It changes along `rules.NEXT`; it is never deleted.

    A merged topic keeps its followers: they count for the topic that it points to, each person once, and
    unmerging is forgetting the pointer.
    """

    __tablename__ = "topics"
    __table_args__ = (
        CheckConstraint(
            "stage IN ('proposed', 'shortlisted', 'on_ballot', 'chosen', 'reporting', 'published', 'declined', "
            "'not_chosen', 'merged', 'dropped')",
            name="known_stage",
        ),
        CheckConstraint("(merged_into_id IS NOT NULL) = (stage = 'merged')", name="merged_points_somewhere"),
        CheckConstraint("merged_into_id <> id", name="not_merged_into_itself"),
        CheckConstraint("stage <> 'published' OR story_url IS NOT NULL", name="published_has_a_story"),
        CheckConstraint("n_followers >= 0", name="followers_from_zero"),
        Index(None, "stage", "stage_at"),
        Index(None, "stage", "n_followers"),
        Index(None, "published_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # The name in addresses: `/topics/<public_id>`.
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    title: Mapped[str] = mapped_column(String(120))
    # Why it matters: plain text, paragraphs parted by empty lines.
    why: Mapped[str] = mapped_column(String(1500))
    # Addresses (https or http) that the proposer gave, at most five.
    links: Mapped[list[str]] = mapped_column(JSON)
    # Title and why as `rules.plain` folds them: what is searched and compared.
    plain_title: Mapped[str] = mapped_column(Text)
    plain_why: Mapped[str] = mapped_column(Text)
    # The language that title and text are written in.
    locale: Mapped[str] = mapped_column(String(2))
    # None for topics of the newsroom itself.
    proposer_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True)
    stage: Mapped[str] = mapped_column(String(12))
    stage_at: Mapped[datetime]
    # The stage from which it was merged, so that unmerging puts it back there.
    stage_before_merge: Mapped[str | None] = mapped_column(String(12))
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("topics.id"), index=True)
    created_at: Mapped[datetime]
    # Declined because of what it says: readers see the reason, and neither title nor text nor links.
    is_hidden: Mapped[bool] = mapped_column(default=False)
    # How many people follow it or a topic merged into it, each once. Kept by the services in the transaction that
    # changes it, so that lists need not count; `queries.n_followers` counts. Not kept while it is merged.
    n_followers: Mapped[int] = mapped_column(default=0)
    # Hours of reporting, as staff guess them; needed in polls that share the newsroom's time.
    hours: Mapped[int | None]
    # The member of staff who reports it, and until when; from "reporting" on.
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    due_on: Mapped[date | None]
    # When a poll chose it: the start of the promise's clock.
    chosen_at: Mapped[datetime | None]
    story_url: Mapped[str | None] = mapped_column(String(500))
    story_title: Mapped[str | None] = mapped_column(String(200))
    published_at: Mapped[datetime | None]


class TopicFollower(Model):
    """One row is one person who follows one topic by their own tap. Unfollowing deletes it (decision 16)."""

    __tablename__ = "topic_followers"
    __table_args__ = (Index("ix_topic_followers_person_id", "person_id"),)

    topic_id: Mapped[int] = mapped_column(ForeignKey("topics.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    at: Mapped[datetime]


class TopicMute(Model):
    """One row is one person who wants no more mails about one topic, whether they follow it or voted in its poll.

    Following the topic, or taking the stop back, deletes it.
    """

    __tablename__ = "topic_mutes"
    __table_args__ = (Index("ix_topic_mutes_person_id", "person_id"),)

    topic_id: Mapped[int] = mapped_column(ForeignKey("topics.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)


@append_only_but("actor_id")
class TopicEvent(Model):
    """One row is one step in a topic's life, public with its reason. Never changed, but for whose step it was, where
    two people turn out to be one.
    """

    __tablename__ = "topic_events"
    __table_args__ = (Index("ix_topic_events_topic_id_at", "topic_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    topic_id: Mapped[int] = mapped_column(ForeignKey("topics.id"))
    at: Mapped[datetime]
    # A stage of `rules.Stage`, or "unmerged", "update", "owner", "edited"; see `rules.EVENT_KINDS`.
    kind: Mapped[str] = mapped_column(String(12))
    # What staff say in public: the reason of a stage, or the text of an update.
    words: Mapped[str | None] = mapped_column(String(2000))
    # Ids and days of ours, such as {"into": 17} or {"poll_id": 3}.
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    # Whom it was done by; None for the clock and the poll.
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))

    @property
    def due_day(self) -> date | None:
        """The day that was named for the story; None for events that name none."""
        text = self.details.get("due_on")
        return date.fromisoformat(text) if text else None
