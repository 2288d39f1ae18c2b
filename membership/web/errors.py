"""Every error becomes a page (or JSON) that says what happened, whether something was done, and what to do next.

The kernel's errors know no status; the table is here. Unforeseen errors get a number that stands on the page
and in the log, and nothing else of them is shown (security.md S36).
"""

import logging
import secrets
from http import HTTPStatus
from typing import NamedTuple

from flask import Flask, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import CSRFError
from markupsafe import escape
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RoutingException

from membership.kernel.errors import (
    Conflict,
    InvalidInput,
    MembershipError,
    NotFound,
    ProviderFailed,
    Refused,
    TooMany,
)
from membership.web import settings
from membership.web.access import audience_of
from membership.web.house import house

log = logging.getLogger(__name__)

# The first class that fits decides, so TooMany stands before Refused, its mother.
STATUS: tuple[tuple[type[MembershipError], int], ...] = (
    (InvalidInput, 422),
    (TooMany, 429),
    (Refused, 403),
    (NotFound, 404),
    (Conflict, 409),
    (ProviderFailed, 502),
)

# Status -> heading and sentence. Codes of our own errors may have a sentence of their own in SENTENCES.
WORDS = {
    400: (
        _l("We could not read that"),
        _l("Your browser sent something that this page did not ask for. Nothing was done."),
    ),
    403: (
        _l("This page is not open to you"),
        _l("Nothing was done. If you have an account here, sign in and try again."),
    ),
    404: (_l("There is no such page"), _l("The address may be mistyped, or the page has moved.")),
    405: (_l("This page works differently"), _l("It cannot be asked in this way. Nothing was done.")),
    409: (
        _l("This has changed in the meantime"),
        _l("Nothing was done. Go back, load the page again and look once more."),
    ),
    413: (_l("That was too large"), _l("What was sent is larger than this page accepts. Nothing was done.")),
    422: (_l("Something needs another look"), _l("What was typed cannot be accepted as it is. Nothing was done.")),
    429: (
        _l("Too many tries"),
        _l("There were too many tries in a short time. Nothing was done; please wait a little."),
    ),
    500: (
        _l("Something went wrong on our side"),
        _l("We have noted it. Before you try a payment again, look at your account or your mail."),
    ),
    502: (
        _l("A service that we depend on did not answer"),
        _l("We keep what was begun and do nothing twice. Please try again in a few minutes."),
    ),
    503: (_l("We cannot do this at the moment"), _l("Nothing was done. Please try again in a few minutes.")),
}
SENTENCES: dict[str, object] = {
    "csrf": _l(
        "The form was open for too long, or your browser did not send back the cookie that protects it. "
        "Nothing was done. Go back, load the page again, and send it once more."
    ),
    "cross_site": _l("This was sent from another website, so nothing was done. Open the page here and try again."),
    "wrong_host": _l("This site does not answer under that address. Nothing was done."),
}


class Trouble(NamedTuple):
    """What the reader is told: an HTTP status, a stable code, a sentence of its own, seconds to wait."""

    status: int
    code: str
    sentence: object | None = None
    retry_after: int | None = None


def install(app: Flask) -> None:
    """Answer every error of the app."""
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(MembershipError, _of_membership)
    app.register_error_handler(Exception, _of_surprise)


def _of_http(error: HTTPException) -> ResponseReturnValue:
    if isinstance(error, RoutingException) or error.code is None:
        return error.get_response()  # a redirect of the router, or a finished answer
    retry_after = getattr(error, "retry_after", None)
    code = "csrf" if isinstance(error, CSRFError) else getattr(error, "house_code", _code_of(error.code))
    answer = _answer(Trouble(error.code, code, SENTENCES.get(code), retry_after))
    for name, value in error.get_headers():
        if name.lower() in {"allow", "www-authenticate", "retry-after"}:
            answer.headers[name] = value
    return answer


def _of_membership(error: MembershipError) -> ResponseReturnValue:
    status = next((status for kind, status in STATUS if isinstance(error, kind)), 500)
    sentence = SENTENCES.get(error.code) or (
        gettext(error.message) if status < HTTPStatus.INTERNAL_SERVER_ERROR else None
    )
    return _answer(Trouble(status, error.code, sentence, error.details.get("retry_after")))


def _of_surprise(error: Exception) -> ResponseReturnValue:
    error_id = secrets.token_hex(5)
    log.error("unexpected_error", exc_info=error, extra={"error_id": error_id, "route": _route()})
    return _answer(Trouble(500, "unexpected"), error_id)


def _answer(trouble: Trouble, error_id: str | None = None) -> Response:
    error_id = error_id or secrets.token_hex(5)
    if trouble.status != HTTPStatus.NOT_FOUND:
        note = {"status": trouble.status, "code": trouble.code, "error_id": error_id, "route": _route()}
        log.info("refused", extra=note)
    heading, sentence = WORDS.get(trouble.status, WORDS[500 if trouble.status >= 500 else 400])  # noqa: PLR2004
    sentence = trouble.sentence or sentence
    if _wants_json():
        error = {"code": trouble.code, "message": str(sentence), "id": error_id}
        answer = make_response({"error": error}, trouble.status)
    else:
        answer = make_response(_page(trouble, str(heading), str(sentence), error_id), trouble.status)
    if trouble.retry_after:
        answer.headers["Retry-After"] = str(trouble.retry_after)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _page(trouble: Trouble, heading: str, sentence: str, error_id: str) -> str:
    try:
        return render_template(
            [f"errors/{trouble.status}.html", "errors/error.html"],
            status=trouble.status,
            code=trouble.code,
            heading=heading,
            sentence=sentence,
            error_id=error_id,
            retry_after=trouble.retry_after,
        )
    except Exception as error:  # what is broken (the database) may be what the page needs
        log.warning("error_page_failed", exc_info=error, extra={"error_id": error_id})
        name, home = escape(house().name), escape(settings().public_url)
        return (
            f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(heading)}</title></head>'
            f"<body><main><h1>{escape(heading)}</h1><p>{escape(sentence)}</p><p>{error_id}</p>"
            f'<p><a href="{home}/">{name}</a></p></main></body></html>'
        )


def _wants_json() -> bool:
    if audience_of(request.endpoint) == "machine" or request.is_json:
        return True
    accepted = request.accept_mimetypes
    return accepted["application/json"] > accepted["text/html"]


def _code_of(status: int) -> str:
    try:
        return HTTPStatus(status).name.lower()
    except ValueError:
        return "error"


def _route() -> str:
    """The pattern of the route, since the path itself may hold a secret (security.md S43)."""
    return request.url_rule.rule if request.url_rule is not None else "(none)"


def explain(code: str, sentence: object) -> None:
    """Give the errors with this `code` a sentence for readers (a lazy translation)."""
    SENTENCES[code] = sentence
