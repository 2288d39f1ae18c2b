"""Addresses of websites, taken apart in one way: what a setting, a header and a form say is compared in one form."""

import re
from urllib.parse import SplitResult, urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}
# What an address may consist of as browsers send it: no blanks, no control characters, none of the quoting ones; and no
# half of a character, as JSON can spell it ("\\ud800"): nothing can write it down.
PLAIN = re.compile(r"[^\x00-\x20\x7f\\<>\"`{}|^\ud800-\udfff]+")


def parts_of(address: str) -> SplitResult | None:
    """An address of the web in its parts; None for anything else, and for one that names a user."""
    if not PLAIN.fullmatch(address):
        return None
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return None
    has_stranger = "@" in parts.netloc or parts.scheme not in DEFAULT_PORTS or not parts.hostname
    return None if has_stranger else parts


def origin_of(address: str) -> str | None:
    """The origin of an address as a browser says it: "https://www.example.org", with a port where it is not the usual
    one; None for what is no address of the web.
    """
    parts = parts_of(address)
    if parts is None or parts.hostname is None:
        return None
    host = parts.hostname.rstrip(".")
    try:
        host = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    host = f"[{host}]" if ":" in host else host
    port = "" if parts.port in {None, DEFAULT_PORTS[parts.scheme]} else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}" if host else None


def canonical_origin(text: str) -> str | None:
    """The origin that `text` names, and nothing but an origin; None for anything else ("null", one with a path)."""
    parts = parts_of(text)
    if parts is None or parts.path not in {"", "/"} or "?" in text or "#" in text:
        return None
    return origin_of(text)
