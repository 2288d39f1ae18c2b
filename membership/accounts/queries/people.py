"""Reads of people, sessions, sign-in requests and timelines."""

import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from flask import has_request_context, session
from sqlalchemy import ColumnElement, Executable, and_, bindparam, exists, func, literal, select, tuple_
from sqlalchemy.orm import aliased, make_transient_to_detached

from membership.accounts.models import (
    AddressChange,
    Erasure,
    Person,
    Session,
    SignInRequest,
    StaffMember,
    StaffSession,
    TimelineEntry,
)
from membership.accounts.rules import IDLE, STAFF_IDLE
from membership.db import db, read_alone
from membership.kernel import clock, ids
from membership.kernel.errors import NotFound
from membership.mail.queries import mails_to, stops_of

# "ready": a button signs in here. "elsewhere": another browser asked for it. "dead": used, too old, or unknown.
LinkState = Literal["ready", "elsewhere", "dead"]


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A browser in which a person is signed in; `is_this_one` is the one that asks.

    `browser` is as `rules.browser_of` has it; `is_at_desk`: the desk is open in it.
    """

    id: int
    created_at: datetime
    last_seen_at: datetime
    is_this_one: bool
    browser: str | None = None
    is_at_desk: bool = False


def get_person(person_id: int) -> Person:
    """The person with this id; NotFound if there is none."""
    person = db.session.get(Person, person_id)
    if person is None:
        raise NotFound("no_person", "There is no such person.")
    return person


def public_id_of(person_id: int | None) -> str | None:
    """The public id of the person with this id; None for nobody."""
    return db.session.scalar(select(Person.public_id).where(Person.id == person_id)) if person_id else None


def find_person_by_email(email: str) -> Person | None:
    """The person of an address in canonical form, proved or not; None if nobody has it."""
    return db.session.scalar(select(Person).where(Person.email == email))


def get_by_public_id(public_id: str) -> Person:
    """The person of a page of the desk; NotFound if there is none."""
    person = db.session.scalar(select(Person).where(Person.public_id == public_id))
    if person is None:
        raise NotFound("no_person", "There is no such person.")
    return person


def find_erasure(person_id: int) -> Erasure | None:
    """How far the forgetting of a person has come; None where nobody asked for it."""
    return db.session.get(Erasure, person_id)


def list_staff() -> list[tuple[StaffMember, Person]]:
    """Everybody on the staff with the person behind it, by name."""
    rows = db.session.execute(
        select(StaffMember, Person)
        .join(Person, Person.id == StaffMember.person_id)
        .order_by(StaffMember.name, StaffMember.person_id)
    )
    return [(member, person) for member, person in rows]


def n_readers() -> dict[str, int]:
    """Language -> how many people want their mails in it."""
    rows = db.session.execute(
        select(Person.locale, func.count()).where(Person.disabled_at.is_(None)).group_by(Person.locale)
    )
    return {locale: n for locale, n in rows}  # noqa: C416 - rows are no pairs to the type checker


def name_staff(actors: Collection[str]) -> dict[str, str]:
    """How colleagues call those who did something: "staff:<public id>" -> name and address; whoever left is missing."""
    known = {f"staff:{person.public_id}": f"{member.name} ({person.email})" for member, person in list_staff()}
    return {actor: known[actor] for actor in actors if actor in known}


def timeline(person_id: int, limit: int = 50, before_id: int | None = None) -> Sequence[TimelineEntry]:
    """What happened to a person, newest first by when it happened (not by when we heard), at most `limit`.

    `before_id`: only what stands behind that entry of theirs; nothing for one that is not theirs.
    """
    statement = select(TimelineEntry).where(TimelineEntry.person_id == person_id)
    if before_id is not None:
        mark = (TimelineEntry.id == before_id) & (TimelineEntry.person_id == person_id)
        at = select(TimelineEntry.at).where(mark).scalar_subquery()
        here, there = tuple_(TimelineEntry.at, TimelineEntry.id), tuple_(at, literal(before_id))
        statement = statement.where(here < there)
    return db.session.scalars(statement.order_by(TimelineEntry.at.desc(), TimelineEntry.id.desc()).limit(limit)).all()


@dataclass(frozen=True, slots=True)
class LiveSession:
    """The session of a browser in which somebody is signed in, and who that is."""

    id: int
    data: dict[str, Any]
    last_seen_at: datetime
    person: Person


# Every request of somebody who is signed in begins with it: so it is built once, and is Core.
_person_columns = Person.__table__.c
LIVE_SESSION: Executable = (
    select(Session.id.label("session_id"), Session.data, Session.last_seen_at, *_person_columns)
    .join(Person, Person.id == Session.person_id)
    .where(Session.id_hash == bindparam("id_hash"), Person.disabled_at.is_(None))
    .where(Session.expires_at > bindparam("at"), Session.last_seen_at > bindparam("seen_after"))
)


def find_live_session(session_id: str) -> LiveSession | None:
    """The session of a cookie's id; None if it ended, was ended, or the person is disabled."""
    at = clock.real_now()
    row = read_alone(LIVE_SESSION, {"id_hash": ids.digest(session_id), "at": at, "seen_after": at - IDLE})
    if row is None:
        return None
    found = row._mapping  # noqa: SLF001 - public for all its underscore
    person = Person(**{column.name: found[column] for column in _person_columns})
    make_transient_to_detached(person)
    return LiveSession(row.session_id, row.data, row.last_seen_at, db.session.merge(person, load=False))


