"""Who works here, and as what."""

from datetime import datetime

from sqlalchemy import func, select

from membership.accounts.models import Person, StaffMember
from membership.accounts.rules import Role
from membership.accounts.services.people import ensure_person, note
from membership.db import db, transaction
from membership.kernel.errors import Conflict, NotFound


def appoint(email: str, role: Role, name: str, locale: str, at: datetime) -> Person:
    """Make the person of an address (canonical; made where there is none) a member of staff, or change the role.

    Raises Conflict `last_owner` where nobody would be left to appoint anybody.
    """
    with transaction("accounts.appoint"):
        person = ensure_person(email, locale, at)
        member = _lock_staff().get(person.id)
        if member is None:
            db.session.add(StaffMember(person_id=person.id, role=role.value, name=name, added_at=at))
        else:
            if role is not Role.OWNER:
                _keep_an_owner(member)
            member.role, member.name = role.value, name
        note(person.id, "staff_role", at, {"role": role.value}, actor="staff")
        db.session.flush()
        db.session.expire(person)
    return person


def dismiss(email: str, at: datetime) -> None:
    """Take somebody off the staff, at once; as a member they stay. NotFound `not_staff`, Conflict `last_owner`."""
    with transaction("accounts.dismiss"):
        staff = _lock_staff()
        person = db.session.scalar(select(Person).where(Person.email == email))
        member = staff.get(person.id) if person else None
        if member is None:
            raise NotFound("not_staff", "Nobody on the staff has this address.")
        _keep_an_owner(member)
        db.session.delete(member)
        note(member.person_id, "staff_role", at, {"role": None}, actor="staff")


def _lock_staff() -> dict[int, StaffMember]:
    """Everybody on the staff, locked: two owners who leave at once take turns."""
    rows = db.session.scalars(select(StaffMember).order_by(StaffMember.person_id).with_for_update())
    return {row.person_id: row for row in rows}


def _keep_an_owner(member: StaffMember) -> None:
    if member.role != Role.OWNER:
        return
    n_owners = db.session.scalar(select(func.count()).where(StaffMember.role == Role.OWNER.value)) or 0
    if n_owners == 1:
        raise Conflict("last_owner", "This is the only owner. Make somebody else an owner first.")
