"""The pages that people see: hosted payment pages, portal, invoices, receipts, and the control page."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask, Response, redirect, render_template
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from membership.sandbox.pages.texts import TEXTS
from membership.sandbox.paths import static_dir, templates_dir
from membership.sandbox.protocol.errors import ApiError

if TYPE_CHECKING:
    from membership.sandbox.app import Sandbox

_POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action "


def create_pages(sandbox: "Sandbox") -> Flask:
    """The Flask program that serves everything but the API."""
    from membership.sandbox.control import api, views
    from membership.sandbox.pages import checkout, documents, portal

    app = Flask(
        "membership.sandbox",
        template_folder=str(templates_dir()),
        static_folder=str(static_dir()),
        static_url_path="/_sandbox/static",
    )
    app.extensions["sandbox"] = sandbox
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.config["MAX_CONTENT_LENGTH"] = 1_000_000
    for blueprint in (checkout.bp, documents.bp, portal.bp, views.bp, api.bp):
        app.register_blueprint(blueprint)
    app.register_error_handler(ApiError, _refused)
    app.register_error_handler(HTTPException, _failed)
    app.after_request(_guard)
    app.add_url_rule("/", "root", lambda: redirect("/_sandbox", HTTPStatus.SEE_OTHER))
    return app


def _refused(error: ApiError) -> tuple[str, int]:
    return message("refused", text=error.message), error.status


def _failed(error: HTTPException) -> tuple[str, int] | AnyResponse:
    if isinstance(error.response, AnyResponse):
        return error.response
    if error.code == HTTPStatus.NOT_FOUND:
        return message("missing"), HTTPStatus.NOT_FOUND
    return message("refused", text=error.description or error.name), error.code or HTTPStatus.INTERNAL_SERVER_ERROR


def message(kind: str, language: str = "en", **more: Any) -> str:
    """A page that only says something; `kind` names its texts."""
    return render_template("sandbox/message.html", t=TEXTS[language], lang=language, kind=kind, **more)


def _guard(response: Response) -> Response:
    """The headers that every page carries; `allow_forms` may have widened where forms lead."""
    targets = response.headers.pop("X-Form-Targets", "")
    response.headers["Content-Security-Policy"] = _POLICY + " ".join(["'self'", *targets.split()])
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    if not response.headers.get("Cache-Control") and response.mimetype == "text/html":
        response.headers["Cache-Control"] = "no-store"
    return response


def allow_forms(response: Response, addresses: Sequence[str | None]) -> Response:
    """Let the forms of a page lead on to these addresses: browsers hold redirects to the policy as well."""
    origins = {f"{p.scheme}://{p.netloc}" for a in addresses if a and (p := urlsplit(a)).netloc}
    response.headers["X-Form-Targets"] = " ".join(sorted(origins))
    return response
