"""Tables of the desk's work with people: tags, saved filters, and what is done for many people at once."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from membership.db import Model
from membership.front.rules.naming import LONGEST_NAME


class Tag(Model):
    """One row is one word that staff put to people. Rows stay: a tag that nobody has is not shown, and
    loses its name when somebody is erased, for it may have been about them.
    """

    __tablename__ = "tags"

    id: Mapped[int] = mapped_column(primary_key=True)
    # As staff read it, and as it is compared ("Jury" and "jury" are one tag).
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    plain_name: Mapped[str] = mapped_column(String(LONGEST_NAME), unique=True)
    made_at: Mapped[datetime]


class PersonTag(Model):
    """One row is one tag that one person has. Taking it off deletes the row."""

    __tablename__ = "person_tags"
    __table_args__ = (Index("ix_person_tags_tag_id_person_id", "tag_id", "person_id"),)

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id"), primary_key=True)
    at: Mapped[datetime]


class Segment(Model):
    """One row is one filter of the list of people that has a name. It never holds what was typed into the search, which
    may be somebody's address (decision 13). Removing it deletes the row.
    """

    __tablename__ = "segments"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    plain_name: Mapped[str] = mapped_column(String(LONGEST_NAME), unique=True)
    # `rules.filters.Filter.to_query` of it.
    query: Mapped[dict[str, str]] = mapped_column(JSON)
    # "staff:<public id>".
    actor: Mapped[str] = mapped_column(String(60))
    made_at: Mapped[datetime]


class Run(Model):
    """One row is one thing that staff do for many people at once: looked over first, then worked off in steps.

    draft (its people are settled, nothing has happened) -> running -> done; comps and tags also -> undoing -> undone.
    Drafts are deleted after a day.
    """

    __tablename__ = "people_runs"
    __table_args__ = (
        CheckConstraint("kind IN ('comp', 'tag', 'untag', 'way_in')", name="known_kind"),
        CheckConstraint("state IN ('draft', 'running', 'done', 'undoing', 'undone')", name="known_state"),
        CheckConstraint("(kind = 'comp') = (n_months IS NOT NULL)", name="comp_has_its_length"),
        CheckConstraint("(kind IN ('tag', 'untag')) = (tag_id IS NOT NULL)", name="tagging_has_its_tag"),
        CheckConstraint("(state = 'draft') = (started_at IS NULL)", name="started_has_its_moment"),
        Index("ix_people_runs_state", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    kind: Mapped[str] = mapped_column(String(8))
    n_months: Mapped[int | None]
    # Until when a comp lasts, the same for everybody; settled with the draft, so that what was read is what happens.
    until: Mapped[datetime | None]
    tag_id: Mapped[int | None] = mapped_column(ForeignKey("tags.id"))
    # Why, in words of staff that stay in everybody's history.
    reason: Mapped[str | None] = mapped_column(String(200))
    # "staff:<public id>": who looked it over and began it.
    actor: Mapped[str] = mapped_column(String(60))
    # How the people were chosen: a filter as `Filter.to_query` says it without what was typed, {} where they were
    # ticked one by one. For reading only.
    query: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(8))
    made_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    undo_asked_at: Mapped[datetime | None]
    # Who had it taken back, likewise.
    undo_actor: Mapped[str | None] = mapped_column(String(60))


class RunItem(Model):
    """One row is one person of a run: todo -> done (in the transaction that did it) or left_out; done -> undone.

    `why` says why somebody is left out. It holds ids only; where two people turn out to be one, the row is the other's.
    """

    __tablename__ = "people_run_items"
    __table_args__ = (
        CheckConstraint("state IN ('todo', 'done', 'left_out', 'undone')", name="known_state"),
        CheckConstraint("(state = 'left_out') = (why IS NOT NULL)", name="left_out_says_why"),
        Index("ix_people_run_items_run_id_state_id", "run_id", "state", "id"),
        Index("ix_people_run_items_person_id", "person_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("people_runs.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    state: Mapped[str] = mapped_column(String(8))
    # A `rules.runs.LeftOut`.
    why: Mapped[str | None] = mapped_column(String(12))
    # What it made, by which an undo finds it: the `cause_ref` of a comp.
    made_ref: Mapped[str | None] = mapped_column(String(80))
