"""Whether this browser tells the newsroom's own site that its reader is a patron, so that appeals stay away there and
advertisements can (decision 28): one cookie for the parent domain that any script may read, with no name and no
number in it, set only where the reader asked for it. It proves nothing and opens nothing.
"""

from flask import Blueprint, Flask, redirect, request
from flask.typing import ResponseReturnValue

from membership.web import settings
from membership.web.access import audience
from membership.web.forms import Form
from membership.web.links import own_place

bp = Blueprint("patron_hint", __name__)

COOKIE = "reader_patron"
YES = "1"
# Support may end without the site hearing of it: whoever is still a patron half a year later presses once more.
KEPT_SECONDS = 180 * 24 * 3600


def install(app: Flask) -> None:
    """Add the two buttons' addresses, and `patron_hint()` for pages that show them."""
    app.register_blueprint(bp)
    app.context_processor(lambda: {"patron_hint": _patron_hint})


@bp.post("/patron-hint")
@audience("public", rate="write")
def tell() -> ResponseReturnValue:
    """Let the newsroom's site know, from this browser."""
    return _set(YES, KEPT_SECONDS)


@bp.post("/patron-hint/forget")
@audience("public", rate="write")
def forget() -> ResponseReturnValue:
    """Let it not know any more."""
    return _set("", 0)


def _set(value: str, seconds: int) -> ResponseReturnValue:
    Form()
    answer = redirect(own_place(request.args.get("to")) or "/", 303)
    known = settings()
    if known.patron_hint_domain is not None:
        answer.set_cookie(
            COOKIE, value, max_age=seconds, path="/", domain=known.patron_hint_domain, secure=known.is_secure,
            httponly=False, samesite="Lax",
        )  # fmt: skip
    return answer


def _patron_hint() -> dict[str, object] | None:
    """The site that would know and whether it does; None where this newsroom does not offer it."""
    domain = settings().patron_hint_domain
    return {"domain": domain, "is_told": request.cookies.get(COOKIE) == YES} if domain else None
