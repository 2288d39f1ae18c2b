"""What machines ask: is the process alive, is the installation ready, how much of what has happened.

Balancers that only choose between web processes ask `/healthz`; `/readyz` speaks of the whole installation.
"""

import hmac

from flask import Blueprint, Response, request
from prometheus_client import CONTENT_TYPE_LATEST
from werkzeug.exceptions import NotFound, Unauthorized

from membership.kernel import clock
from membership.operations.queries.measurements import write_metrics
from membership.operations.queries.readiness import check_all
from membership.web import settings
from membership.web.access import audience

operations_bp = Blueprint("operations", __name__)


@operations_bp.after_request
def _never_keep(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer


@operations_bp.get("/healthz")
@audience("machine", rate="machine")
def healthz() -> Response:
    """Say that this process answers. Asks nobody else, not even the database."""
    return Response("ok\n", content_type="text/plain; charset=utf-8")


@operations_bp.get("/readyz")
@audience("machine", rate="machine")
def readyz() -> tuple[dict[str, object], int]:
    """Every check with a sentence; 503 where one of them failed that says whether this machine can serve."""
    checks = check_all(clock.real_now())
    is_ready = all(check.is_ok or check.is_for_people for check in checks)
    told = [{"name": check.name, "ok": check.is_ok, "says": check.sentence} for check in checks]
    return {"ready": is_ready, "checks": told}, 200 if is_ready else 503


@operations_bp.get("/metrics")
@audience("machine", rate="machine")
def metrics() -> Response:
    """Prometheus' text format, for who sends METRICS_TOKEN as a bearer token; open in the demo only.

    The figures of a newsroom are its own affair: without a token there is no such page.
    """
    wanted = settings().metrics_token
    if wanted is None and not settings().demo:
        raise NotFound
    if wanted is not None:
        sent = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
        if not hmac.compare_digest(sent, wanted.get_secret_value().encode()):
            raise Unauthorized(www_authenticate=None)
    return Response(write_metrics(clock.real_now()), content_type=CONTENT_TYPE_LATEST)
