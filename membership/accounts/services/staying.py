"""Staying signed in, and signing out."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_, update

from membership.accounts.models import AddressProof, PasskeyChallenge, Person, Session, SignInRequest, StaffSession
from membership.accounts.rules import IDLE, STAFF_IDLE, TOUCH_EVERY
from membership.accounts.services.people import note
from membership.db import db, transaction
from membership.kernel import clock, ids

FORGET_AFTER = timedelta(days=1)


def touch(row_id: int, at: datetime) -> None:
    """Note that a session is in use at `at` (real time); writes at most once an hour."""
    stale = (Session.id == row_id) & (Session.last_seen_at <= at - TOUCH_EVERY)
    with transaction("accounts.touch"):
        db.session.execute(update(Session).where(stale).values(last_seen_at=at))


def keep_data(row_id: int, data: dict[str, Any]) -> None:
    """Keep what belongs to a signed-in browser, such as messages for the next page."""
    with transaction("accounts.keep_data"):
        db.session.execute(update(Session).where(Session.id == row_id).values(data=data))


def renew(row_id: int) -> str:
    """Let one session go on under a new id, for the cookie; the old one is worth nothing from now on (S11)."""
    session_id = ids.new_secret()
    with transaction("accounts.renew"):
        db.session.execute(update(Session).where(Session.id == row_id).values(id_hash=ids.digest(session_id)))
    return session_id


def sign_out(row_id: int) -> None:
    """End one session; its cookie is worth nothing from now on."""
    with transaction("accounts.sign_out"):
        db.session.execute(delete(Session).where(Session.id == row_id))


def sign_out_everywhere(person: Person) -> int:
    """End all sessions of a person; how many there were."""
    person_id = person.id
    with transaction("accounts.sign_out_everywhere"):
        ended = db.session.scalars(delete(Session).where(Session.person_id == person_id).returning(Session.id)).all()
        note(person_id, "signed_out_everywhere", clock.now(), {"n_sessions": len(ended)}, actor="member")
    return len(ended)


def forget(real_now: datetime) -> int:
    """Delete sign-in requests and codes a day after their end, and sessions that have ended; how many rows."""
    over = or_(Session.expires_at <= real_now, Session.last_seen_at <= real_now - IDLE)
    desk_over = or_(StaffSession.expires_at <= real_now, StaffSession.last_seen_at <= real_now - STAFF_IDLE)
    with transaction("accounts.forget"):
        requests = db.session.execute(delete(SignInRequest).where(SignInRequest.expires_at <= real_now - FORGET_AFTER))
        sessions = db.session.execute(delete(Session).where(over))
        proofs = db.session.execute(delete(AddressProof).where(AddressProof.expires_at <= real_now - FORGET_AFTER))
        db.session.execute(delete(StaffSession).where(desk_over))
        db.session.execute(delete(PasskeyChallenge).where(PasskeyChallenge.expires_at <= real_now))
    return requests.rowcount + sessions.rowcount + proofs.rowcount  # type: ignore[attr-defined, no-any-return]
