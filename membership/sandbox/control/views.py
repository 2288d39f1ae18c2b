"""The control page, for people."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, redirect, render_template, request
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response as AnyResponse

from membership.sandbox import books
from membership.sandbox.control import actions
from membership.sandbox.cycle import ENDED, period
from membership.sandbox.kinds import KINDS, Obj
from membership.sandbox.money import written
from membership.sandbox.pages import the_sandbox
from membership.sandbox.pages.texts import TEXTS
from membership.sandbox.protocol.errors import ApiError
from membership.sandbox.world import API_VERSION

bp = Blueprint("control", __name__, url_prefix="/_sandbox")
_SHOWN = 30


@bp.app_template_filter("moment")
def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


@bp.app_template_filter("span")
def _span(seconds: int) -> str:
    days, rest = divmod(seconds, 86400)
    return f"{days} days and {rest // 3600} hours" if days else f"{rest // 60} minutes"


@bp.app_template_filter("money")
def _money(amount: int, currency: str) -> str:
    return written(amount, currency)


@bp.get("", strict_slashes=False)
def show() -> str:
    """Everything on one page."""
    sandbox = the_sandbox()
    with sandbox.store.transaction():
        world = sandbox.world()
        subs = sandbox.store.find(KINDS["subscription"], {}, limit=_SHOWN)
        charges = sandbox.store.find(KINDS["charge"], {}, limit=_SHOWN)
        return render_template(
            "sandbox/control.html",
            t=TEXTS["en"],
            lang="en",
            clock=actions.clock(sandbox),
            books={"totals": books.totals(world)},
            subs=[_subscription(sub) for sub in subs],
            charges=[_charge(charge) for charge in charges],
            events=actions.events(sandbox, _SHOWN),
            waiting=actions.waiting(sandbox),
            n_call_faults=len(sandbox.faults.calls),
            delivery_faults=sandbox.faults.deliveries,
            api_version=API_VERSION,
            said=request.args.get("said"),
            problem=request.args.get("problem"),
        )


def _subscription(sub: Obj) -> Obj:
    customer = the_sandbox().store.get(sub["customer"]) or {}
    return {
        "id": sub["id"],
        "customer": sub["customer"],
        "email": customer.get("email") or sub["customer"],
        "amount": sum(i["price"]["unit_amount"] * i["quantity"] for i in sub["items"]["data"]),
        "currency": sub["currency"],
        "status": sub["status"],
        "until": period(sub)[1],
        "ends": sub["cancel_at"] if sub["status"] not in ENDED else None,
        "ended": sub["status"] in ENDED,
        "fails_next": customer.get("_fail_next", False),
    }


def _charge(charge: Obj) -> Obj:
    found = the_sandbox().store.find(KINDS["dispute"], {"charge": charge["id"]}) if charge["disputed"] else []
    return dict(charge) | {"disputes": [d["id"] for d in found if d["status"] in {"needs_response", "under_review"}]}


def _advance(form: Obj) -> str:
    wanted = (
        {name: int(form.get(name) or 0) for name in ("months", "days")} if not form.get("to") else {"to": form["to"]}
    )
    return f"It is now {_moment(actions.advance(the_sandbox(), wanted)['now'])}."


def _faults(form: Obj) -> str:
    try:
        wanted = json.loads(form.get("script", ""))
    except ValueError as error:
        raise ApiError(f"That is not JSON: {error}") from None
    actions.order_faults(the_sandbox(), wanted)
    return "The faults are ordered."


def _no_faults(_form: Obj) -> str:
    the_sandbox().faults.clear()
    return "No faults are ordered any more."


def _reset(_form: Obj) -> str:
    the_sandbox().reset()
    return "Everything is forgotten."


_DO: dict[str, Callable[[Obj], str]] = {
    "advance": _advance,
    "faults": _faults,
    "no_faults": _no_faults,
    "reset": _reset,
    "deliver": lambda _: f"{actions.deliver(the_sandbox())['waiting']} deliveries are tried now.",
    "replay": lambda form: f"Sent again to {actions.replay(the_sandbox(), form['event'])['endpoints']} endpoints.",
    "fail_next": lambda form: f"The next payment of {actions.fail_next(the_sandbox(), form)['customer']} will fail.",
    "refund": lambda form: f"Refunded: {actions.refund(the_sandbox(), form)['id']}.",
    "cancel_subscription": lambda form: f"Ended: {actions.cancel_subscription(the_sandbox(), form)['id']}.",
    "dispute": lambda form: f"Disputed: {actions.dispute(the_sandbox(), form)['id']}.",
    "decide": lambda form: f"Decided: {actions.decide(the_sandbox(), form)['status']}.",
}


@bp.post("/do/<action>")
def do(action: str) -> AnyResponse:
    """Do what a button of the page says, and come back to it with a sentence.

    Only forms of this page count: another site must not move the clock of somebody's demo.
    """
    origin = request.headers.get("Origin")
    if origin not in {None, "null"} and urlsplit(str(origin)).netloc != request.host:
        raise Forbidden
    if action not in _DO:
        raise ApiError(f"There is no such action: {action}", status=404)
    try:
        answer = {"said": _DO[action](request.form.to_dict())}
    except ApiError as error:
        answer = {"problem": error.message}
    return redirect(f"/_sandbox?{urlencode(answer)}", HTTPStatus.SEE_OTHER)
