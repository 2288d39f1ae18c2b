"""Whether what an appeal calls its article is a story whose address we know. Pure functions of values."""

from collections.abc import Iterable
from urllib.parse import unquote

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
    # By hand: a parser of addresses refuses some that people type.
    place = name.partition("://")[2] or name
    text = unquote(place.partition("?")[0].partition("#")[0]).casefold().strip().strip("/").removeprefix("www.")
    for end in PAGE_ENDS:
        text = text.removesuffix(end)
    return text
