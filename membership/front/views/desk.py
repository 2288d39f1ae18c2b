"""The first page of staff: what is going on, and what needs somebody today."""

from flask import Blueprint, render_template
from flask.sansio.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from membership.billing.rules import KEEP_BODIES
from membership.contributions.rules.defence import SHORT
from membership.front.queries import desk
from membership.front.queries.trouble import n_in_trouble
from membership.kernel import clock
from membership.mail.rules import KEEP_ADDRESSES
from membership.operations.queries.silences import list_open_silences
from membership.web.access import audience

desk_bp = Blueprint("desk", __name__)


@desk_bp.record
def _tell_templates(state: BlueprintSetupState) -> None:
    """How long things are kept and counted, for sentences that say so."""
    kept = {"mails": KEEP_ADDRESSES.days, "notices": KEEP_BODIES.days}
    state.app.jinja_env.globals["kept_days"] = kept
    state.app.jinja_env.globals["guard_minutes"] = int(SHORT.total_seconds() // 60)


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
