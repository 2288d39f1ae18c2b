"""What the newsroom's own pages tell of appeals: how often one was seen and used, and nothing of who did.

Taken from any origin, since everybody may tell and nobody is told anything. No cookie is looked at and none is set, and
the address of the network is used by the brake only. What this costs: whoever wants to can tell things that are not so.
Neither money nor a right hangs on these numbers, and contributions are counted from the books.
"""

from functools import lru_cache

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from membership.appeals.rules.batches import LARGEST_BATCH, Batch, believed, is_program, read_batch
from membership.appeals.services.collecting import collector
from membership.appeals.services.counting import Received
from membership.kernel import clock
from membership.kernel.errors import InvalidInput
from membership.kernel.places import find_article
from membership.web import settings
from membership.web.access import audience
from membership.web.sites import known_origins

events_bp = Blueprint("appeal_events", __name__)

EVENTS = "/embed/events"


@events_bp.after_request
def _let_anybody_send(answer: Response) -> Response:
    """An answer says nothing, but a browser would note in its console that a page may not read it."""
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    answer.headers["Cache-Control"] = "no-store"
    return answer


@events_bp.post(EVENTS, provide_automatic_options=False)
@audience("machine", rate="events")
def tell() -> ResponseReturnValue:
    """Take a batch of events: `rules.batches`. Nothing is asked of the database here, mostly."""
    batch = _read()
    if not is_program(request.user_agent.string):
        key = _key_of(batch.article, known_origins())
        events = believed(batch.events, settings().appeal_views_one_of)
        collector().take(Received(batch.batch_id, key, events, clock.now(), clock.real_now()))
    return "", 204


@lru_cache(maxsize=1024)
def _key_of(article: str, known: frozenset[str]) -> str:
    """Under which key an article is counted; "" where it is none of ours. Kept, since most tell of the same few."""
    found = find_article(article, known)
    return found.key if found else ""


def _read() -> Batch:
    if request.mimetype != "text/plain":
        raise UnsupportedMediaType
    request.max_content_length = LARGEST_BATCH
    try:
        return read_batch(request.get_data(cache=False))
    except InvalidInput as error:
        raise BadRequest from error
