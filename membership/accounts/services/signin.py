"""Signing in by a mailed link or a typed code. Source: security.md S1-S11, decision 25.

The secrets exist only in the mail and in the person's hands: they are made when the mail leaves, and the
database keeps hashes. Their ten minutes run on real time, so that moving the demo's clock signs nobody out.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update

from membership.accounts.models import Person, Session, SignInRequest
from membership.accounts.queries import find_person_by_email, is_open
from membership.accounts.rules import ABSOLUTE, CODE_DIGITS, MOST_TRIES, OPEN_TO_NEWCOMERS, REQUEST_LIFE
from membership.accounts.services.desk import staff_name
from membership.accounts.services.people import ensure_person, note
from membership.audit.services import record
from membership.db import db, transaction
from membership.kernel import clock, ids
from membership.kernel.errors import Conflict, InvalidInput
from membership.mail import services as mail
from membership.web import settings


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a sign-in mail carries: nothing but `is_known=False` for an address that nobody has."""

    is_known: bool
    token: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that has begun: the id for the cookie (kept nowhere else) and where to go, a `rules.place`."""

    session_id: str
    place: str


def ask(email: str, locale: str, place: str, nonce: str) -> None:
    """Have a sign-in mail sent to `email` (canonical form), to be used in the browser that holds `nonce`.

    Does exactly the same for an address that nobody has. Requests that this browser made earlier for this
    address are dead from now on; those of others are not, for anybody can type an address.
    """
    at = clock.real_now()
    with transaction("accounts.ask"):
        request = SignInRequest(
            email=email,
            locale=locale,
            next_place=place,
            nonce_hash=ids.digest(nonce),
            n_tries=0,
            asked_at=at,
            expires_at=at + REQUEST_LIFE,
        )
        db.session.add(request)
        db.session.flush()
        mail.send("accounts/sign_in", email, locale, {"request_id": request.id})


def issue_secrets(request_id: int) -> Secrets | None:
    """Make the link's token and the code of a request, for the mail that leaves now.

    None where the request is no longer open: a late mail would carry dead secrets. Called again (the first
    attempt at the mail failed) it replaces both.
    """
    with transaction("accounts.issue_secrets"):
        request = db.session.scalar(
            select(SignInRequest).where(SignInRequest.id == request_id, is_open(clock.real_now())).with_for_update()
        )
        if request is None:
            return None
        person = find_person_by_email(request.email)
        is_welcome = person.is_active if person else request.next_place in OPEN_TO_NEWCOMERS
        if not is_welcome:
            return Secrets(is_known=False)
        token, code = ids.new_secret(), ids.new_code(CODE_DIGITS)
        request.token_hash, request.code_hash = ids.digest(token), _code_hash(request.id, code)
        return Secrets(is_known=True, token=token, code=code)


def use_link(token: str, nonce: str, browser: str | None = None) -> SignedIn | None:
    """Sign in by the mailed link, once, in the browser that asked; None where that cannot be (any more).

    `browser` says what kind it is (`rules.browser_of`), for the list of places where somebody is signed in.
    """
    at = clock.real_now()
    with transaction("accounts.use_link"):
        request = _consume(
            SignInRequest.token_hash == ids.digest(token), SignInRequest.nonce_hash == ids.digest(nonce), at=at
        )
        return None if request is None else _begin(request, at, browser)


def use_code(code: str, nonce: str, browser: str | None = None) -> SignedIn:
    """Sign in by the typed code, in the browser that asked; `browser` as in `use_link`.

    Raises InvalidInput `code_wrong` (with the tries left) and Conflict `code_dead` where nothing can be typed
    any more: too old, too many tries, or never asked here. Each try is counted before it is looked at.
    """
    at = clock.real_now()
    with transaction("accounts.use_code"):
        tried = _count_try(nonce, at)
        # Read before the commit: afterwards the row may already show the tries of others.
        n_left = MOST_TRIES - tried.n_tries if tried is not None else 0
        signed_in = None
        if tried is not None and _fits(tried, code):
            request = _consume(SignInRequest.id == tried.id, at=at)
            signed_in = None if request is None else _begin(request, at, browser)
    if signed_in is not None:
        return signed_in
    if n_left == 0:
        raise Conflict("code_dead", "No code can be typed here any more.")
    raise InvalidInput("code_wrong", "This is not the code from the mail.", field="code", n_left=n_left)


def _count_try(nonce: str, at: datetime) -> SignInRequest | None:
    """The newest open request of this browser, with one more try counted; None where no try is left."""
    newest = (
        select(func.max(SignInRequest.id)).where(SignInRequest.nonce_hash == ids.digest(nonce), is_open(at))
    ).scalar_subquery()
    statement = (
        update(SignInRequest)
        .where(SignInRequest.id == newest, SignInRequest.n_tries < MOST_TRIES, SignInRequest.used_at.is_(None))
        .values(n_tries=SignInRequest.n_tries + 1)
        .returning(SignInRequest)
    )
    return db.session.scalar(statement, execution_options={"populate_existing": True, "synchronize_session": False})


def _fits(request: SignInRequest, code: str) -> bool:
    # Without a code (nobody has the address, or the mail has not left) the same work is done for nothing.
    return hmac.compare_digest(request.code_hash or "", _code_hash(request.id, code))


def _code_hash(request_id: int, code: str) -> str:
    return ids.keyed_digest(settings().secret_key.get_secret_value(), "sign-in code", str(request_id), code)


def _consume(*conditions: object, at: datetime) -> SignInRequest | None:
    """Mark the open request that meets `conditions` as used; None if there is none. One of many callers wins."""
    statement = (
        update(SignInRequest)
        .where(*conditions, is_open(at))  # type: ignore[arg-type]
        .values(used_at=at)
        .returning(SignInRequest)
    )
    return db.session.scalar(statement, execution_options={"populate_existing": True, "synchronize_session": False})


def _begin(request: SignInRequest, at: datetime, browser: str | None) -> SignedIn | None:
    """Begin a session, under a new id (S11), for the person of a request that was just used."""
    person = find_person_by_email(request.email)
    if person is None and request.next_place in OPEN_TO_NEWCOMERS:
        person = ensure_person(request.email, request.locale, clock.now())
    if person is None or not person.is_active:
        return None
    _note_proof(person, request.locale)
    session_id = ids.new_secret()
    db.session.add(
        Session(
            id_hash=ids.digest(session_id),
            person_id=person.id,
            browser=browser,
            data={"csrf_token": secrets.token_hex(20)},
            created_at=at,
            last_seen_at=at,
            expires_at=at + ABSOLUTE,
        )
    )
    return SignedIn(session_id, request.next_place)


def _note_proof(person: Person, locale: str) -> None:
    now = clock.now()
    if not person.has_chosen_locale:
        person.locale = locale
    if person.email_proved_at is None:
        person.email_proved_at = now
        note(person.id, "address_proved", now, actor="member")
    note(person.id, "signed_in", now, actor="member")
    if person.role is not None:
        record("session.began", ("person", person.public_id), actor=staff_name(person))
