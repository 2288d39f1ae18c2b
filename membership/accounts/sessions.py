"""One visitor's session: a row in the database for who is signed in, a signed cookie for everyone else.

Flask asks this for its `session`, Flask-Login for its `current_user` (decision 26). Nothing is read before
somebody looks, so pages that need no session cost no query, and nothing is set that nobody changed: anonymous
readers of public pages get no cookie at all. The signed cookie never says who somebody is. The right to the desk is a
second row under a second cookie, which no other website can make a browser send (ADR 0014).
"""

import hashlib
import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from flask import Flask, Request, Response, session
from flask.sessions import SessionInterface, SessionMixin
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy.exc import SQLAlchemyError

from membership.accounts import queries, services
from membership.accounts.models import Person
from membership.accounts.queries.factors import Found, has_factor
from membership.accounts.rules import (
    ABSOLUTE,
    FRESH_FOR,
    NO_RIGHTS,
    STAFF_ABSOLUTE,
    STAFF_TOUCH_EVERY,
    TOUCH_EVERY,
    StaffRights,
)
from membership.config import Settings
from membership.kernel import clock
from membership.web import settings

log = logging.getLogger(__name__)

VISIT_SECONDS = 30 * 24 * 3600


class Visit(SessionMixin):
    """What is known of the browser that asks; reads the database (or the signed cookie) when first looked at."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._data: dict[str, Any] | None = None
        self._person: Person | None = None
        self._row_id: int | None = None
        self.last_seen_at: datetime | None = None
        self.modified = False
        self.accessed = False
        self.is_stale = False  # the cookie names a session that is over
        self.entered: str | None = None  # the id of a session that began in this request
        self.renewed: str | None = None  # the new id of the session that goes on
        self.has_left = False
        self._rights: StaffRights | None = None
        self.desk: Found | None = None  # the open desk of this browser, once somebody asked for it
        self.entered_desk: str | None = None  # the id of a right to the desk that began in this request

    @property
    def is_loaded(self) -> bool:
        """Whether anybody has looked."""
        return self._data is not None

    @property
    def person(self) -> Person | None:
        """Who is signed in; None for anybody else."""
        self._look()
        return self._person

    @property
    def row_id(self) -> int | None:
        """The id of the session's row; None where nobody is signed in."""
        self._look()
        return self._row_id

    @property
    def staff_rights(self) -> StaffRights:
        """What this browser may do at the desk as far as the second factor goes; nothing for who does not work here."""
        if self._rights is None:
            self._rights = self._look_at_desk()
        return self._rights

    def _look_at_desk(self) -> StaffRights:
        person = self.person
        if person is None or self._row_id is None or person.role is None:
            return NO_RIGHTS
        is_set_up = has_factor(person.id)
        if not is_set_up:  # in the demo everybody may look in; elsewhere nothing opens before there is a factor
            return StaffRights(is_open=settings().demo, is_fresh=settings().demo)
        found = queries.find_desk_session(self._row_id, self._request.cookies.get(staff_cookie()))
        if found is None or not found.is_shown:
            return StaffRights(has_factor=True, is_elsewhere=found is not None)
        self.desk = found
        return StaffRights(has_factor=True, is_open=True, is_fresh=clock.real_now() < found.proved_at + FRESH_FOR)

    def open_desk(self, method: "services.Method") -> None:
        """Give this browser the right to the desk, for who has just shown their factor; both ids are new (S11)."""
        if self.person is None or self.row_id is None:
            raise RuntimeError("Nobody is signed in here.")
        self.entered_desk = services.enter(self.row_id, self.person, method)
        self._rights = StaffRights(has_factor=True, is_open=True, is_fresh=True)
        self.renew()

    def enter(self, session_id: str) -> None:
        """Go on as the session with this new id; whatever was known before is dropped (S11)."""
        before = self.row_id
        if before is not None:
            services.sign_out(before)
        self._data, self._person, self._row_id = {}, None, None
        self._rights = self.desk = None
        self.entered, self.has_left = session_id, False

    def renew(self) -> None:
        """Go on under a new id, with all that is known, after who somebody is has changed (S11)."""
        if self.row_id is not None:
            self.renewed = services.renew(self.row_id)

    def leave(self) -> None:
        """Forget who was signed in here; the row is the business of the services."""
        self._data, self._person, self._row_id = {}, None, None
        self._rights = self.desk = None
        self.has_left = True

    def _look(self) -> dict[str, Any]:
        self.accessed = True
        if self._data is None:
            self._data = self._load()
        return self._data

    def _load(self) -> dict[str, Any]:
        session_id = self._request.cookies.get(session_cookie())
        if session_id:
            found = queries.find_live_session(session_id)
            if found is not None:
                self._row_id, self._person, self.last_seen_at = found.id, found.person, found.last_seen_at
                return dict(found.data)
            self.is_stale = True
        return _read_visit(self._request.cookies.get(visit_cookie(), ""))

    def __getitem__(self, key: str) -> Any:
        return self._look()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._look()[key] = value
        self.modified = True

    def __delitem__(self, key: str) -> None:
        del self._look()[key]
        self.modified = True

    def __iter__(self) -> Iterator[str]:
        return iter(self._look())

    def __len__(self) -> int:
        return len(self._look())


