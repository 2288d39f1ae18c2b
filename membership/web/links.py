"""Addresses of our own pages. The host comes from PUBLIC_URL, never from a request (security.md S10, S19)."""

from typing import Any
from urllib.parse import unquote, urlsplit

from flask import current_app
from werkzeug.exceptions import HTTPException

from membership.web import settings

LONGEST_PLACE = 600


def absolute(endpoint: str, **values: Any) -> str:
    """The full address of a page, for mails and for other companies; works with and without a request."""
    parts = urlsplit(settings().public_url)
    adapter = current_app.url_map.bind(parts.netloc, url_scheme=parts.scheme)
    return adapter.build(endpoint, values, force_external=True)


def own_place(text: str | None) -> str | None:
    r"""`text` if it is the path (and query) of a page of ours that can be read, else None.

    The router decides; what is no plain path from the root (`//host`, `/\host`, `https:host`, control
    characters, also percent-encoded) is refused before it is asked.
    """
    if not text or len(text) > LONGEST_PLACE or not text.startswith("/"):
        return None
    path, _, query = text.partition("?")
    plain = unquote(path)
    if plain.startswith("//") or "\\" in plain or not plain.isprintable() or " " in plain:
        return None
    if not query.isprintable() or "#" in text or " " in query:
        return None
    try:
        current_app.url_map.bind(urlsplit(settings().public_url).netloc).match(plain, method="GET")
    except HTTPException:
        return None
    return text
