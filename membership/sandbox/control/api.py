"""The control page as JSON, under /_sandbox."""

import dataclasses
import inspect
import json
from typing import Any

from flask import Blueprint, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from membership.sandbox import books
from membership.sandbox.control import actions, dashboard
from membership.sandbox.pages import the_sandbox
from membership.sandbox.protocol.errors import ApiError
from membership.sandbox.protocol.routes import operations
from membership.sandbox.world import API_VERSION

bp = Blueprint("control_api", __name__, url_prefix="/_sandbox")


@bp.errorhandler(ApiError)
def _refused(error: ApiError) -> ResponseReturnValue:
    return jsonify(error.envelope()), error.status


def _body() -> Any:
    """The JSON that was sent, whatever it calls itself: `curl -d` says that it is a form."""
    sent = request.get_data(parse_form_data=False)
    try:
        return json.loads(sent) if sent else {}
    except ValueError:
        raise ApiError("The body is not JSON.") from None


@bp.get("/health")
def health() -> ResponseReturnValue:
    """Whether the sandbox answers, and in which version of the API."""
    return jsonify(ok=True, api_version=API_VERSION, failed_tasks=the_sandbox().timekeeper.n_failed)


@bp.get("/clock")
def clock() -> ResponseReturnValue:
    """{"now", "offset_seconds"}."""
    return jsonify(actions.clock(the_sandbox()))


@bp.post("/advance")
@bp.post("/clock")
def advance() -> ResponseReturnValue:
    """{"months", "days", "seconds"} or {"to": day or second}."""
    return jsonify(actions.advance(the_sandbox(), _body()))


@bp.post("/advance_clock")
def advance_clock() -> ResponseReturnValue:
    """{"clock", and as for /advance}: let one test clock run on."""
    return jsonify(actions.advance_clock(the_sandbox(), _body()))


@bp.get("/books")
def the_books() -> ResponseReturnValue:
    """See `books.statement`."""
    sandbox = the_sandbox()
    with sandbox.store.transaction():
        return jsonify(books.statement(sandbox.world()))


@bp.get("/events")
def events() -> ResponseReturnValue:
    """The newest events (`limit`, 50 by default, 1,000 at most) with their deliveries."""
    limit = min(max(request.args.get("limit", 50, type=int), 1), 1000)
    return jsonify(data=actions.events(the_sandbox(), limit), waiting=actions.waiting(the_sandbox()))


@bp.post("/events/<event_id>/replay")
def replay(event_id: str) -> ResponseReturnValue:
    """Send an event again."""
    return jsonify(actions.replay(the_sandbox(), event_id))


@bp.post("/deliver")
def deliver() -> ResponseReturnValue:
    """Try everything that waits, now."""
    return jsonify(actions.deliver(the_sandbox()))


@bp.get("/faults")
def faults() -> ResponseReturnValue:
    """What is ordered."""
    return jsonify(actions.faults(the_sandbox()))


@bp.post("/faults")
def order_faults() -> ResponseReturnValue:
    """A list of faults for calls, or {"calls": […], "mix": {…}, "deliveries": {…}} (see `--help`)."""
    return jsonify(actions.order_faults(the_sandbox(), _body()))


@bp.delete("/faults")
def no_faults() -> ResponseReturnValue:
    """Order none any more."""
    the_sandbox().faults.clear()
    return jsonify(actions.faults(the_sandbox()))


@bp.post("/reset")
def reset() -> ResponseReturnValue:
    """Forget everything."""
    the_sandbox().reset()
    return jsonify(actions.clock(the_sandbox()))


@bp.get("/settings")
def settings() -> ResponseReturnValue:
    """How the sandbox behaves (`settings.Settings`)."""
    return jsonify(dataclasses.asdict(the_sandbox().settings))


@bp.post("/settings")
def change_settings() -> ResponseReturnValue:
    """Change some of `settings.Settings`."""
    return jsonify(actions.change_settings(the_sandbox(), _body()))


@bp.get("/operations")
def all_operations() -> ResponseReturnValue:
    """Every call of Stripe's API that is served here."""
    return jsonify([f"{operation.method} {operation.template}" for operation in operations()])


@bp.post(f"/<any({', '.join(dashboard.ACTIONS)}):action>")
def act(action: str) -> ResponseReturnValue:
    """What somebody may do in the Dashboard; the body names the customer, charge, subscription or dispute."""
    return jsonify(dashboard.ACTIONS[action](the_sandbox(), _body()))


@bp.get("/help")
def help_() -> ResponseReturnValue:
    """Every address of this list, and what it does."""
    found = {}
    for rule in current_app.url_map.iter_rules():
        if rule.endpoint.startswith(f"{bp.name}.") and rule.endpoint != f"{bp.name}.act":
            words = inspect.getdoc(current_app.view_functions[rule.endpoint]) or ""
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                found[f"{method} {rule.rule}"] = words
    for name, action in dashboard.ACTIONS.items():
        found[f"POST {bp.url_prefix}/{name}"] = inspect.getdoc(action) or ""
    return jsonify(found)
