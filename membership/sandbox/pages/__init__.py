"""The hosted pages: what a payer sees. They work without a script."""

from typing import TYPE_CHECKING, cast

from flask import current_app, request

if TYPE_CHECKING:
    from membership.sandbox.app import Sandbox


def the_sandbox() -> "Sandbox":
    """The sandbox that serves this page."""
    return cast("Sandbox", current_app.extensions["sandbox"])


def language_of(locale: str | None) -> str:
    """The language of a page: that of the session, else what the browser prefers out of English and Ukrainian."""
    if locale and locale != "auto":
        return "uk" if locale.startswith("uk") else "en"
    return request.accept_languages.best_match(["en", "uk"]) or "en"
