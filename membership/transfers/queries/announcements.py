"""Reads of announcements: who said that money will come, with which code, and for how long it is waited for."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Result, func, select

from membership.contributions.models import Contribution
from membership.contributions.rules import UNPAID, State
from membership.db import db
from membership.kernel.errors import NotFound
from membership.newsroom.queries import all_names
from membership.transfers.models import Declaration
from membership.transfers.rules import codes
from membership.transfers.rules.waiting import REMIND_AFTER

AT_A_TIME = 500


@dataclass(frozen=True, slots=True)
class Announced:
    """One declaration with the contribution that it is for."""

    declaration: Declaration
    contribution: Contribution

    @property
    def code(self) -> str:
        """As people read and write it."""
        return codes.written(self.declaration.prefix, self.declaration.body)

    @property
    def creditor_reference(self) -> str:
        """The same as an ISO 11649 reference."""
        return codes.creditor_reference(self.declaration.prefix, self.declaration.body)


def get_announced(reference: str) -> Announced:
    """The declaration of a contribution, by the contribution's reference; NotFound where there is none."""
    return _one(Contribution.reference == reference)


def get_announced_by_id(declaration_id: int) -> Announced:
    """The declaration; NotFound where it is gone (erased)."""
    return _one(Declaration.id == declaration_id)


def prefixes() -> list[str]:
    """What codes of ours begin with: the initials of the newsroom, and of every name that it had before."""
    return list(dict.fromkeys(codes.prefix_of(name) for name in all_names()))


def find_announced_by_code(text: str) -> Announced | None:
    """The declaration whose code stands in `text` and nothing else that is one; None where there is not exactly one."""
    bodies = codes.bodies_in(text, *prefixes())
    row = _joined(Declaration.body.in_(bodies)).one_or_none() if len(bodies) == 1 else None
    return Announced(row[0], row[1]) if row is not None else None


def list_awaited(at: datetime, limit: int) -> list[Announced]:
    """Declarations whose money is waited for, the oldest first."""
    return [Announced(row[0], row[1]) for row in _joined(_is_awaited(at), limit=limit)]


def n_awaited(at: datetime) -> dict[str, int]:
    """Way -> announced gifts whose money is waited for."""
    query = select(Contribution.way, func.count()).join(Declaration, Contribution.id == Declaration.contribution_id)
    rows = db.session.execute(query.where(_is_awaited(at)).group_by(Contribution.way))
    return {way: n for way, n in rows}  # noqa: C416 - rows are no pairs to the type checker


def count_awaited(mailbox_digest: str, at: datetime) -> int:
    """How many declarations of one mailbox are waited for."""
    query = select(func.count(Declaration.id)).join(Contribution, Contribution.id == Declaration.contribution_id)
    return db.session.scalar(query.where(Declaration.mailbox_digest == mailbox_digest, _is_awaited(at))) or 0


def list_over(at: datetime) -> list[int]:
    """Contributions that were announced and whose time is over, as far as they are not closed; some of them."""
    query = select(Contribution.id).join(Declaration, Declaration.contribution_id == Contribution.id)
    over = query.where(Contribution.state == State.STARTED, Declaration.lapses_at <= at)
    return list(db.session.scalars(over.order_by(Contribution.id).limit(AT_A_TIME)))


def list_to_remind(at: datetime) -> list[int]:
    """Declarations that are 14 days old, unanswered and were not reminded of yet."""
    query = (
        select(Declaration.id)
        .join(Contribution, Contribution.id == Declaration.contribution_id)
        .where(_is_awaited(at), Declaration.reminded_at.is_(None), Declaration.created_at <= at - REMIND_AFTER)
        .order_by(Declaration.id)
        .limit(AT_A_TIME)
    )
    return list(db.session.scalars(query))


def name_of_declaration(declaration_id: int) -> str | None:
    """The code of a declaration, as its giver knows it; None where it is gone."""
    row = db.session.get(Declaration, declaration_id)
    return codes.written(row.prefix, row.body) if row else None


def declarations_of(person_id: int) -> list[Announced]:
    """What a person announced, oldest first."""
    return [Announced(row[0], row[1]) for row in _joined(Contribution.person_id == person_id)]


def references_of_bodies(bodies: Iterable[str]) -> dict[str, int]:
    """Those of `bodies` that are codes given out -> the contribution's id."""
    wanted = sorted(set(bodies))
    found: dict[str, int] = {}
    for first in range(0, len(wanted), AT_A_TIME):
        part = wanted[first : first + AT_A_TIME]
        query = select(Declaration.body, Declaration.contribution_id).where(Declaration.body.in_(part))
        found |= {body: contribution_id for body, contribution_id in db.session.execute(query)}  # noqa: C416 - rows
    return found


def _is_awaited(at: datetime) -> ColumnElement[bool]:
    """No money came for it, its giver did not withdraw it, and its time is not over."""
    return Contribution.state.in_(UNPAID) & Declaration.withdrawn_at.is_(None) & (Declaration.lapses_at > at)


def _one(condition: object) -> Announced:
    row = _joined(condition).one_or_none()
    if row is None:
        raise NotFound("no_declaration", "There is no such announcement.")
    return Announced(row[0], row[1])


def _joined(*conditions: object, limit: int | None = None) -> Result[Declaration, Contribution]:
    query = (
        select(Declaration, Contribution)
        .join(Contribution, Contribution.id == Declaration.contribution_id)
        .where(*conditions)  # type: ignore[arg-type]
        .order_by(Declaration.created_at, Declaration.id)
    )
    return db.session.execute(query.limit(limit) if limit else query)


def export_of(person_id: int) -> list[dict[str, object]]:
    """What a member is handed out of this room: what they announced. Accounts are kept as digests and name nothing."""
    return [
        {
            "code": each.code,
            "way": each.contribution.way,
            "amount": str(each.contribution.charge),
            "rhythm": each.declaration.rhythm,
            "announced_at": each.declaration.created_at,
            "waited_for_until": each.declaration.lapses_at,
            "reminded_at": each.declaration.reminded_at,
            "withdrawn_at": each.declaration.withdrawn_at,
        }
        for each in declarations_of(person_id)
    ]
