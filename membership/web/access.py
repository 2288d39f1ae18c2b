"""Doors. Every view says for whom it is and how often it may be asked; a view that does not is refused.

The decision hangs on the view that was matched, never on the path, so no spelling of a path gets round it
(security.md S16).
"""

from collections.abc import Callable
from typing import Any, Literal, TypeVar, get_args

from flask import Flask, current_app, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.exceptions import Forbidden, NotFound

from membership.web import settings

Audience = Literal["public", "member", "staff", "machine", "demo"]
Rate = Literal["read", "write", "money", "signin", "machine"]
AUDIENCES: tuple[str, ...] = get_args(Audience)
RATES: tuple[str, ...] = get_args(Rate)
SAFE_METHODS = frozenset({"GET", "HEAD"})

View = TypeVar("View", bound=Callable[..., Any])


def audience(who: Audience, rate: Rate = "read", may: str = "desk.see") -> Callable[[View], View]:
    """Decorator of every view, below the route: for whom it is, and its rate class.

    `public`: anyone. `member`: who is signed in; others are sent to sign in (reading) or refused. `staff`:
    members of staff whose role may do `may`, one of `accounts.rules.ACTIONS`; this is the one place of that
    check. `machine`: another program that proves itself by a signature; no session and no form token, so its
    path must also stand in `security.CSRF_EXEMPT`. `demo`: anyone, but 404 outside the demo.
    """
    if who not in AUDIENCES or rate not in RATES:
        raise ValueError(f"Unknown audience {who!r} or rate class {rate!r}.")

    def mark(view: View) -> View:
        view.audience = who  # type: ignore[attr-defined]
        view.rate = rate  # type: ignore[attr-defined]
        view.may = may if who == "staff" else None  # type: ignore[attr-defined]
        return view

    return mark


def audience_of(endpoint: str | None) -> str | None:
    """The audience of the view behind `endpoint`; None where it declares none or does not exist."""
    return getattr(current_app.view_functions.get(endpoint or ""), "audience", None)


def rate_of(endpoint: str | None) -> str:
    """The rate class of the view behind `endpoint`; "read" where there is no such view."""
    return getattr(current_app.view_functions.get(endpoint or ""), "rate", "read")


def may_of(endpoint: str | None) -> str:
    """What somebody must be allowed to do for the staff view behind `endpoint`; "" where it is no staff view."""
    return getattr(current_app.view_functions.get(endpoint or ""), "may", None) or ""


def install(app: Flask) -> None:
    """Put the doorkeeper before every request, and declare Flask's own view of static files."""
    if "static" in app.view_functions:
        audience("public")(app.view_functions["static"])
    app.before_request(_keep_door)


def _keep_door() -> ResponseReturnValue | None:
    if request.endpoint is None:
        return None  # no view matched: Flask answers 404 or 405
    match audience_of(request.endpoint):
        case "public" | "machine":
            return None
        case "demo":
            if not settings().demo:
                raise NotFound
            return None
        case "member":
            return _ask_for_member()
        case "staff":
            return _ask_for_member() or _ask_for_right(may_of(request.endpoint))
        case _:
            raise Forbidden


def _ask_for_member() -> ResponseReturnValue | None:
    if current_user.is_authenticated:
        return None
    if request.method in SAFE_METHODS:
        answer: ResponseReturnValue = current_app.login_manager.unauthorized()  # type: ignore[attr-defined]
        return answer
    raise Forbidden


def _ask_for_right(action: str) -> ResponseReturnValue | None:
    if current_user.may(action):
        return None
    raise Forbidden
