"""Reads of the staff: their second factor, their right to the desk, and the team."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from membership.accounts.models import (
    Approval,
    Passkey,
    Person,
    RecoveryCode,
    StaffMember,
    StaffSession,
    TotpSecret,
)
from membership.accounts.rules import STAFF_IDLE
from membership.audit.rules import STAFF
from membership.db import db
from membership.kernel import clock, ids
from membership.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class Factors:
    """What somebody has to show as their second factor. `n_codes` are recovery codes that were not used."""

    app_set_at: datetime | None
    passkeys: Sequence[Passkey]
    n_codes: int

    @property
    def n(self) -> int:
        """How many factors there are; recovery codes are none by themselves."""
        return len(self.passkeys) + (self.app_set_at is not None)


@dataclass(frozen=True, slots=True)
class Found:
    """The desk of one browser: its row, and whether the browser sent the cookie that belongs to it."""

    id: int
    proved_at: datetime
    last_seen_at: datetime
    is_shown: bool


@dataclass(frozen=True, slots=True)
class StaffRow:
    """One line of the team: who, as what, and with which second factor."""

    member: StaffMember
    person: Person
    has_app: bool
    n_passkeys: int
    n_codes: int

    @property
    def has_factor(self) -> bool:
        """Whether they could open the desk outside the demo."""
        return self.has_app or self.n_passkeys > 0


def factors_of(person_id: int) -> Factors:
    """What a person has set up."""
    keys = db.session.scalars(select(Passkey).where(Passkey.person_id == person_id).order_by(Passkey.id)).all()
    unused = (RecoveryCode.person_id == person_id) & RecoveryCode.used_at.is_(None)
    return Factors(
        app_set_at=db.session.scalar(select(TotpSecret.set_at).where(TotpSecret.person_id == person_id)),
        passkeys=keys,
        n_codes=db.session.scalar(select(func.count()).select_from(RecoveryCode).where(unused)) or 0,
    )


def passkey_ids_of(person_id: int) -> list[bytes]:
    """The ids of a person's passkeys, as their authenticators know them."""
    rows = select(Passkey.credential_id).where(Passkey.person_id == person_id).order_by(Passkey.id)
    return list(db.session.scalars(rows))


def find_desk_session(session_id: int, cookie: str | None) -> Found | None:
    """The live right to the desk of a session (its row's id); None where there is none."""
    at = clock.real_now()
    live = (StaffSession.expires_at > at) & (StaffSession.last_seen_at > at - STAFF_IDLE)
    row = db.session.execute(
        select(StaffSession.id, StaffSession.id_hash, StaffSession.proved_at, StaffSession.last_seen_at).where(
            StaffSession.session_id == session_id, live
        )
    ).one_or_none()
    if row is None:
        return None
    # A hash is compared, so that the time it takes says nothing of the cookie.
    return Found(row.id, row.proved_at, row.last_seen_at, bool(cookie) and ids.digest(cookie or "") == row.id_hash)


def has_factor(person_id: int) -> bool:
    """Whether a person has set up an app or a passkey."""
    app = select(TotpSecret.person_id).where(TotpSecret.person_id == person_id)
    key = select(Passkey.person_id).where(Passkey.person_id == person_id)
    return db.session.scalar(app.union_all(key).limit(1)) is not None


def staff_rows() -> list[StaffRow]:
    """Everybody on the staff, by name."""
    n_keys = select(func.count()).where(Passkey.person_id == Person.id).scalar_subquery()
    unused = (RecoveryCode.person_id == Person.id) & RecoveryCode.used_at.is_(None)
    n_codes = select(func.count()).select_from(RecoveryCode).where(unused).scalar_subquery()
    rows = db.session.execute(
        select(StaffMember, Person, TotpSecret.person_id, n_keys, n_codes)
        .join(Person, Person.id == StaffMember.person_id)
        .outerjoin(TotpSecret, TotpSecret.person_id == Person.id)
        .order_by(StaffMember.name, Person.email)
    )
    return [StaffRow(member, person, app is not None, keys, codes) for member, person, app, keys, codes in rows]


def get_staff(public_id: str) -> StaffRow:
    """One member of staff, by the public id of the person; NotFound."""
    found = next((row for row in staff_rows() if row.person.public_id == public_id), None)
    if found is None:
        raise NotFound("not_staff", "Nobody of that name is on the staff.")
    return found


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something about a member of staff (`about`) that `asker` wants and a second owner has to agree to."""

    row: Approval
    about: Person
    asker: Person


def list_waiting() -> list[Waiting]:
    """What waits for a second owner now, the oldest first."""
    about, asker = aliased(Person), aliased(Person)
    rows = db.session.execute(
        select(Approval, about, asker)
        .join(about, about.id == Approval.about_id)
        .join(asker, asker.id == Approval.asker_id)
        .where(Approval.expires_at > clock.real_now())
        .order_by(Approval.asked_at, Approval.id)
    )
    return [Waiting(*row) for row in rows]


def get_waiting(approval_id: str) -> Waiting:
    """One of them; NotFound `no_approval` for what was settled, or is over."""
    found = next((each for each in list_waiting() if each.row.id == approval_id), None)
    if found is None:
        raise NotFound("no_approval", "This does not wait any more.")
    return found


def find_staff_name(person_id: int | None) -> str | None:
    """How the audit log names the person with this id, if they are on the staff; else None."""
    query = select(Person.public_id).join(StaffMember, StaffMember.person_id == Person.id)
    public_id = db.session.scalar(query.where(Person.id == person_id)) if person_id is not None else None
    return None if public_id is None else STAFF + public_id


def names_of(public_ids: Iterable[str]) -> dict[str, str]:
    """How the desk names people: by the name of a member of staff, else by address. Who is not there has no name."""
    rows = db.session.execute(
        select(Person.public_id, StaffMember.name, Person.email)
        .outerjoin(StaffMember, StaffMember.person_id == Person.id)
        .where(Person.public_id.in_(list(public_ids)))
    )
    return {public_id: name or email for public_id, name, email in rows}


def is_forgotten(public_id: str | None) -> bool:
    """Whether the person of a public id was erased or merged, so that what staff said about them may be gone."""
    person = db.session.scalar(select(Person).where(Person.public_id == public_id)) if public_id else None
    return person is not None and person.is_gone
