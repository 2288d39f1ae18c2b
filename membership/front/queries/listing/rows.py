"""What stands beside each person of a page, read for all of them at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from membership.accounts.models import Person
from membership.contributions.models import Contribution
from membership.contributions.rules import LIVE, UNPAID, State
from membership.db import db
from membership.front.models import PersonTag, Tag
from membership.patrons.queries import standings_of
from membership.patrons.rules import Standing


@dataclass(frozen=True, slots=True)
class Line:
    """One person of the list. `support` is the one that says most of them: live before over, large before small."""

    person: Person
    standing: Standing
    support: Contribution | None
    tags: tuple[str, ...]


def lines_of(people: Sequence[Person], at: datetime) -> list[Line]:
    """A line for each, in the same order."""
    ids = [person.id for person in people]
    standings, supports, tags = standings_of(ids, at), _supports_of(ids), tags_of(ids)
    return [Line(row, standings[row.id], supports.get(row.id), tags.get(row.id, ())) for row in people]


def _supports_of(person_ids: Sequence[int]) -> dict[int, Contribution]:
    mine = Contribution.person_id.in_(person_ids) & Contribution.state.not_in(UNPAID)
    found: dict[int, Contribution] = {}
    for row in db.session.scalars(select(Contribution).where(mine)):
        known = found.get(row.person_id or 0)
        if known is None or _weight(row) > _weight(known):
            found[row.person_id or 0] = row
    return found


def _weight(row: Contribution) -> tuple[bool, int, int]:
    return State(row.state) in LIVE, row.n_cups, row.id


def tags_of(person_ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """The names of each one's tags, in order; those without any are missing."""
    query = select(PersonTag.person_id, Tag.name).join(Tag, Tag.id == PersonTag.tag_id)
    rows = db.session.execute(query.where(PersonTag.person_id.in_(person_ids)).order_by(Tag.plain_name))
    found: dict[int, list[str]] = {}
    for person_id, name in rows:
        found.setdefault(person_id, []).append(name)
    return {person_id: tuple(names) for person_id, names in found.items()}
