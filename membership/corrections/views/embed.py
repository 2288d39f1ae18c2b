"""What the newsroom's own pages ask for by script: a report is sent, and an article says what was corrected in it.

Nobody is signed in here and no cookie is looked at. A report is taken from the newsroom's own origins only, to the
letter; since a browser says truly from where it sends, other websites cannot make a reader report anything. What was
corrected is the same for everybody, so any page and any cache in between may have it.
"""

import json
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from werkzeug.exceptions import UnsupportedMediaType

from membership.corrections import queries, services
from membership.corrections.models import CorrectionPassage
from membership.corrections.rules import clean_article, clean_report, is_known_origin
from membership.corrections.views.limits import count_one
from membership.kernel import clock
from membership.kernel.errors import InvalidInput, MembershipError, Refused
from membership.web.access import audience
from membership.web.i18n import LANGUAGES, current_locale
from membership.web.links import absolute
from membership.web.shared import for_everybody

embed_bp = Blueprint("correction_embed", __name__)

REPORTS = "/embed/corrections"
LARGEST_REPORT = 16 * 1024
# A browser asks once in so many seconds whether it may send.
PREFLIGHT_KEPT_SECONDS = 7200
KINDS = frozenset({"application/json", "text/plain"})
FIELDS = ("article", "quote", "prefix", "suffix", "note", "email", "locale")


@embed_bp.after_request
def _say_who_may_read(answer: Response) -> Response:
    """The headers of CORS: an answer about a report is for the newsroom's own pages, also where it is a refusal."""
    if request.path != REPORTS:
        return answer
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    answer.vary.add("Origin")
    answer.headers["Cache-Control"] = "no-store"
    origin = request.headers.get("Origin")
    if origin is not None and is_known_origin(origin, queries.known_origins()):
        answer.headers["Access-Control-Allow-Origin"] = origin
        answer.headers["Access-Control-Expose-Headers"] = "Retry-After"
    return answer


@embed_bp.route(REPORTS, methods=["OPTIONS"], provide_automatic_options=False)
@audience("machine")
def may_send() -> ResponseReturnValue:
    """The browser's question whether a page may send reports."""
    _ask_for_origin()
    return "", 204, {
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "Content-Type",
        "Access-Control-Max-Age": str(PREFLIGHT_KEPT_SECONDS),
    }  # fmt: skip


@embed_bp.post(REPORTS, provide_automatic_options=False)
@audience("machine", rate="write")
def send() -> ResponseReturnValue:
    """Take a report down: one JSON object of texts, named as in FIELDS, of at most 16 KiB."""
    _ask_for_origin()
    fields = _read()
    locale = fields["locale"].partition("-")[0].lower()
    locale = locale if locale in LANGUAGES else current_locale()
    try:
        count_one()
        article = clean_article(fields["article"], queries.known_origins())
        said = clean_report(fields["quote"], fields["prefix"], fields["suffix"], fields["note"])
        services.report(article, said, fields["email"] or None, locale, "embed", clock.now())
    except MembershipError as error:
        with force_locale(locale):  # the reader of that page reads why
            return current_app.handle_user_exception(error)
    return jsonify(is_taken=True), 201


def _ask_for_origin() -> None:
    if not is_known_origin(request.headers.get("Origin"), queries.known_origins()):
        raise Refused("origin_unknown", "Reports are taken from the newsroom's own pages only.")


def _read() -> Mapping[str, str]:
    """What was sent, every field a text ("" where it is missing); InvalidInput for whatever is no such object."""
    if request.mimetype not in KINDS:
        raise UnsupportedMediaType
    request.max_content_length = LARGEST_REPORT
    try:
        read = json.loads(request.get_data(cache=False), object_pairs_hook=_each_once)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("no_report", "This is no report.") from error
    if not isinstance(read, dict) or not all(isinstance(value, str) for value in read.values()):
        raise InvalidInput("no_report", "This is no report.")
    if not set(read) <= set(FIELDS):
        raise InvalidInput("no_report", "This is no report.")
    return dict.fromkeys(FIELDS, "") | {name: value.strip() for name, value in read.items()}


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("A field that came twice.")
    return dict(pairs)


@embed_bp.get("/embed/corrections.json")
@audience("machine")
def log() -> ResponseReturnValue:
    """What was corrected in one article, the last one first; an empty list for most."""
    article = clean_article(request.args.get("article", ""), queries.known_origins())
    rows = queries.corrections_of(article.key)
    return for_everybody(jsonify(article=article.address, corrections=[_in_short(row) for row in rows]))


def _in_short(passage: CorrectionPassage) -> dict[str, Any]:
    return {
        "id": passage.public_id,
        "corrected_at": passage.state_at.isoformat(),
        "before": passage.before_words,
        "after": passage.after_words,
        "url": absolute("corrections.log") + f"#{passage.public_id}",
    }
