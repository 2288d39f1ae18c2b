"""The first page of staff: what is going on, and what needs somebody today."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from membership.front.queries import desk
from membership.front.queries.trouble import n_in_trouble
from membership.kernel import clock
from membership.operations.queries.silences import list_open_silences
from membership.web.access import audience

desk_bp = Blueprint("desk", __name__)


@desk_bp.get("/staff")
@audience("staff")
def home() -> ResponseReturnValue:
    """What waits for staff: topics, polls, failed payments."""
    return render_template(
        "front/desk.html", desk=desk(clock.now()), n_in_trouble=n_in_trouble(), silences=list_open_silences()
    )


@desk_bp.get("/staff/keys")
@audience("staff")
def keys() -> ResponseReturnValue:
    """What each key of the desk does."""
    return render_template("front/keys.html")
