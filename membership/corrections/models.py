"""Tables of corrections: passages that readers reported, their reports, and what staff did about each passage."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from membership.db import Model, append_only_but


class CorrectionPassage(Model):
    """One row is one passage of an article in which somebody saw a mistake, with what the newsroom made of it. It
    changes along `rules.NEXT`; it is never deleted. How it reads stands in its reports.
    """

    __tablename__ = "correction_passages"
    __table_args__ = (
        CheckConstraint("state IN ('new', 'fixed', 'declined', 'duplicate', 'spam')", name="known_state"),
        CheckConstraint("(duplicate_of_id IS NOT NULL) = (state = 'duplicate')", name="duplicate_points_somewhere"),
        CheckConstraint("duplicate_of_id <> id", name="not_its_own_duplicate"),
        CheckConstraint(
            "state <> 'fixed' OR (before_words IS NOT NULL AND after_words IS NOT NULL)", name="fixed_says_how"
        ),
        CheckConstraint("n_reports >= 0", name="reports_from_zero"),
        Index(None, "state", "state_at"),
        Index(None, "article_key", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # The name in addresses: `/staff/corrections/<public_id>`, and in the public log.
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    # The address of the article without what only tells who came, and the key of all its spellings (`kernel.places`).
    article: Mapped[str] = mapped_column(String(1000))
    article_key: Mapped[str] = mapped_column(String(1000))
    state: Mapped[str] = mapped_column(String(10))
    state_at: Mapped[datetime]
    created_at: Mapped[datetime]
    # How many reports stand under it. Kept by the services in the transaction that changes it.
    n_reports: Mapped[int]
    # The member of staff who looks after it.
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True)
    duplicate_of_id: Mapped[int | None] = mapped_column(ForeignKey("correction_passages.id"), index=True)
    # The correction as everybody reads it: one of the two may be "" where something was put in or taken out.
    before_words: Mapped[str | None] = mapped_column(String(1000))
    after_words: Mapped[str | None] = mapped_column(String(1000))
    headline: Mapped[str | None] = mapped_column(String(200))
    # What the newsroom answers to those who reported it; nobody else reads it.
    reply: Mapped[str | None] = mapped_column(String(2000))


class CorrectionReport(Model):
    """One row is what one reader reported once. What they said never changes; it is emptied when they are erased, and
    the address 30 days after the answer.
    """

    __tablename__ = "correction_reports"
    __table_args__ = (
        CheckConstraint("way IN ('form', 'embed')", name="known_way"),
        Index(None, "received_at"),
        Index(None, "passage_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    passage_id: Mapped[int] = mapped_column(ForeignKey("correction_passages.id"))
    # What was marked, and what stands before and after it in the article: together they find it again.
    quote: Mapped[str] = mapped_column(String(1000))
    prefix: Mapped[str] = mapped_column(String(300))
    suffix: Mapped[str] = mapped_column(String(300))
    note: Mapped[str] = mapped_column(String(2000))
    # Where thanks go, as typed: nobody has proved that it is theirs.
    email: Mapped[str | None] = mapped_column(String(254), index=True)
    # Who was signed in when they sent the plain form.
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True)
    locale: Mapped[str] = mapped_column(String(2))
    # By our own page ("form"), or by the script on the newsroom's ("embed").
    way: Mapped[str] = mapped_column(String(5))
    received_at: Mapped[datetime]
    # When it was first answered, by fixing or declining; it stays so when the passage is taken up again.
    answered_at: Mapped[datetime | None]
    # The answer of which the reader got their one mail.
    told_event_id: Mapped[int | None] = mapped_column(ForeignKey("correction_events.id"))


@append_only_but("actor_id")
class CorrectionEvent(Model):
    """One row is one step of a passage. Never changed, but for whose step it was, where two people are one."""

    __tablename__ = "correction_events"
    __table_args__ = (Index(None, "passage_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    passage_id: Mapped[int] = mapped_column(ForeignKey("correction_passages.id"))
    at: Mapped[datetime]
    # A state of `rules.State`, or "owner" or "apart".
    kind: Mapped[str] = mapped_column(String(10))
    # Ids of ours, such as {"into": 17}.
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    # Whom it was done by; None where nobody did: the reader has left for good.
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
