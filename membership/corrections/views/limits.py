"""How many reports are taken, by whichever way they come."""

from flask import request

from membership.web import ratelimit


def count_one() -> None:
    """Count one report; TooMany where there were enough of them. Outside any transaction."""
    here = ratelimit.origin()
    network = ratelimit.network_of(request.remote_addr or "")
    ratelimit.hit_all(("corrections.origin", here), ("corrections.network", network), ("corrections.total",))
