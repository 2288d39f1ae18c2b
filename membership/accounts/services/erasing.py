"""Forgetting a person: their support ends, other companies forget them, and every personal column is emptied.

What the law keeps (journal, receipts' amounts, that somebody was on a roll) stays under a pseudonym. It is worked
off step by step from the row in `erasures`, so that it may die at any point and goes on from there.
"""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog
from flask import current_app
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import DBAPIError

from membership.accounts.models import (
    AddressChange,
    AddressProof,
    Erasure,
    Person,
    Session,
    SignInRequest,
    StaffMember,
    TimelineEntry,
)
from membership.accounts.queries import addresses_of
from membership.accounts.services.people import note
from membership.accounts.services.proving import lock_person, try_code
from membership.audit.services import forget_reasons, record
from membership.billing import forgetting
from membership.db import db, hint, is_sqlite, transaction
from membership.kernel import clock
from membership.kernel.errors import Conflict, MembershipError
from membership.mail import services as mail
from membership.mail import wishes
from membership.mail.queries import is_done
from membership.mail.rules import NOBODY

log = structlog.get_logger(__name__)

# A mail server that is down keeps an address no longer than this.
FAREWELL_MAY_TAKE = timedelta(days=1)
# For so long (real time) a sweep goes on asking other companies.
LEAVING_MAY_TAKE = timedelta(minutes=1)

Eraser = Callable[[int, datetime], None]
Leaver = Callable[[int, str], None]


def erase_self(person_id: int, code: str, at: datetime) -> None:
    """Begin to forget the member who typed the code that was mailed to them. Raises as `proving.try_code` and
    `begin_erasure` do; also Conflict `address_is_new` while an earlier owner of the address may still take it back.
    """
    refuse_while_undoable(person_id)
    try_code(person_id, "erase", code)
    begin_erasure(person_id, "member", None, at)


def refuse_while_undoable(*person_ids: int) -> None:
    """Conflict `address_is_new` within seven days of a change of any of them: a thief of a session must not delete
    the account, nor merge away the way back to it.
    """
    real_now = clock.real_now()
    fresh = select(AddressChange.id).where(
        AddressChange.person_id.in_(person_ids), AddressChange.undone_at.is_(None), AddressChange.undo_until > real_now
    )
    if db.session.scalar(fresh.limit(1)) is not None:
        raise Conflict("address_is_new", "The address was changed in the last seven days.")


def begin_erasure(person_id: int, actor: str, reason: str | None, at: datetime) -> None:
    """From now on nobody signs in as this person, and `erase_due` forgets them. Twice is once.

    Conflict `erase_staff` where they work here, `person_gone` where nobody is behind this row any more.
    """
    with transaction("accounts.begin_erasure"):
        person = lock_person(person_id)
        if db.session.get(StaffMember, person_id) is not None:
            raise Conflict("erase_staff", "This person works here. Take them off the staff first.")
        if db.session.get(Erasure, person_id) is not None:
            return
        farewell = mail.send("accounts/farewell", person.email, person.locale, {"person_id": person_id})
        row = Erasure(person_id=person_id, actor=actor, reason=reason, asked_at=at, farewell_id=farewell)
        db.session.add(row)
        person.disabled_at = person.disabled_at or at
        db.session.execute(delete(Session).where(Session.person_id == person_id))
        note(person_id, "erasure_asked", at, {}, actor)
        record("person.erased", ("person", person.public_id), actor=actor, reason=reason)
        hint("accounts.erase")


def erase_due(now: datetime) -> int:
    """Take every erasure as far as it goes; how many are still not done.

    Nobody waits for another: whoever can be emptied is, before any other company is asked and again afterwards, and
    the files are written anew once for all of them.
    """
    _empty_ready(now)
    _leave_in_turn(now)
    _empty_ready(now)
    _finish(now)
    return db.session.scalar(select(func.count()).where(Erasure.done_at.is_(None))) or 0


def _leave_in_turn(now: datetime) -> None:
    """Have others forget those who have not left: first who was never tried, then who was longest ago.

    Where answers take long, the rest has its turn in the next sweep.
    """
    rows = select(Erasure.person_id).where(Erasure.left_at.is_(None))
    turns = rows.order_by(Erasure.tried_at.is_not(None), Erasure.tried_at, Erasure.asked_at)
    began = clock.real_now()
    for person_id in db.session.scalars(turns).all():
        if clock.real_now() - began > LEAVING_MAY_TAKE:
            return
        _mark([person_id], tried_at=now)
        _leave(person_id, now)


