"""The customer portal: what runs, stopping it, the card, the invoices."""

from datetime import UTC, datetime
from http import HTTPStatus

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from membership.sandbox import cycle
from membership.sandbox.kinds import KINDS, Obj
from membership.sandbox.money import written
from membership.sandbox.pages import day, forms, language_of, the_sandbox
from membership.sandbox.pages.texts import TEXTS
from membership.sandbox.protocol.errors import ApiError
from membership.sandbox.resources import customers, payment_methods, subscriptions
from membership.sandbox.web import allow_forms
from membership.sandbox.world import World

bp = Blueprint("portal", __name__)


def _session(secret: str) -> tuple[World, Obj]:
    sandbox = the_sandbox()
    found = sandbox.store.find(KINDS["billing_portal.session"], {"secret": secret}, limit=1)
    if not found or found[0]["_until"] < sandbox.clock.now():
        raise NotFound
    world = sandbox.world()
    world.need("customer", found[0]["customer"], "customer")
    return world, found[0]


@bp.get("/p/session/<secret>")
def show(secret: str) -> AnyResponse:
    """The overview."""
    with the_sandbox().store.transaction():
        world, session = _session(secret)
        return _page(world, session, secret, forms.CardForm({"email": "", "billingName": ""}))


def _page(world: World, session: Obj, secret: str, form: forms.CardForm, status: int = HTTPStatus.OK) -> Response:
    language = language_of(session["locale"])
    customer = world.need("customer", session["customer"], "customer")
    configuration = world.store.get(session["configuration"]) or {"features": {}}
    live = [
        s for s in world.store.find(subscriptions.KIND, {"customer": customer["id"]}) if s["status"] not in cycle.ENDED
    ]
    invoices = world.store.find(KINDS["invoice"], {"customer": customer["id"]}, limit=12)
    default = world.store.get(customer["invoice_settings"]["default_payment_method"]) or (
        world.store.get(live[0]["default_payment_method"]) if live else None
    )
    page = render_template(
        "sandbox/portal.html",
        t=TEXTS[language],
        lang=language,
        account=world.settings.account_name,
        base=f"/p/session/{secret}",
        action=f"/p/session/{secret}/card",
        button=TEXTS[language]["portal_save_card"],
        features=configuration["features"],
        subs=[_shown(world, sub, language) for sub in live],
        invoices=[
            (
                i["number"] or "–",
                day(i["created"], language),
                written(i["total"], i["currency"], language),
                i["status"],
                f"/i/{i['id']}",
            )
            for i in invoices
        ],
        last4=default[default["type"]]["last4"] if default else None,
        form=form,
        saved=request.args.get("saved"),
        back=session["return_url"],
    )
    return allow_forms(make_response(page, status), [session["return_url"]])


def _shown(world: World, sub: Obj, language: str) -> dict[str, object]:
    texts, item = TEXTS[language], sub["items"]["data"][0]
    recurring = item["price"]["recurring"]
    many = recurring["interval_count"] > 1
    latest = world.store.get(sub["latest_invoice"])
    return {
        "id": sub["id"],
        "tone": "good" if sub["status"] in {"active", "trialing"} else "bad",
        "unpaid": f"/i/{latest['id']}" if latest and latest["status"] == "open" else None,
        "is_paused": sub["status"] == "paused",
        "may_pause": sub["status"] in {"active", "trialing", "past_due"},
        "lapsed": cycle.period(sub)[1] <= world.now,
        "amount": written(item["price"]["unit_amount"] * item["quantity"], sub["currency"], language),
        "rhythm": texts[("every_" if many else "per_") + recurring["interval"]].format(n=recurring["interval_count"]),
        "status": texts["status_" + sub["status"]],
        "until": day(cycle.period(sub)[1], language),
        "ends": day(sub["cancel_at"], language) if sub["cancel_at"] else None,
    }


@bp.post("/p/session/<secret>/cancel/<sub_id>")
def cancel(secret: str, sub_id: str) -> AnyResponse:
    """Stop a subscription as the configuration says, or take that back (`undo`)."""
    with the_sandbox().store.transaction():
        world, sub, wanted = _theirs(secret, sub_id, "subscription_cancel")
        if request.form.get("undo"):
            subscriptions.update(world, {"cancel_at_period_end": False}, sub)
        elif wanted["mode"] == "immediately":
            subscriptions.cancel(world, {}, sub)
        else:
            subscriptions.update(world, {"cancel_at_period_end": True}, sub)
    return redirect(f"/p/session/{secret}?saved=1", HTTPStatus.SEE_OTHER)


def _theirs(secret: str, sub_id: str, feature: str) -> tuple[World, Obj, Obj]:
    """A subscription of the session's customer, and how the configuration offers a feature; 404 where it does not."""
    world, session = _session(secret)
    sub = world.need(subscriptions.KIND, sub_id, "subscription")
    configuration = world.store.get(session["configuration"])
    wanted: Obj = (configuration or {"features": {}})["features"].get(feature, {"enabled": False})
    if sub["customer"] != session["customer"] or not wanted["enabled"]:
        raise NotFound
    return world, sub, wanted


@bp.post("/p/session/<secret>/pause/<sub_id>")
def pause(secret: str, sub_id: str) -> AnyResponse:
    """Pause a subscription on demand, or go on (`resume`), which charges a new period where the old one is over."""
    with the_sandbox().store.transaction():
        world, sub, _wanted = _theirs(secret, sub_id, "subscription_pause")
        if request.form.get("resume"):
            subscriptions.resume(world, {}, sub)
        else:
            subscriptions.pause(world, {}, sub)
    return redirect(f"/p/session/{secret}?saved=1", HTTPStatus.SEE_OTHER)


@bp.post("/p/session/<secret>/card")
def card(secret: str) -> AnyResponse:
    """Save another card as the customer's default, and for everything that runs."""
    with the_sandbox().store.transaction():
        world, session = _session(secret)
        today = datetime.fromtimestamp(world.now, UTC)
        form = forms.read(
            request.form, now_year_month=(today.year, today.month), email_wanted=False, debit_offered=False
        )
        if form.errors or form.card is None:
            return _page(world, session, secret, form, HTTPStatus.UNPROCESSABLE_ENTITY)
        customer = world.need("customer", session["customer"], "customer")
        method = payment_methods.make(world, form.card, name=form.name, expires=form.expires)
        try:
            payment_methods.attach_to(world, method, customer)
        except ApiError:
            form.errors["cardNumber"] = form.card.decline or "generic_decline"
            return _page(world, session, secret, form, HTTPStatus.PAYMENT_REQUIRED)
        customers.update(world, {"invoice_settings": {"default_payment_method": method["id"]}}, customer)
        for sub in world.store.find(subscriptions.KIND, {"customer": customer["id"]}):
            if sub["status"] not in cycle.ENDED:
                subscriptions.update(world, {"default_payment_method": method["id"]}, sub)
    return redirect(f"/p/session/{secret}?saved=1", HTTPStatus.SEE_OTHER)
