"""Which article is meant, and whether it is one of ours: known alike to all rooms that readers of articles talk to.

Nothing is ever fetched. Pure functions of values.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode

from membership.kernel.errors import InvalidInput
from membership.kernel.origins import origin_of, parts_of

LONGEST_ADDRESS = 1000
# What letters, networks and shops add to an address so as to know who came; the article is the same without it.
TRACKING = re.compile(
    r"utm_.*|mc_[ce]id|(fb|g|dc|y|tt|msc|tw)clid|wbraid|gbraid|igshid|igsh|_ga|_gl|ref|ref_src|source|cmpid|yclid|_hs.*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Article:
    """An article: its `address`, to be opened, and the `key` under which every spelling of that address is known."""

    address: str
    key: str


def is_known_origin(header: str | None, known: Collection[str]) -> bool:
    """Whether an Origin header, to the letter, is one of these origins (canonical). "null" and none never are."""
    return header is not None and header in known


def clean_article(text: str, known: Collection[str]) -> Article:
    """The article behind an address; InvalidInput where that is not on one of the newsroom's own sites (origins).

    Dropped are what only tells who came (`TRACKING`) and the place within the page. The key also forgets the scheme,
    "www." and a slash at the end.
    """
    text = text.strip()
    if len(text) > LONGEST_ADDRESS:
        raise InvalidInput("article_too_long", "This address is too long: 1,000 characters at most.", field="article")
    parts = parts_of(text)
    if parts is None:
        raise InvalidInput(
            "article_invalid",
            "This is not the address of an article.",
            field="article",
        )
    origin = origin_of(text)
    if origin is None or origin not in known:
        raise InvalidInput("article_elsewhere", "This address is not on our own site.", field="article")
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if not _tracks(name)]
    query = "?" + urlencode(kept) if kept else ""
    # A browser writes letters beyond ASCII as percents, people who copy an address do not.
    path = quote(re.sub(r"/{2,}", "/", parts.path) or "/", safe="/%:@!$&'()*+,;=~")
    host = origin.partition("://")[2].removeprefix("www.")
    article = Article(f"{origin}{path}{query}", f"{host}{path.rstrip('/')}{query}")
    if len(article.address) > LONGEST_ADDRESS:  # written out anew, some characters take more room
        raise InvalidInput("article_too_long", "This address is too long: 1,000 characters at most.", field="article")
    return article


def find_article(text: str | None, known: Collection[str]) -> Article | None:
    """As `clean_article`, and None for whatever is no article of ours."""
    try:
        return clean_article(text or "", known)
    except InvalidInput:
        return None


def _tracks(name: str) -> bool:
    return TRACKING.fullmatch(name) is not None
