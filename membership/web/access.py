"""Doors. Every view says for whom it is and how often it may be asked; a view that does not is refused.

The decision hangs on the view that was matched, never on the path, so no spelling of a path gets round it
(security.md S16). Staff pages ask in addition for a second factor (S17, ADR 0014): that is decided here and nowhere
else, and what a view does not say counts as the strictest.
"""

from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeVar, get_args

from flask import Flask, current_app, request, session
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import Forbidden, HTTPException, NotFound

from membership.web import settings

Audience = Literal["public", "member", "staff", "machine", "demo"]
Rate = Literal["read", "write", "money", "signin", "events", "machine"]
# What a staff view asks of the second factor. "done": the person has shown it in this session. "first": the same, but
# who has none yet may come in to set one up. "asked": where it is asked for.
Factor = Literal["done", "first", "asked"]
AUDIENCES: tuple[str, ...] = get_args(Audience)
RATES: tuple[str, ...] = get_args(Rate)
FACTORS: tuple[str, ...] = get_args(Factor)
SAFE_METHODS = frozenset({"GET", "HEAD"})

# Where a session keeps what somebody was about to do when they were asked for their factor.
WANTED, KEPT = "wanted", "kept"
LARGEST_KEPT = 16 * 1024

View = TypeVar("View", bound=Callable[..., Any])


def audience(
    who: Audience,
    rate: Rate = "read",
    may: str = "desk.see",
    *,
    factor: Factor = "done",
    fresh: bool = False,
    reads: str = "",
) -> Callable[[View], View]:
    """Decorator of every view, below the route: for whom it is, and its rate class.

    `public`: anyone. `member`: who is signed in; others are sent to sign in (reading) or refused. `staff`:
    members of staff whose role may do `may`, one of `accounts.rules.ACTIONS`; this is the one place of that
    check. `machine`: another program that proves itself by a signature, or a page of the newsroom's own site by
    its origin; no session and no form token, so where it changes something its path must also stand in
    `security.CSRF_EXEMPT`. `demo`: anyone, but 404 outside the demo.

    Of staff views: `factor` as said above; `fresh`: the factor was shown within the last ten minutes, else it is
    asked for again, and the form that was sent comes back filled in (so it has a page at the same path); `reads`:
    who opens it reads about members, which stands in the audit log as "<reads>.read".
    """
    if who not in AUDIENCES or rate not in RATES or factor not in FACTORS:
        raise ValueError(f"Unknown audience {who!r}, rate class {rate!r} or factor {factor!r}.")

    def mark(view: View) -> View:
        view.audience = who  # type: ignore[attr-defined]
        view.rate = rate  # type: ignore[attr-defined]
        view.may = may if who == "staff" else None  # type: ignore[attr-defined]
        view.factor, view.fresh, view.reads = factor, fresh, reads  # type: ignore[attr-defined]
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


def factor_of(endpoint: str | None) -> str:
    """What the view behind `endpoint` asks of the second factor; "done" where it says nothing."""
    return getattr(current_app.view_functions.get(endpoint or ""), "factor", "done")


def is_fresh(endpoint: str | None) -> bool:
    """Whether the view behind `endpoint` wants the factor shown within the last minutes."""
    return getattr(current_app.view_functions.get(endpoint or ""), "fresh", False)


def reads_of(endpoint: str | None) -> str:
    """What of members the view behind `endpoint` shows; "" where that is nothing."""
    return getattr(current_app.view_functions.get(endpoint or ""), "reads", "")


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
            return _ask_for_member() or _ask_for_right(may_of(request.endpoint)) or _ask_for_factor(request.endpoint)
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


# The second factor ------------------------------------------------------------------------------------------------


def ask_for_fresh() -> ResponseReturnValue | None:
    """For a view that wants a fresh proof for some of what it does: the answer that asks for it, keeping the form that
    was sent; None where the factor was shown within the last minutes.
    """
    rights = session.staff_rights  # type: ignore[attr-defined]  # `accounts.sessions.Visit`, a room above
    return None if rights.is_fresh else _ask_again(rights)


def _ask_for_factor(endpoint: str) -> ResponseReturnValue | None:
    rights = session.staff_rights  # type: ignore[attr-defined]
    wanted = factor_of(endpoint)
    if wanted == "asked" or (wanted == "first" and not rights.has_factor):
        return None
    if rights.is_open and (rights.is_fresh or not is_fresh(endpoint)):
        return None
    if request.method not in SAFE_METHODS:
        # What is kept is what this person sent from our own page, and nothing that another website made them send.
        current_app.extensions["membership.check_form"]()
    return _ask_again(rights)


def _ask_again(rights: Any) -> ResponseReturnValue:
    """Ask for the factor, and remember what was wanted."""
    _keep_wish()
    answer: ResponseReturnValue = current_app.extensions["membership.ask_factor"](rights)
    return answer


def _keep_wish() -> None:
    """Remember where this person wanted to go, and what they had typed, for after they have shown their factor."""
    fields: list[tuple[str, str]] = []
    path = request.full_path.rstrip("?")
    if request.method not in SAFE_METHODS:
        fields = [pair for pair in request.form.items(multi=True) if pair[0] != "csrf_token"]
        path = request.path if _can_be_read(request.path) else "/staff"
        if path != request.path or sum(len(name) + len(value) for name, value in fields) > LARGEST_KEPT:
            fields = []
    session[WANTED] = {"path": path, "fields": fields, "was_sent": request.method not in SAFE_METHODS}


def _can_be_read(path: str) -> bool:
    """Whether there is a page at `path`, so that a form which was sent there can be shown again."""
    try:
        current_app.create_url_adapter(request).match(path, method="GET")  # type: ignore[union-attr]
    except HTTPException:
        return False
    return True


def take_wish() -> tuple[str, bool]:
    """Where somebody goes who has shown their factor, and whether a form waits there that was not carried out."""
    wish = session.pop(WANTED, None) or {"path": "/staff", "fields": [], "was_sent": False}
    if wish["fields"]:
        session[KEPT] = {"path": wish["path"], "fields": wish["fields"]}
    return wish["path"], wish["was_sent"]


def kept_fields(names: Iterable[str]) -> MultiDict[str, str] | None:
    """What was typed into the form of this page before the factor was asked for: once, for a form with these fields."""
    if request.method not in SAFE_METHODS or audience_of(request.endpoint) != "staff":
        return None
    kept = session.get(KEPT)
    if kept is None or kept["path"] != request.path or not {name for name, _ in kept["fields"]} <= set(names):
        return None
    session.pop(KEPT)
    return MultiDict((name, value) for name, value in kept["fields"])
