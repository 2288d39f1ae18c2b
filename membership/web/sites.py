"""The newsroom's own websites, on which its articles are."""

from membership.kernel.origins import origin_of
from membership.web import settings


def known_origins() -> frozenset[str]:
    """The origins of SITE_ORIGINS, as browsers say them. In the demo its one article is on this site."""
    known = settings()
    own = {origin_of(known.public_url)} if known.demo else set()
    return frozenset(known.site_origins) | frozenset(origin for origin in own if origin)
