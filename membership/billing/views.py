"""The one door for the provider's notices."""

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from membership.billing import inbox
from membership.kernel import clock
from membership.kernel.errors import InvalidInput
from membership.web import heartbeat
from membership.web.access import audience

bp = Blueprint("billing", __name__)


@bp.post("/stripe/webhook")
@audience("machine", rate="machine")
def stripe_webhook() -> ResponseReturnValue:
    """Store a signed notice and say 200, or 400 whatever is wrong with it; nothing else happens here."""
    raw = request.get_data(cache=False)
    try:
        inbox.receive(raw, request.headers.get("Stripe-Signature", ""))
    except InvalidInput as error:
        heartbeat.beat_seldom(error.code, clock.real_now())  # so that `membership doctor` can say what is wrong
        return Response(f"{error.code}\n", status=400, mimetype="text/plain")
    return Response("ok\n", status=200, mimetype="text/plain")
