"""Tables of appeals: the asks with their rules, the variants with their words, and what staff did about each."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from membership.db import Model, append_only_but


class Appeal(Model):
    """One row is one ask with its rules. It changes while it is a draft; from its start on only its end and its state
    do (`rules.NEXT`). It is never deleted.
    """

    __tablename__ = "appeals"
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'running', 'stopped')", name="known_state"),
        CheckConstraint("state = 'draft' OR starts_at IS NOT NULL", name="started_says_when"),
        CheckConstraint("ends_at IS NULL OR starts_at IS NULL OR ends_at > starts_at", name="ends_after_start"),
        CheckConstraint("priority BETWEEN 1 AND 9", name="priority_in_reach"),
        CheckConstraint("cap_views BETWEEN 1 AND 99", name="views_in_reach"),
        CheckConstraint("cap_days BETWEEN 1 AND 365", name="days_in_reach"),
        CheckConstraint("days_between BETWEEN 0 AND 365", name="days_between_in_reach"),
        CheckConstraint("holdout_percent BETWEEN 0 AND 50", name="holdout_in_reach"),
        CheckConstraint("version >= 1", name="version_from_one"),
        Index(None, "state", "state_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # The name in addresses, in the public file and in what readers' browsers tell.
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    # For staff only; readers never see it.
    name: Mapped[str] = mapped_column(String(80))
    state: Mapped[str] = mapped_column(String(10))
    state_at: Mapped[datetime]
    # It is shown in [starts_at, ends_at); None while nobody said so: from the press of the button, without an end.
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    # Where several fit, the one with the highest is shown.
    priority: Mapped[int]
    # Of articles, in lower case: it is shown in one of these sections and on one of these tags ([]: on all), and
    # never on one of `not_tags`.
    sections: Mapped[list[str]] = mapped_column(JSON)
    tags: Mapped[list[str]] = mapped_column(JSON)
    not_tags: Mapped[list[str]] = mapped_column(JSON)
    # ISO 3166 alpha-2, upper case, as the languages of a browser name them; []: everywhere.
    countries: Mapped[list[str]] = mapped_column(JSON)
    # Whether it is also shown on articles that the newsroom marked as sensitive.
    on_sensitive: Mapped[bool]
    # One browser sees it at most so often within so many days, and at least so many days apart.
    cap_views: Mapped[int]
    cap_days: Mapped[int]
    days_between: Mapped[int]
    # So many readers of a hundred are deliberately shown nothing, so that it is known what the ask brings.
    holdout_percent: Mapped[int]
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True)
    # Counts up with every change: who saves says which one they looked at.
    version: Mapped[int]


class AppealVariant(Model):
    """One row is one wording of an appeal. It changes and goes while the appeal is a draft, and never after."""

    __tablename__ = "appeal_variants"
    __table_args__ = (
        UniqueConstraint("appeal_id", "key"),
        CheckConstraint("key IN ('a', 'b', 'c', 'd')", name="known_key"),
        CheckConstraint("weight BETWEEN 1 AND 9", name="weight_in_reach"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    appeal_id: Mapped[int] = mapped_column(ForeignKey("appeals.id"))
    # "a" to "d".
    key: Mapped[str] = mapped_column(String(1))
    # Its share among the variants of the appeal.
    weight: Mapped[int]
    # Language -> {"title", "body", "button"}; paragraphs of the body stand on lines of their own.
    texts: Mapped[dict[str, dict[str, str]]] = mapped_column(JSON)


@append_only_but("actor_id")
class AppealEvent(Model):
    """One row is one step of an appeal. Never changed, but for whose step it was, where two people are one."""

    __tablename__ = "appeal_events"
    __table_args__ = (Index(None, "appeal_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    appeal_id: Mapped[int] = mapped_column(ForeignKey("appeals.id"))
    at: Mapped[datetime]
    # A name of `rules.Deed`.
    kind: Mapped[str] = mapped_column(String(10))
    # Ids of ours and keys of variants, such as {"variant": "b"}.
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
