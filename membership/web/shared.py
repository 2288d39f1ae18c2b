"""Answers that are the same for everybody: any website may read them, and any cache in between may keep them."""

from flask import Response, request

# A change is seen after a minute; a cache may go on with what it has while it asks, and for a day while we are down.
KEPT_SHORTLY = "public, max-age=60, stale-while-revalidate=600, stale-if-error=86400"


def for_everybody(answer: Response, kept: str = KEPT_SHORTLY) -> Response:
    """`answer` with an ETag and the headers that say so; `kept` is its Cache-Control. Only for views that look at no
    session (audience "machine").
    """
    answer.headers["Cache-Control"] = kept
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    answer.add_etag()
    answer.make_conditional(request)
    return answer
