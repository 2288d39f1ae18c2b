"""The demo's clock: the sandbox says how far it has moved, and the business clock follows (decision 1)."""

import hmac
from hashlib import sha256

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest, NotFound

from membership.db import set_clock_offset
from membership.kernel import clock
from membership.web import settings
from membership.web.access import audience

clock_bp = Blueprint("clock", __name__)

FRESH_SECONDS = 300
# Fifty years: further than any test needs, and still a date that every database can hold.
FURTHEST_SECONDS = 50 * 366 * 86_400


@clock_bp.post("/demo/clock")
@audience("machine")
def move() -> ResponseReturnValue:
    """Move the business clock. Signed like a webhook, and only there where no real money can be."""
    if not settings().demo or settings().is_live:
        raise NotFound
    _check_signature(request.get_data(cache=True), request.headers.get("Stripe-Signature", ""))
    body = request.get_json(silent=True)
    seconds = body.get("offset_seconds") if isinstance(body, dict) else None
    if type(seconds) is not int or not 0 <= seconds <= FURTHEST_SECONDS:
        raise BadRequest("offset_seconds must be a whole number of seconds from 0 to fifty years.")
    set_clock_offset(seconds)
    return "", 204


def _check_signature(raw: bytes, header: str) -> None:
    fields = dict(part.strip().partition("=")[::2] for part in header.split(","))
    stamp, given = fields.get("t", ""), fields.get("v1", "")
    signed = stamp.encode("utf-8", "replace") + b"." + raw
    wanted = [
        hmac.new(secret.get_secret_value().encode(), signed, sha256).hexdigest().encode()
        for secret in settings().stripe_webhook_secret
    ]
    if not any(hmac.compare_digest(one, given.encode("utf-8", "replace")) for one in wanted):
        raise BadRequest("The signature does not fit.")
    # Only who holds the secret comes this far, so the stamp is a number that the sandbox wrote.
    if abs(clock.real_now().timestamp() - int(stamp)) > FRESH_SECONDS:
        raise BadRequest("The signature is not fresh.")
