"""Tags of people: put on and taken off by staff, seen by staff only."""

from datetime import datetime
from typing import Any

from sqlalchemy import String, cast, delete, exists, literal, select, update
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

from membership.accounts.models import Person
from membership.audit.services import record
from membership.db import db, is_sqlite, transaction
from membership.front.models import PersonTag, Run, RunItem, Tag
from membership.front.rules.naming import clean_name


def ensure_tag(name: str, at: datetime) -> Tag:
    """The tag of that name, made where there is none. Raises InvalidInput as `naming.clean_name`."""
    shown, plain = clean_name(name)
    fresh = {"name": shown, "plain_name": plain, "made_at": at}
    with transaction("front.ensure_tag"):
        db.session.execute(_insert(Tag).values(**fresh).on_conflict_do_nothing(index_elements=["plain_name"]))
        return db.session.scalars(select(Tag).where(Tag.plain_name == plain)).one()


def put_on(person_id: int, tag_id: int, at: datetime) -> bool:
    """Give somebody a tag; False where they had it."""
    fresh = {"person_id": person_id, "tag_id": tag_id, "at": at}
    statement = _insert(PersonTag).values(**fresh).on_conflict_do_nothing().returning(PersonTag.tag_id)
    with transaction("front.put_tag_on"):
        return db.session.scalar(statement) is not None


def take_off(person_id: int, tag_id: int) -> bool:
    """Take a tag off somebody; False where they had it not."""
    statement = delete(PersonTag).where(PersonTag.person_id == person_id, PersonTag.tag_id == tag_id)
    with transaction("front.take_tag_off"):
        return db.session.scalar(statement.returning(PersonTag.tag_id)) is not None


def tag_by_name(person: Person, name: str, *, actor: str, at: datetime) -> Tag:
    """Give somebody the tag of that name. Raises InvalidInput as `naming.clean_name`."""
    with transaction("front.tag_by_name"):
        tag = ensure_tag(name, at)
        if put_on(person.id, tag.id, at):
            record("person.tagged", ("person", person.public_id), actor=actor, after={"tag": tag.id})
    return tag


def untag(person: Person, tag_id: int, *, actor: str) -> None:
    """Take a tag off somebody, whether they had it or not."""
    with transaction("front.untag"):
        if take_off(person.id, tag_id):
            record("person.untagged", ("person", person.public_id), actor=actor, before={"tag": tag_id})


# What happens to a person's rows of this room ------------------------------------------------------------


def erase(person_id: int, at: datetime) -> None:
    """Whoever is forgotten has no tags; that they were one of many in a run stays, as a number. What staff typed about
    nobody else goes: why a run of theirs alone was made, and the names of tags that nobody has any more.
    """
    del at
    unsynchronised = {"synchronize_session": False}
    theirs = exists().where(RunItem.run_id == Run.id, RunItem.person_id == person_id)
    others = exists().where(RunItem.run_id == Run.id, RunItem.person_id != person_id)
    alone = update(Run).where(theirs, ~others).values(reason=None)
    with transaction("front.erase_tags"):
        db.session.execute(delete(PersonTag).where(PersonTag.person_id == person_id))
        db.session.execute(alone, execution_options=unsynchronised)
        # A run that is not over may be about to put its tag on somebody.
        is_needed = exists().where(Run.tag_id == Tag.id, Run.state.not_in(("done", "undone")))
        is_had = exists().where(PersonTag.tag_id == Tag.id)
        no_name = literal("–") + cast(Tag.id, String)
        unnamed = update(Tag).where(~is_had, ~is_needed).values(name=no_name, plain_name=no_name)
        db.session.execute(unnamed, execution_options=unsynchronised)


def merge(from_id: int, into_id: int, at: datetime) -> None:
    """Two people turn out to be one: who they are in runs that go on, then their tags.

    Before the rooms that lock people: a step of a run locks its items first as well.
    """
    del at
    unsynchronised = {"synchronize_session": False}
    mine = select(RunItem.run_id).where(RunItem.person_id == into_id)
    with transaction("front.merge"):
        # What is still to be done would be done twice to one person.
        twice = delete(RunItem).where(RunItem.person_id == from_id, RunItem.state == "todo", RunItem.run_id.in_(mine))
        db.session.execute(twice, execution_options=unsynchronised)
        moved = update(RunItem).where(RunItem.person_id == from_id).values(person_id=into_id)
        db.session.execute(moved, execution_options=unsynchronised)
        known = select(PersonTag.tag_id).where(PersonTag.person_id == into_id)
        both = delete(PersonTag).where(PersonTag.person_id == from_id, PersonTag.tag_id.in_(known))
        db.session.execute(both, execution_options=unsynchronised)
        tags = update(PersonTag).where(PersonTag.person_id == from_id).values(person_id=into_id)
        db.session.execute(tags, execution_options=unsynchronised)


def _insert(model: type[Tag | PersonTag]) -> Any:
    return (insert_on_sqlite if is_sqlite() else insert_on_postgresql)(model)