def sessions_of(person_id: int) -> list[SessionRow]:
    """Where a person is signed in, the one that was seen last first."""
    at = clock.real_now()
    live = (Session.person_id == person_id) & (Session.expires_at > at) & (Session.last_seen_at > at - IDLE)
    at_desk = (StaffSession.expires_at > at) & (StaffSession.last_seen_at > at - STAFF_IDLE)
    rows = db.session.execute(
        select(Session, StaffSession.id)
        .outerjoin(StaffSession, (StaffSession.session_id == Session.id) & at_desk)
        .where(live)
        .order_by(Session.last_seen_at.desc(), Session.id.desc())
    )
    here = getattr(session, "row_id", None) if has_request_context() else None
    return [
        SessionRow(row.id, row.created_at, row.last_seen_at, row.id == here, row.browser, desk_id is not None)
        for row, desk_id in rows
    ]


def link_state(token: str, nonce: str) -> LinkState:
    """What a mailed link can still do in the browser that holds `nonce`; reads only."""
    at = clock.real_now()
    request = db.session.scalar(select(SignInRequest).where(SignInRequest.token_hash == ids.digest(token), is_open(at)))
    if request is None:
        return "dead"
    return "ready" if hmac.compare_digest(request.nonce_hash, ids.digest(nonce)) else "elsewhere"


def is_open(at: datetime) -> ColumnElement[bool]:
    """The condition that a sign-in request can be used at `at`: not used, not too old, the newest that its browser made
    for its address. A request from elsewhere kills nothing: anybody can type an address.
    """
    newer = aliased(SignInRequest)
    same = (newer.email == SignInRequest.email) & (newer.nonce_hash == SignInRequest.nonce_hash)
    is_newest = ~exists().where(same, newer.id > SignInRequest.id)
    return and_(SignInRequest.used_at.is_(None), SignInRequest.expires_at > at, is_newest)


# What we hold of a member, for the member --------------------------------------------------------------

MOST_ENTRIES = 10_000


def addresses_of(person_id: int) -> list[str]:
    """A person's address, and those that they had in the last seven days and nobody else has now."""
    person = get_person(person_id)
    rows = db.session.execute(
        select(AddressChange.old_email, AddressChange.new_email).where(AddressChange.person_id == person_id)
    )
    known = {person.email, *(address for row in rows for address in row if address)}
    others = select(Person.email).where(Person.email.in_(known), Person.id != person_id)
    return sorted(known - set(db.session.scalars(others)))


def export_profile(person_id: int) -> list[dict[str, Any]]:
    """One row: who somebody is here."""
    person = get_person(person_id)
    return [
        {
            "id": person.public_id,
            "email": person.email,
            "email_proved_at": person.email_proved_at,
            "public_name": person.public_name,
            "language_of_mails": person.locale,
            "unwanted_mails": ", ".join(sorted(about.value for about in stops_of(person_id))),
            "former_addresses": ", ".join(each for each in addresses_of(person_id) if each != person.email),
            "since": person.created_at,
            "role_on_our_staff": person.role.value if person.role else None,
        }
    ]


def export_sessions(person_id: int) -> list[dict[str, Any]]:
    """Where somebody is signed in."""
    return [
        {"began_at": row.created_at, "last_seen_at": row.last_seen_at, "browser": row.browser}
        for row in sessions_of(person_id)
    ]


def export_timeline(person_id: int) -> list[dict[str, Any]]:
    """What happened, newest first."""
    return [
        {"at": row.at, "what": row.kind, "by": row.actor.partition(":")[0]} | row.details
        for row in timeline(person_id, MOST_ENTRIES)
    ]


def export_mails(person_id: int) -> list[dict[str, Any]]:
    """What we wrote in the last 30 days; later we do not know any more to whom a mail went."""
    return [
        {
            "written_at": row.created_at,
            "what": row.kind,
            "to": row.to_address,
            "state": row.state,
            "done_at": row.done_at,
        }
        for row in mails_to(addresses_of(person_id))
    ]
