"""What everybody reads: the log of corrections, and its feed."""

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue

from membership.corrections import queries
from membership.corrections.rules import State
from membership.kernel import clock
from membership.web.access import audience
from membership.web.links import absolute

bp = Blueprint("corrections", __name__)

SHOWN = 20
IN_A_FEED = 50
FEED_KEPT_SECONDS = 300


@bp.get("/corrections")
@audience("public")
def log() -> ResponseReturnValue:
    """What the newsroom corrected, the last one first."""
    page = queries.list_in(State.FIXED, SHOWN, request.args.get("before", ""))
    return render_template("corrections/log.html", page=page, is_open=bool(queries.known_origins()))


@bp.get("/corrections/feed.atom")
@audience("public")
def feed() -> ResponseReturnValue:
    """The latest corrections, as an Atom feed (RFC 4287)."""
    rows = queries.list_in(State.FIXED, IN_A_FEED).rows
    answer = make_response(
        render_template(
            "corrections/feed.xml",
            rows=rows,
            page_url=absolute("corrections.log"),
            feed_url=absolute("corrections.feed"),
            updated=rows[0].state_at if rows else clock.now(),
        )
    )
    answer.mimetype = "application/atom+xml"
    answer.headers["Cache-Control"] = f"public, max-age={FEED_KEPT_SECONDS}"
    answer.add_etag()
    answer.make_conditional(request)
    return answer
