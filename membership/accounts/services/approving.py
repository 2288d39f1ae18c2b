"""What one owner asks for and a second one agrees to (ADR 16, decision 27, S17): another's second factor taken away, an
owner made or unmade. Where nobody else could agree it is done at once, and the audit log says so.
"""

from dataclasses import dataclass

from sqlalchemy import select

from membership.accounts.models import Approval, Person
from membership.accounts.rules import APPROVAL_LIFE, Act, Role, is_for_two
from membership.accounts.services import factors
from membership.accounts.services.asking import is_over, settle, write_down
from membership.accounts.services.desk import staff_name
from membership.accounts.services.staff import Consent, change_role, dismiss, invite, lock_staff, owners
from membership.db import db, transaction
from membership.kernel import clock, ids
from membership.kernel.errors import Conflict, NotFound, Refused
from membership.web import settings

# The id of a person who is not there yet.
NOBODY_YET = 0
# In whose name the clock takes things away; such deeds stand in no audit log.
CLOCK = "system"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the owner `by` wants to do about a member of staff, and why; `role` is what to give with Act.ROLE."""

    act: Act
    about_id: int
    by: Person
    reason: str
    role: Role | None = None


def find_approvers(act: Act, asker_id: int, about_id: int) -> list[Person]:
    """The owners who may agree to what `asker_id` wants to do about `about_id`; empty where approval is switched off.

    Whoever lost their second factor cannot show that they agree to its reset, so they are not asked; nor is an owner
    who was never at the desk, since an invitation to a mistyped address would hold everything up. One who lost their
    factor since, or had it taken, still counts.
    """
    if not settings().second_owner_approves or asker_id == about_id:
        return []
    left_out = {asker_id, about_id} if act is Act.RESET else {asker_id}
    return [owner for owner in owners(who_came=True) if owner.id not in left_out and owner.is_active]


def do_or_ask(wish: Wish) -> bool:
    """Do what an owner wants, or ask a second owner first; whether it waits for one now.

    Raises NotFound `not_staff`, Conflict `last_owner`, and `approval_waits` where something about this person waits
    already.
    """
    with transaction("accounts.do_or_ask"):
        member = lock_staff().get(wish.about_id)
        if member is None:
            raise NotFound("not_staff", "Nobody of that name is on the staff.")
        is_alone = is_for_two(wish.act, Role(member.role), wish.role) and wish.by.id != wish.about_id
        if is_alone and find_approvers(wish.act, wish.by.id, wish.about_id):
            _ask(wish)
            return True
        _carry_out(wish, {"second_owner": False} if is_alone else None)
        return False


def invite_as(role: Role, by: Person, email: str, name: str, locale: str) -> Person:
    """`staff.invite`, where one owner alone may. Conflict `owner_by_two`: nobody is invited as an owner where a second
    one would have to agree; they get the role on their page, once they have come.
    """
    with transaction("accounts.invite_as"):
        lock_staff()
        if role is Role.OWNER and find_approvers(Act.ROLE, by.id, NOBODY_YET):
            raise Conflict(
                "owner_by_two",
                "A second owner has to agree to a new one. Invite them as something else, then ask for the role.",
            )
        return invite(email, role, name, locale, clock.now(), actor=staff_name(by))


def approve(approval_id: str, by: Person) -> None:
    """Agree, as a second owner, and have it done, once. Raises NotFound `no_approval` where it was settled meanwhile or
    its time is over, Refused `own_approval` for whoever asked, or whose own factor it is about.
    """
    with transaction("accounts.approve"):
        lock_staff()
        row = _open(approval_id)
        asker = db.session.get_one(Person, row.asker_id)
        if by.id not in {person.id for person in find_approvers(Act(row.act), row.asker_id, row.about_id)}:
            raise Refused("own_approval", "Somebody else has to agree to this.")
        settle(row, "approved", staff_name(by), by.id)
        wish = Wish(Act(row.act), row.about_id, asker, row.reason, Role(row.role) if row.role else None)
        _carry_out(wish, {"approved_by": staff_name(by)})


def refuse(approval_id: str, by: Person) -> None:
    """Say no, as any other owner; NotFound `no_approval`, Refused `own_approval` for whoever asked."""
    with transaction("accounts.refuse"):
        lock_staff()
        row = _open(approval_id)
        if row.asker_id == by.id:
            raise Refused("own_approval", "Whoever asked withdraws.")
        settle(row, "refused", staff_name(by), by.id)


def withdraw(approval_id: str, by: Person) -> None:
    """Take back what one asked for; NotFound `no_approval`, also for what somebody else asked for."""
    with transaction("accounts.withdraw"):
        lock_staff()
        row = _open(approval_id)
        if row.asker_id != by.id:
            raise NotFound("no_approval", "This does not wait any more.")
        settle(row, "withdrawn", staff_name(by), by.id)


def lapse() -> int:
    """Take away what nobody agreed to in time, and tell; how many. For the clock."""
    with transaction("accounts.lapse"):
        lock_staff()
        over = select(Approval).where(Approval.expires_at <= clock.real_now()).order_by(Approval.id)
        rows = db.session.scalars(over).all()
        for row in rows:
            settle(row, "lapsed", CLOCK)
    return len(rows)


def _ask(wish: Wish) -> None:
    at = clock.real_now()
    before = db.session.scalar(select(Approval).where(Approval.about_id == wish.about_id))
    if before is not None and not is_over(before, at):
        raise Conflict("approval_waits", "Something about this person waits for a second owner already.")
    if before is not None:
        settle(before, "lapsed", CLOCK)
    row = Approval(
        id=ids.new_public_id("apr"),
        about_id=wish.about_id,
        asker_id=wish.by.id,
        act=wish.act.value,
        role=wish.role.value if wish.role else None,
        reason=wish.reason,
        asked_at=at,
        expires_at=at + APPROVAL_LIFE,
    )
    db.session.add(row)
    db.session.flush()
    write_down(row, "asked", staff_name(wish.by))


def _open(approval_id: str) -> Approval:
    row = db.session.get(Approval, approval_id, populate_existing=True, with_for_update=True)
    if row is None or is_over(row, clock.real_now()):
        raise NotFound("no_approval", "This does not wait any more.")
    return row


def _carry_out(wish: Wish, consent: Consent | None) -> None:
    """Inside the caller's transaction, in the name of whoever asked."""
    actor, reason = staff_name(wish.by), wish.reason
    if wish.act is Act.RESET:
        factors.reset(wish.about_id, actor=actor, reason=reason, actor_id=wish.by.id, consent=consent)
    elif wish.act is Act.ROLE and wish.role is not None:
        change_role(wish.about_id, wish.role, clock.now(), actor=actor, reason=reason, consent=consent)
    else:
        email = db.session.get_one(Person, wish.about_id).email
        dismiss(email, clock.now(), actor=actor, reason=reason, consent=consent)
