"""Reads of what staff have named: segments and tags."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, select

from membership.db import db
from membership.front.models import PersonTag, Segment, Tag
from membership.front.rules.filters import Filter, read_filter


@dataclass(frozen=True, slots=True)
class KeptFilter:
    """A segment with the filter that it names."""

    id: int
    name: str
    wanted: Filter


def list_segments() -> list[KeptFilter]:
    """All of them, by name."""
    rows = db.session.scalars(select(Segment).order_by(Segment.plain_name, Segment.id))
    return [KeptFilter(row.id, row.name, read_filter(row.query)[0]) for row in rows]


def list_tags() -> Sequence[Tag]:
    """The tags that somebody has, by name."""
    is_used = exists().where(PersonTag.tag_id == Tag.id)
    return db.session.scalars(select(Tag).where(is_used).order_by(Tag.plain_name)).all()


def tags_of_person(person_id: int) -> Sequence[Tag]:
    """The tags of one person, by name."""
    query = select(Tag).join(PersonTag, PersonTag.tag_id == Tag.id).where(PersonTag.person_id == person_id)
    return db.session.scalars(query.order_by(Tag.plain_name)).all()


def export_tags(person_id: int) -> list[dict[str, Any]]:
    """What staff have put to a person, for the person."""
    query = select(Tag.name, PersonTag.at).join(PersonTag, PersonTag.tag_id == Tag.id)
    rows = db.session.execute(query.where(PersonTag.person_id == person_id).order_by(PersonTag.at))
    return [{"tag": name, "since": at} for name, at in rows]
