"""What waits for a second owner: the rows, and who is told. What may be done with them stands in `approving`."""

from datetime import datetime
from typing import Literal

from sqlalchemy import delete, or_, select

from membership.accounts.models import Approval, Person, StaffMember
from membership.accounts.rules import Role
from membership.audit.services import record
from membership.db import db
from membership.mail import services as mail

Outcome = Literal["asked", "approved", "refused", "withdrawn", "lapsed"]


def drop_approvals(person_id: int, actor: str) -> None:
    """Take back what somebody asked for, and what was asked about them, inside the caller's transaction: they are no
    longer what they were then.
    """
    theirs = or_(Approval.about_id == person_id, Approval.asker_id == person_id)
    for row in db.session.scalars(select(Approval).where(theirs).order_by(Approval.id).with_for_update()).all():
        settle(row, "lapsed", actor)


def settle(row: Approval, outcome: Outcome, actor: str, decider_id: int | None = None) -> None:
    """Take a wish away for good, whatever became of it, inside the caller's transaction; all concerned are told."""
    db.session.execute(delete(Approval).where(Approval.id == row.id), execution_options={"synchronize_session": False})
    db.session.expunge(row)
    write_down(row, outcome, actor, decider_id)


def write_down(row: Approval, outcome: Outcome, actor: str, decider_id: int | None = None) -> None:
    """What became of a wish: into the audit log, and by mail to all owners and to whom it is about. Of one that is
    carried out, owner and colleague are told by the mails about the deed; here, by name, the two who agreed.
    """
    about, asker = db.session.get_one(Person, row.about_id), db.session.get_one(Person, row.asker_id)
    wish = {"act": row.act, "asked_by": asker.public_id} | ({"role": row.role} if row.role else {})
    record(f"approval.{outcome}", ("person", about.public_id), actor=actor, reason=row.reason, after=wish)
    args: dict[str, int | str] = {
        "approval_id": row.id, "about_id": about.id, "asker_id": asker.id, "decider_id": decider_id or 0,
        "act": row.act, "role": row.role or "", "outcome": outcome,
    }  # fmt: skip
    for reader in _readers(row, about, outcome, decider_id):
        mail.send("accounts/approval", reader.email, reader.locale, args | {"reader_id": reader.id})


def _readers(row: Approval, about: Person, outcome: Outcome, decider_id: int | None) -> list[Person]:
    if outcome == "approved":
        return [db.session.get_one(Person, each) for each in (row.asker_id, decider_id) if each is not None]
    owners = select(Person).join(StaffMember, StaffMember.person_id == Person.id)
    rows = db.session.scalars(owners.where(StaffMember.role == Role.OWNER.value).order_by(Person.id)).all()
    return list(dict.fromkeys((*rows, about)))


def is_over(row: Approval, at: datetime) -> bool:
    """Whether nobody can agree any more at `at` (real time)."""
    return row.expires_at <= at