def _leave(person_id: int, now: datetime) -> None:
    """Have support end and other companies forget. Where that fails, it is tried again in its turn."""
    leavers: Sequence[Leaver] = current_app.extensions["membership.leavers"]
    try:
        for leaver in leavers:
            leaver(person_id, f"erasure:{person_id}")
    except MembershipError as failed:
        log.warning("erasure_waits", person_id=person_id, code=failed.code)
    else:
        _mark([person_id], left_at=now)


def _empty_ready(now: datetime) -> None:
    """Empty whoever has left, and whose farewell has left as well or has had its time."""
    columns = (Erasure.person_id, Erasure.farewell_id, Erasure.asked_at)
    left = select(*columns).where(Erasure.left_at.is_not(None), Erasure.emptied_at.is_(None))
    for person_id, farewell_id, asked_at in db.session.execute(left.order_by(Erasure.asked_at)).all():
        has_waited = now >= asked_at + FAREWELL_MAY_TAKE
        if farewell_id is not None and not has_waited and not is_done(farewell_id):
            continue
        try:
            _empty(person_id, now)
        except DBAPIError:  # a row that somebody holds must not hold up the others; the next sweep tries again
            log.exception("erasure_statement_failed", person_id=person_id)


def _empty(person_id: int, now: datetime) -> None:
    """Every room empties its columns, in one transaction: a reader is there as a whole, or not at all."""
    erasers: Sequence[Eraser] = current_app.extensions["membership.erasers"]
    with transaction("accounts.erase"):
        for eraser in erasers:
            eraser(person_id, now)
        _erase_account(person_id)
        db.session.execute(
            update(Erasure).where(Erasure.person_id == person_id).values(emptied_at=now, reason=None, farewell_id=None)
        )


def _erase_account(person_id: int) -> None:
    person = db.session.get_one(Person, person_id, populate_existing=True, with_for_update=True)
    addresses = addresses_of(person_id)
    for model in (Session, AddressProof, AddressChange):
        db.session.execute(delete(model).where(model.person_id == person_id))
    for address in addresses:
        db.session.execute(delete(SignInRequest).where(SignInRequest.email == address))
        wishes.forget_address(address, clock.now())
    forgetting.forget((), addresses, clock.now())
    # Those who turned out to be this person were written to under addresses that are nobody's or somebody else's now.
    shells = db.session.scalars(select(Person.id).where(Person.merged_into_id == person_id)).all()
    wishes.forget_about("person_id", [person_id, *shells], clock.now())
    wishes.forget_person(person_id)
    db.session.execute(update(TimelineEntry).where(TimelineEntry.person_id == person_id).values(details={}))
    names = db.session.scalars(select(Person.public_id).where(Person.merged_into_id == person_id))
    forget_reasons([person.public_id, *names])
    person.email, person.public_name, person.email_proved_at = f"erased-{person_id}{NOBODY}", None, None


def _mark(person_ids: Sequence[int], **moments: datetime) -> None:
    with transaction("accounts.erasure_step"):
        db.session.execute(update(Erasure).where(Erasure.person_id.in_(person_ids)).values(**moments))


def _finish(now: datetime) -> None:
    """Write the files anew, once for all who were emptied before."""
    emptied = select(Erasure.person_id).where(Erasure.emptied_at.is_not(None), Erasure.done_at.is_(None))
    person_ids = db.session.scalars(emptied).all()
    db.session.rollback()
    if person_ids and _rewrite_files():
        _mark(person_ids, done_at=now)


def _rewrite_files() -> bool:
    """SQLite: write file and log anew, so that nothing of what was emptied stays in either; False while others read.

    PostgreSQL does that by itself (autovacuum), and a dump holds only what is there.
    """
    if not is_sqlite():
        return True
    with db.engine.connect() as connection:
        cursor = connection.connection.cursor()
        try:
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            answer = cursor.fetchone()
        except sqlite3.OperationalError as error:  # somebody writes all the time; the next sweep tries again
            log.warning("erasure_waits", error=str(error))
            return False
        finally:
            cursor.close()
    return answer is not None and answer[0] == 0