class VisitInterface(SessionInterface):
    """Opens and saves visits."""

    def open_session(self, app: Flask, request: Request) -> Visit:
        """A visit that has not looked at anything yet."""
        del app
        return Visit(request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Set the cookies that changed; keep what changed in the row; note once an hour that it is in use."""
        del app
        if not isinstance(session, Visit):
            return
        if session.accessed:
            response.vary.add("Cookie")
        if session.entered is not None:
            _set(response, session_cookie(), session.entered, int(ABSOLUTE.total_seconds()))
            _drop(response, visit_cookie())
        elif session.renewed is not None and not session.has_left:
            _set(response, session_cookie(), session.renewed, int(ABSOLUTE.total_seconds()))
        elif session.has_left or session.is_stale:
            _drop(response, session_cookie())
        if session.entered_desk is not None and not session.has_left:
            _set(response, staff_cookie(), session.entered_desk, int(STAFF_ABSOLUTE.total_seconds()), "Strict")
        if session.is_loaded and session.entered is None:
            _keep(session, response)


def _keep(visit: Visit, response: Response) -> None:
    if visit.row_id is None:
        if visit.modified or visit.has_left:
            _write_visit(response, dict(visit))
        return
    try:
        if visit.modified:
            services.keep_data(visit.row_id, dict(visit))
        at = clock.real_now()
        if visit.last_seen_at is not None and visit.last_seen_at <= at - TOUCH_EVERY:
            services.touch(visit.row_id, at)
        if visit.desk is not None and visit.person is not None and visit.desk.last_seen_at <= at - STAFF_TOUCH_EVERY:
            services.touch_desk(visit.desk.id, visit.person.id, at)
    except SQLAlchemyError:  # the answer itself is made; not having noted the visit spoils nothing
        log.exception("visit_not_kept")


def load_person(_request: Request) -> Person | None:
    """Who is signed in, for Flask-Login."""
    return session.person if isinstance(session._get_current_object(), Visit) else None  # type: ignore[attr-defined]  # noqa: SLF001


def session_cookie() -> str:
    """The cookie with the id of a signed-in session."""
    return _prefix() + "session"


def staff_cookie() -> str:
    """The cookie with the id of the right to the desk; it never comes with a request that another website caused."""
    return _prefix() + "staff"


def visit_cookie() -> str:
    """The signed cookie of anonymous visitors: form token and form state only."""
    return _prefix() + "visit"


def login_cookie() -> str:
    """The cookie with the nonce that ties a mailed link to the browser that asked for it (S5)."""
    return _prefix() + "login"


def set_login_nonce(response: Response, nonce: str, max_age: int) -> None:
    """Give the browser the nonce for `max_age` seconds; 0 takes it away."""
    _set(response, login_cookie(), nonce, max_age) if max_age else _drop(response, login_cookie())


def _prefix() -> str:
    return settings().cookie_prefix


def _set(response: Response, name: str, value: str, max_age: int | None, same_site: str = "Lax") -> None:
    known: Settings = settings()
    response.set_cookie(
        name, value, max_age=max_age, path="/", secure=known.is_secure, httponly=True, samesite=same_site
    )


def _drop(response: Response, name: str) -> None:
    response.delete_cookie(name, path="/", secure=settings().is_secure, httponly=True, samesite="Lax")


def _serializer() -> URLSafeTimedSerializer:
    secret = settings().secret_key.get_secret_value()
    return URLSafeTimedSerializer(secret, salt="membership.visit", signer_kwargs={"digest_method": hashlib.sha256})


def _read_visit(text: str) -> dict[str, Any]:
    try:
        data = _serializer().loads(text, max_age=VISIT_SECONDS)
    except BadData:
        return {}
    return data if isinstance(data, dict) else {}


def _write_visit(response: Response, data: dict[str, Any]) -> None:
    if data:
        _set(response, visit_cookie(), str(_serializer().dumps(data)), None)
    else:
        _drop(response, visit_cookie())
