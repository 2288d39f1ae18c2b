"""The hosted pages: what a payer sees. They work without a script."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from babel.dates import format_date
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


def day(moment: int, language: str) -> str:
    """A day in words, such as "22 January 2027" (UTC)."""
    locale = {"en": "en_GB"}.get(language, language)
    return format_date(datetime.fromtimestamp(moment, UTC), "long", locale=locale)
