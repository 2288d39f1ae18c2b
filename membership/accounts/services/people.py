"""People, and what is written down about them."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

from membership.accounts.models import Person, TimelineEntry
from membership.accounts.services import words
from membership.db import db, is_sqlite, transaction
from membership.kernel import ids


def ensure_person(email: str, locale: str, at: datetime, public_name: str | None = None) -> Person:
    """The person of an address in canonical form; made, unproved, where there is none.

    Any number of callers at once get one and the same person. `locale` and `public_name` count for a new
    person only: whoever types an address may not rename its owner.
    """
    insert = insert_on_sqlite if is_sqlite() else insert_on_postgresql
    fresh = {
        "public_id": ids.new_public_id("per"),
        "email": email,
        "public_name": public_name,
        "locale": locale,
        "created_at": at,
    }
    with transaction("accounts.ensure_person"):
        # The database decides who comes first; the second one waits, writes nothing, and reads the first's row.
        fresh_id = db.session.scalar(
            insert(Person).values(**fresh).on_conflict_do_nothing(index_elements=["email"]).returning(Person.id)
        )
        if fresh_id is not None:
            words.write(db.session.connection(), fresh_id, email, public_name)
        return db.session.scalars(select(Person).where(Person.email == email)).one()


def note(person_id: int, kind: str, at: datetime, details: dict[str, Any] | None = None, actor: str = "system") -> None:
    """Write one entry into a person's timeline; `details` hold ids, amounts and our own words only."""
    with transaction("accounts.note"):
        db.session.add(TimelineEntry(person_id=person_id, at=at, kind=kind, details=details or {}, actor=actor))


def choose_locale(person_id: int, locale: str) -> None:
    """The language of a person's mails from now on, in whichever language they look at pages."""
    with transaction("accounts.choose_locale"):
        person = db.session.get_one(Person, person_id)
        person.locale, person.has_chosen_locale = locale, True
