"""The beginnings by which people are found, kept in step with their address and name.

Whatever writes a person through the session is seen here (an event of the mapper, so that no writer can forget it);
`people.ensure_person`, which inserts past the session, calls `write`.
"""

from typing import Any

from sqlalchemy import Connection, delete, event, insert, inspect

from membership.accounts.models import Person, PersonWord
from membership.accounts.rules import words_of


def write(connection: Connection, person_id: int, email: str, public_name: str | None) -> None:
    """Replace the words of a person, inside the caller's transaction."""
    connection.execute(delete(PersonWord).where(PersonWord.person_id == person_id))
    words = words_of(email, public_name)
    rows = [{"person_id": person_id, "word": word, "kind": kind.value} for word, kind in words.items()]
    if rows:
        connection.execute(insert(PersonWord), rows)


@event.listens_for(Person, "after_insert")
def _begin(_mapper: Any, connection: Connection, person: Person) -> None:
    write(connection, person.id, person.email, person.public_name)


@event.listens_for(Person, "after_update")
def _follow(_mapper: Any, connection: Connection, person: Person) -> None:
    seen = inspect(person).attrs
    if seen.email.history.has_changes() or seen.public_name.history.has_changes():
        write(connection, person.id, person.email, person.public_name)
