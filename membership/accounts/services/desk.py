"""The right to the desk: a second, short session on top of a member's own (ADR 0014). It begins with the second factor
and ends after 30 quiet minutes, after ten hours, with the session below it, and when the person's role changes.
"""

from datetime import datetime
from typing import Literal

from sqlalchemy import delete, select, update

from membership.accounts.models import Person, Session, StaffMember, StaffSession
from membership.accounts.rules import STAFF_ABSOLUTE, STAFF_TOUCH_EVERY
from membership.accounts.services.people import note
from membership.audit.rules import STAFF
from membership.audit.services import record
from membership.db import db, transaction
from membership.kernel import clock, ids
from membership.kernel.errors import NotFound

Method = Literal["app", "passkey", "recovery"]


def staff_name(person: Person) -> str:
    """How timelines and the audit log name somebody of the staff: "staff:<public id>"."""
    return STAFF + person.public_id


def enter(session_id: int, person: Person, method: Method) -> str:
    """Open the desk in one browser (the id of its session's row), for who has just shown their factor by `method`.

    Answers the id for its own cookie, kept nowhere else; an earlier one of this browser is worth nothing from now on.
    """
    at, cookie = clock.real_now(), ids.new_secret()
    with transaction("accounts.enter_desk"):
        db.session.execute(delete(StaffSession).where(StaffSession.session_id == session_id))
        db.session.add(
            StaffSession(
                session_id=session_id,
                id_hash=ids.digest(cookie),
                proved_at=at,
                method=method,
                last_seen_at=at,
                expires_at=at + STAFF_ABSOLUTE,
            )
        )
        db.session.execute(update(StaffMember).where(StaffMember.person_id == person.id).values(seen_at=at))
        record("desk.entered", ("person", person.public_id), actor=staff_name(person), after={"by": method})
    return cookie


def touch_desk(desk_id: int, person_id: int, at: datetime) -> None:
    """Note that the desk is in use at `at` (real time); writes at most once a minute."""
    stale = (StaffSession.id == desk_id) & (StaffSession.last_seen_at <= at - STAFF_TOUCH_EVERY)
    with transaction("accounts.touch_desk"):
        db.session.execute(update(StaffSession).where(stale).values(last_seen_at=at))
        db.session.execute(update(StaffMember).where(StaffMember.person_id == person_id).values(seen_at=at))


def close_desks(person_id: int, *, but: int | None = None) -> None:
    """Shut the desk in every browser of a person (`but` that with this session), inside the caller's transaction; as a
    member they stay signed in.
    """
    mine = select(Session.id).where(Session.person_id == person_id, Session.id.is_distinct_from(but))
    db.session.execute(
        delete(StaffSession).where(StaffSession.session_id.in_(mine)), execution_options={"synchronize_session": False}
    )


def end_sessions(person_id: int) -> None:
    """Sign a person out in every browser, inside the caller's transaction. Whoever sets up a first factor has come in
    by mail after this: a laptop that was stolen, or a session from before somebody worked here, sets up none.
    """
    mine = delete(Session).where(Session.person_id == person_id)
    db.session.execute(mine, execution_options={"synchronize_session": False})


def end_session(person_id: int, session_id: int, *, actor: str, reason: str | None = None) -> None:
    """Sign one browser of a person out (the id of its session's row), by themselves or by an owner.

    NotFound `no_session` for one that is over, or somebody else's.
    """
    mine = (Session.id == session_id) & (Session.person_id == person_id)
    with transaction("accounts.end_session"):
        person = db.session.get_one(Person, person_id)
        if db.session.scalar(delete(Session).where(mine).returning(Session.id)) is None:
            raise NotFound("no_session", "Nobody is signed in there any more.")
        note(person_id, "session_ended", clock.now(), actor=actor)
        record("session.ended", ("person", person.public_id), actor=actor, reason=reason, after={"session": session_id})
