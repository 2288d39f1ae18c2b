"""Who works here, and as what."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select

from membership.accounts.models import Person, StaffMember
from membership.accounts.rules import Role
from membership.accounts.services.asking import drop_approvals
from membership.accounts.services.desk import close_desks, end_sessions
from membership.accounts.services.factors import forget_factors
from membership.accounts.services.people import ensure_person, note
from membership.audit.rules import COMMAND
from membership.audit.services import record
from membership.db import db, transaction
from membership.kernel.errors import Conflict, InvalidInput, NotFound
from membership.kernel.words import one_line
from membership.mail import services as mail
from membership.newsroom.port import Saved
from membership.newsroom.rules.subjects import Subject

LONGEST_NAME = 80
# Who agreed to an act that is not for one owner alone, or that nobody else could: what the audit log says of it.
Consent = Mapping[str, str | bool]


def appoint(email: str, role: Role, name: str, locale: str, at: datetime, *, actor: str = COMMAND) -> Person:
    """Make the person of an address (canonical; made where there is none) a member of staff, or change the role.

    A change of role shuts the desk in all their browsers; whoever is new is signed out everywhere. Raises Conflict
    `last_owner` where nobody would be left to appoint anybody.
    """
    with transaction("accounts.appoint"):
        person = ensure_person(email, locale, at)
        member = lock_staff().get(person.id)
        before = member.role if member else None
        if member is None:
            end_sessions(person.id)
            db.session.add(StaffMember(person_id=person.id, role=role.value, name=name, added_at=at))
        else:
            _give(member, role, actor)
            member.name = name
        _write_down(person, at, actor, before=before, after=role.value)
        db.session.flush()
        db.session.expire(person)
    return person


def invite(email: str, role: Role, name: str, locale: str, at: datetime, *, actor: str) -> Person:
    """Appoint somebody who is not on the staff yet, and have them told by mail where to sign in; the mail holds no
    secret. Raises InvalidInput `name_missing`; Conflict `on_the_staff`, `person_gone` for an account that was ended.
    """
    name = clean_name(name)
    with transaction("accounts.invite"):
        person = ensure_person(email, locale, at)
        if person.id in lock_staff():
            raise Conflict("on_the_staff", "This person is on the staff already. Change their role on their page.")
        if not person.is_active:
            raise Conflict("person_gone", "This account was ended; nobody can sign in to it.")
        appoint(email, role, name, locale, at, actor=actor)
        mail.send("accounts/staff_invited", person.email, person.locale, {"person_id": person.id})
    return person


def clean_name(text: str) -> str:
    """How pages name a member of staff, in one line of 1 to 80 characters; InvalidInput `name_missing`."""
    name = one_line(text)
    if not 1 <= len(name) <= LONGEST_NAME:
        raise InvalidInput("name_missing", "Give a name of at most 80 characters.", field="name")
    return name


def change_role(
    person_id: int,
    role: Role,
    at: datetime,
    *,
    actor: str,
    reason: str | None = None,
    consent: Consent | None = None,
) -> None:
    """Give a member of staff another role; the desk shuts in all their browsers, and they come in again with that.

    The same role changes nothing. `consent` says in the log who agreed (`approving`). Raises NotFound `not_staff`,
    Conflict `last_owner`.
    """
    with transaction("accounts.change_role"):
        member = _member(person_id)
        if member.role == role.value:
            return
        before = member.role
        _give(member, role, actor)
        person = db.session.get_one(Person, person_id)
        _write_down(person, at, actor, before=before, after=role.value, reason=reason, consent=consent)


def dismiss(
    email: str,
    at: datetime,
    *,
    actor: str = COMMAND,
    reason: str | None = None,
    consent: Consent | None = None,
) -> None:
    """Take somebody off the staff, at once; as a member they stay. Their desk shuts, their second factor goes, and so
    does what they asked a second owner for.

    NotFound `not_staff`, Conflict `last_owner`.
    """
    with transaction("accounts.dismiss"):
        person = db.session.scalar(select(Person).where(Person.email == email))
        if person is None:
            raise _not_staff()
        member = _member(person.id)
        _keep_an_owner(member)
        db.session.delete(member)
        close_desks(person.id)
        forget_factors(person.id)
        drop_approvals(person.id, actor)
        _write_down(person, at, actor, before=member.role, after=None, reason=reason, consent=consent)


def _give(member: StaffMember, role: Role, actor: str) -> None:
    if role is not Role.OWNER:
        _keep_an_owner(member)
    if member.role != role.value:
        close_desks(member.person_id)
        drop_approvals(member.person_id, actor)
    member.role = role.value


def _write_down(
    person: Person,
    at: datetime,
    actor: str,
    *,
    before: str | None,
    after: str | None,
    reason: str | None = None,
    consent: Consent | None = None,
) -> None:
    note(person.id, "staff_role", at, {"role": after}, actor="staff" if actor == COMMAND else actor)
    record(
        "staff.role",
        ("person", person.public_id),
        actor=actor,
        reason=reason,
        before={"role": before},
        after={"role": after, **(consent or {})},
    )

    if before != after:
        _tell(person, before or "", after or "")


def tell_of_ways(saved: Saved) -> None:
    """Owners hear by mail that accounts and addresses to which readers give were changed, whoever did it. Of other
    settings nobody is mailed. Joins the transaction of the change.
    """
    if saved.subject != Subject.WAYS.value:
        return
    for owner in owners():
        args: dict[str, int | str] = {"reader_id": owner.id}
        mail.send("accounts/ways_changed", owner.email, owner.locale, args, f"ways:{saved.number}:{owner.id}")


def owners(*, who_came: bool = False) -> Sequence[Person]:
    """Everybody who may appoint others, the longest known first; or those of them who were ever at the desk."""
    is_owner = StaffMember.role == Role.OWNER.value
    wanted = is_owner & StaffMember.seen_at.is_not(None) if who_came else is_owner
    rows = select(Person).join(StaffMember, StaffMember.person_id == Person.id)
    return db.session.scalars(rows.where(wanted).order_by(Person.id)).all()


def _tell(person: Person, before: str, after: str) -> None:
    """Owners hear of every change, so that one whose account is stolen is not alone with the thief; so does whoever has
    another role. A newcomer is invited by a mail of their own.
    """
    db.session.flush()
    readers = {owner.id: owner for owner in owners() if before or owner.id != person.id}
    if before:
        readers[person.id] = person
    for reader in readers.values():
        args: dict[str, int | str] = {
            "person_id": person.id, "reader_id": reader.id, "before": before, "after": after
        }  # fmt: skip
        mail.send("accounts/staff_changed", reader.email, reader.locale, args)


def _member(person_id: int) -> StaffMember:
    member = lock_staff().get(person_id)
    if member is None:
        raise _not_staff()
    return member


def _not_staff() -> NotFound:
    return NotFound("not_staff", "Nobody on the staff has this address.")


def lock_staff() -> dict[int, StaffMember]:
    """Everybody on the staff, locked: two owners who leave at once take turns."""
    rows = db.session.scalars(select(StaffMember).order_by(StaffMember.person_id).with_for_update())
    return {row.person_id: row for row in rows}


def _keep_an_owner(member: StaffMember) -> None:
    if member.role != Role.OWNER:
        return
    n_owners = db.session.scalar(select(func.count()).where(StaffMember.role == Role.OWNER.value)) or 0
    if n_owners == 1:
        raise Conflict("last_owner", "This is the only owner. Make somebody else an owner first.")
