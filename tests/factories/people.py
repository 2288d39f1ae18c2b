"""People, and browsers that are signed in as them, through the front door."""

import re
from contextlib import suppress
from urllib.parse import urlsplit

import pyotp
from flask import has_app_context
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import select

from membership.accounts import emails, services
from membership.accounts.models import Person, Session, SignInRequest, StaffMember, TotpSecret
from membership.accounts.queries.factors import has_factor
from membership.accounts.rules import Role
from membership.accounts.services.factors import APP
from membership.db import db, transaction
from membership.kernel import clock
from membership.web import settings
from membership.web.tokens import seal
from tests.conftest import SECRET


def make_person(email="olena@example.org", **changes) -> Person:
    with transaction("test.make_person"):
        person = services.ensure_person(email, "en", clock.now())
        for name, value in changes.items():
            setattr(person, name, value)
    return person


def make_staff(email="editor@example.org", role="editor", name="The newsroom") -> Person:
    return services.appoint(email, Role(role), name, "en", clock.now())


def make_owner(email="owner@example.org", name="The newsroom") -> Person:
    """An owner who was at the desk already, and so counts where two owners have to agree."""
    person = make_staff(email, "owner", name)
    with transaction("test.make_owner"):
        db.session.get_one(StaffMember, person.id).seen_at = clock.real_now()
    return person


def form_token(client, path="/signin", **headers) -> str:
    """The form token that a page of ours gives to this browser."""
    page = client.get(path, headers=headers).get_data(as_text=True)
    return re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page).group(1)


def any_token(client) -> str:
    """A form token of this browser, also where no page with a form is open to it."""
    with client.session_transaction() as visit:
        visit.setdefault("csrf_token", "0" * 40)
        raw = visit["csrf_token"]
    if has_app_context():
        db.session.rollback()
    return URLSafeTimedSerializer(SECRET, salt="wtf-csrf-token").dumps(raw)


def ask(client, email="olena@example.org", **fields):
    """Ask for a sign-in mail."""
    return client.post("/signin", data={"csrf_token": form_token(client), "email": email, "next": ""} | fields)


def latest_request() -> SignInRequest:
    return db.session.scalar(
        select(SignInRequest).order_by(SignInRequest.id.desc()).limit(1), execution_options={"populate_existing": True}
    )


def open_mail(request_id=None) -> dict | None:
    """What stands in the mail that leaves now: `token`, `code`, and the rest of its context."""
    context = emails.sign_in({"request_id": request_id or latest_request().id}, clock.now())
    if context and context["is_known"]:
        context |= {"token": context["link_url"].rpartition("/")[2], "code": context["code"].replace(" ", "")}
    return context


def press_button(client, token):
    """Open the mailed link and press its button."""
    client.get(f"/signin/link/{token}")
    return client.post(f"/signin/link/{token}", data={"csrf_token": any_token(client)})


def type_code(client, code):
    return client.post("/signin/sent", data={"csrf_token": any_token(client), "code": code})


def sign_in(client, email="olena@example.org", **fields):
    """Sign this browser in by the mailed link; who works here has shown their second factor as well."""
    ask(client, email, **fields)
    answer = press_button(client, open_mail()["token"])
    with suppress(LookupError):
        open_desk(client, email)
    return answer


def sign_in_halfway(client, email="olena@example.org", **fields):
    """Sign this browser in by the mailed link, and no further: whoever works here has not shown their second factor."""
    ask(client, email, **fields)
    return press_button(client, open_mail()["token"])


def open_desk(client, email, method="app") -> Person:
    """Show a second factor in this browser without typing anything, for tests of what comes after it.

    Whoever has none gets an app whose secret nobody knows. LookupError for who is not on the staff.
    """
    person = db.session.scalar(select(Person).where(Person.email == email).execution_options(populate_existing=True))
    if person is None or person.role is None:
        raise LookupError(email)
    newest = select(Session).where(Session.person_id == person.id).order_by(Session.id.desc()).limit(1)
    row = db.session.scalar(newest)
    if not has_factor(person.id):
        with transaction("test.open_desk"):
            sealed = seal(APP, person.public_id, pyotp.random_base32().encode())
            db.session.add(TotpSecret(person_id=person.id, sealed=sealed, last_step=0, set_at=clock.real_now()))
    site = urlsplit(settings().public_url).hostname
    client.set_cookie("staff", services.enter(row.id, person, method), domain=site)
    db.session.rollback()
    return person


def session_id(client) -> str | None:
    cookie = client.get_cookie("session")
    return cookie.value if cookie else None
