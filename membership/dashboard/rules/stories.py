"""Whether what an appeal calls its article is a story whose address we know. Pure functions of values."""

from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

PAGE_ENDS = (".html", ".htm", ".php")


def names_of(addresses: Iterable[str]) -> frozenset[str]:
    """Every name by which an appeal may call the stories at these addresses: the whole address, or any end of it that
    begins after a slash. Of https://example.org/news/port that is example.org/news/port, news/port and port.
    """
    found = set()
    for address in addresses:
        parts = plain(address).split("/")
        found |= {"/".join(parts[at:]) for at in range(len(parts))}
    return frozenset(found - {""})


def plain(name: str) -> str:
    """A name or address of an article as it is compared: without scheme, www, query, slashes at its ends and .html; in
    small letters.
    """
    parts = urlsplit(name.strip() if "://" in name else f"//{name.strip().lstrip('/')}")
    text = unquote(f"{parts.netloc}{parts.path}").casefold().removeprefix("www.").strip("/")
    for end in PAGE_ENDS:
        text = text.removesuffix(end)
    return text
