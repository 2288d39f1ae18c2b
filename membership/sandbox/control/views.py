"""The control page, for people."""

import json
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, redirect, render_template, request
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response as AnyResponse

from membership.sandbox import books
from membership.sandbox.control import actions, dashboard, shown
from membership.sandbox.faults import CALL_FAULTS, DELIVERY_FAULTS
from membership.sandbox.kinds import KINDS, Obj
from membership.sandbox.money import written
from membership.sandbox.pages import the_sandbox
from membership.sandbox.pages.texts import TEXTS
from membership.sandbox.protocol.errors import ApiError
from membership.sandbox.world import API_VERSION

bp = Blueprint("control", __name__, url_prefix="/_sandbox")
_FEW, _MANY = 8, 200

for _name, _filter in shown.FILTERS.items():
    bp.add_app_template_filter(_filter, _name)


@bp.get("", strict_slashes=False)
def show() -> str:
    """Everything on one page: the newest of each kind, or many of them with `?all=1`."""
    sandbox = the_sandbox()
    limit = _MANY if request.args.get("all") else _FEW
    with sandbox.store.transaction():
        world, find = sandbox.world(), sandbox.store.find
        return render_template(
            "sandbox/control.html",
            t=TEXTS["en"],
            lang="en",
            clock=actions.clock(sandbox),
            test_clocks=find(KINDS["test_helpers.test_clock"], {}, limit=limit),
            books={"totals": books.totals(world)},
            subs=[shown.subscription(world, sub) for sub in find(KINDS["subscription"], {}, limit=limit)],
            charges=[shown.charge(world, charge) for charge in find(KINDS["charge"], {}, limit=limit)],
            events=actions.events(sandbox, limit),
            waiting=actions.waiting(sandbox),
            endpoints=sandbox.endpoints(),
            ordered=actions.faults(sandbox),
            call_faults=CALL_FAULTS,
            delivery_faults=DELIVERY_FAULTS,
            settings=sandbox.settings,
            limit=limit,
            few=_FEW,
            api_version=API_VERSION,
            said=request.args.get("said"),
            problem=request.args.get("problem"),
        )


def _advance(form: Obj) -> str:
    return f"It is now {shown.moment(actions.advance(the_sandbox(), _far(form))['now'])} UTC."


def _far(form: Obj) -> Obj:
    if form.get("to"):
        return {"to": form["to"]}
    return {name: _number(form, name) or 0 for name in ("months", "days")}


def _number(form: Obj, name: str) -> int | None:
    """A whole number that was typed; None for an empty field."""
    typed = str(form.get(name, "")).strip()
    try:
        return int(typed) if typed else None
    except ValueError:
        raise ApiError(f"Not a whole number: {typed}", param=name) from None


def _share(form: Obj, name: str) -> float:
    """A share that was typed in percent."""
    try:
        return float(form.get(name) or 0) / 100
    except ValueError:
        raise ApiError(f"Not a number: {form[name]}", param=name) from None


def _advance_clock(form: Obj) -> str:
    actions.advance_clock(the_sandbox(), {"clock": form["clock"], **_far(form)})
    return "The test clock runs on; a reload shows where it has come."


def _one_fault(form: Obj) -> str:
    fault = {name: form.get(name, "") for name in ("match", "do")} | {"times": _number(form, "times") or 1}
    actions.order_faults(the_sandbox(), [fault])
    return "The fault is ordered."


def _mixed_calls(form: Obj) -> str:
    shares = {name: share for name in CALL_FAULTS if (share := _share(form, name))}
    mix = {"seed": _number(form, "seed") or 0, "match": form.get("match") or "* /v1/*", "shares": shares}
    actions.order_faults(the_sandbox(), {"mix": mix})
    return "The mixture for calls is ordered."


def _mixed_deliveries(form: Obj) -> str:
    shares = {name: _share(form, name) for name in DELIVERY_FAULTS}
    late = {"delay_seconds": _number(form, "delay_seconds") or 0}
    actions.order_faults(the_sandbox(), {"deliveries": {"seed": _number(form, "seed") or 0, **shares, **late}})
    return "The mixture for deliveries is ordered."


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


def _settings(form: Obj) -> str:
    try:
        days = [int(day) for day in form.get("retry_days", "").replace(",", " ").split()]
    except ValueError:
        raise ApiError("Days are whole numbers with commas between them, such as 3, 5, 7.") from None
    names = ("after_retries", "webhook_retries")
    wanted = {name: form[name] for name in names} | {"debit_days": _number(form, "debit_days") or 0}
    actions.change_settings(the_sandbox(), wanted | {"retry_days": days})
    return "The settings are kept."


def _reset(_form: Obj) -> str:
    the_sandbox().reset()
    return "Everything is forgotten."


def _refund(form: Obj) -> str:
    amount = _number(form, "amount")
    made = dashboard.refund(the_sandbox(), {"charge": form.get("charge")} | ({"amount": amount} if amount else {}))
    return f"Refunded {written(made['amount'], made['currency'])}."


def _edit(form: Obj) -> str:
    wanted: Obj = {
        name: form[name] for name in ("subscription", "proration_behavior", "pause_collection") if name in form
    }
    wanted |= {name: form[name] == "1" for name in ("cancel_at_period_end", "paused") if name in form}
    if "amount" in form:
        wanted["amount"] = _number(form, "amount")
    return f"The subscription is {dashboard.edit_subscription(the_sandbox(), wanted)['status']} and changed."


_DO: dict[str, Callable[[Obj], str]] = {
    "advance": _advance,
    "advance_clock": _advance_clock,
    "one_fault": _one_fault,
    "mixed_calls": _mixed_calls,
    "mixed_deliveries": _mixed_deliveries,
    "faults": _faults,
    "no_faults": _no_faults,
    "settings": _settings,
    "reset": _reset,
    "refund": _refund,
    "edit_subscription": _edit,
    "deliver": lambda _: f"{actions.deliver(the_sandbox())['waiting']} deliveries are tried now.",
    "replay": lambda form: f"Sent again to {actions.replay(the_sandbox(), form['event'])['endpoints']} endpoints.",
    "fail_next": lambda form: f"The next payment of {dashboard.fail_next(the_sandbox(), form)['customer']} will fail.",
    "cancel_subscription": lambda form: f"Ended: {dashboard.cancel_subscription(the_sandbox(), form)['id']}.",
    "delete_customer": lambda form: f"Deleted: {dashboard.delete_customer(the_sandbox(), form)['id']}.",
    "dispute": lambda form: f"Disputed: {dashboard.dispute(the_sandbox(), form)['id']}.",
    "dispute_step": lambda form: f"The dispute is {dashboard.dispute_step(the_sandbox(), form)['status']} now.",
}


@bp.post("/do/<action>")
def do(action: str) -> AnyResponse:
    """Do what a button of the page says, and come back to its section with a sentence.

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
