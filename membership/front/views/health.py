"""The desk's page about the installation: what is wrong, in words, and what came against what should have come."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from membership.kernel import clock
from membership.operations import rules
from membership.operations.queries.health import health
from membership.operations.queries.silences import streams
from membership.web.access import audience

health_bp = Blueprint("health", __name__)


@health_bp.get("/staff/health")
@audience("staff")
def index() -> ResponseReturnValue:
    """What the worker found when it last looked, and what is known at this moment."""
    found = streams(clock.now())
    return render_template("front/health.html", health=health(clock.real_now()), streams=found, alarm=rules)
