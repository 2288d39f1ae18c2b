"""The hosted Checkout page at a session's `url`."""

from datetime import UTC, datetime
from http import HTTPStatus

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from membership.sandbox import cards, checkout
from membership.sandbox.checkout import Outcome, Typed, success_address
from membership.sandbox.kinds import Obj
from membership.sandbox.money import written
from membership.sandbox.pages import forms, language_of, the_sandbox
from membership.sandbox.pages.texts import TEXTS
from membership.sandbox.web import allow_forms, message

bp = Blueprint("checkout", __name__)


def _open(session_id: str) -> Obj:
    session = the_sandbox().store.get(session_id)
    if session is None or session["object"] != "checkout.session":
        raise NotFound
    return session


@bp.get("/c/pay/<session_id>")
def show(session_id: str) -> AnyResponse:
    """The form; a session that is complete leads on, an expired one says so."""
    with the_sandbox().store.transaction():
        session = _open(session_id)
        return _closed(session) or _form(session, forms.CardForm({"email": "", "billingName": ""}))


@bp.post("/c/pay/<session_id>")
def pay(session_id: str) -> AnyResponse:
    """Pay with what was typed. A second submit finds the session complete and only leads on."""
    sandbox = the_sandbox()
    with sandbox.store.transaction():
        session = _open(session_id)
        closed = _closed(session)
        if closed is not None:
            return closed
        world = sandbox.world()
        world.follow(session)
        today = datetime.fromtimestamp(world.now, UTC)
        form = forms.read(
            request.form,
            now_year_month=(today.year, today.month),
            email_wanted=not _known_email(session),
            debit_offered="sepa_debit" in session["payment_method_types"],
        )
        if form.errors or form.card is None:
            return _form(session, form, HTTPStatus.UNPROCESSABLE_ENTITY)
        outcome = checkout.pay(world, session, Typed(form.email, form.name, form.card, form.expires))
        if outcome.kind == "declined":
            form.errors["cardNumber"] = outcome.reason
        return _after(session, outcome, form)


def _after(session: Obj, outcome: Outcome, form: forms.CardForm) -> AnyResponse:
    if outcome.kind == "done":
        return redirect(success_address(session), HTTPStatus.SEE_OTHER)
    if outcome.kind == "confirm":
        return redirect(f"/c/pay/{session['id']}/confirm", HTTPStatus.SEE_OTHER)
    return _form(session, form, HTTPStatus.PAYMENT_REQUIRED)


@bp.get("/c/pay/<session_id>/confirm")
def show_confirm(session_id: str) -> AnyResponse:
    """The bank's question (3-D Secure)."""
    with the_sandbox().store.transaction():
        session = _open(session_id)
        if session["status"] != "open" or not session["_method"]:
            return redirect(f"/c/pay/{session_id}", HTTPStatus.SEE_OTHER)
        language = language_of(session["locale"])
        page = render_template("sandbox/confirm.html", t=TEXTS[language], lang=language, **_summary(session, language))
        return allow_forms(make_response(page), [session["success_url"]])


@bp.post("/c/pay/<session_id>/confirm")
def confirm(session_id: str) -> AnyResponse:
    """The answer to it: the payment goes through, or the card counts as refused."""
    sandbox = the_sandbox()
    with sandbox.store.transaction():
        session = _open(session_id)
        closed = _closed(session)
        method = sandbox.store.get(session["_method"])
        if closed is not None:
            return closed
        details = session["customer_details"] or {}
        form = forms.CardForm({"email": details.get("email") or "", "billingName": details.get("name") or ""})
        if method is None:
            return _form(session, form)
        session["_method"] = None
        if request.form.get("decision") != "yes":
            form.errors["cardNumber"] = "not_confirmed"
            return _form(session, form, HTTPStatus.PAYMENT_REQUIRED)
        expires = (method["card"]["exp_month"], method["card"]["exp_year"])
        typed = Typed(form.email, form.name, cards.Card(**method["_card"]), expires)
        outcome = checkout.pay(sandbox.world(), session, typed, confirmed=True, method=method)
        if outcome.kind == "declined":
            form.errors["cardNumber"] = outcome.reason
        return _after(session, outcome, form)


def _closed(session: Obj) -> AnyResponse | None:
    """What a session that is no longer open answers; None for an open one."""
    if session["status"] == "complete":
        return redirect(success_address(session), HTTPStatus.SEE_OTHER)
    if session["status"] == "expired":
        account = the_sandbox().settings.account_name
        page = message("expired", language_of(session["locale"]), back=session["cancel_url"], account=account)
        return make_response(page, HTTPStatus.GONE)
    return None


def _known_email(session: Obj) -> str | None:
    customer = the_sandbox().store.get(session["customer"])
    return session["customer_email"] or (customer.get("email") if customer else None)


def _summary(session: Obj, language: str) -> dict[str, object]:
    """What is being paid: amount and rhythm in words, and the lines."""
    texts = TEXTS[language]
    recurring = next((line["price"]["recurring"] for line in session["_lines"] if line["price"]["recurring"]), None)
    rhythm = ""
    if recurring:
        many = recurring["interval_count"] > 1
        rhythm = texts[("every_" if many else "per_") + recurring["interval"]].format(n=recurring["interval_count"])
    total = session["amount_total"]
    amount = written(total, session["currency"], language) if total is not None and session["currency"] else None
    verb = "save" if session["mode"] == "setup" else (session["submit_type"] or "auto")
    verb = {"auto": "subscribe" if recurring else "pay"}.get(verb, verb)
    return {
        "account": the_sandbox().settings.account_name,
        "amount": amount,
        "rhythm": rhythm,
        "mode": session["mode"],
        "lines": [
            (line["description"], written(line["amount_total"], line["currency"], language), line["quantity"])
            for line in session["_lines"]
        ],
        "button": texts["button_" + verb].format(amount=f"{amount or ''} {rhythm}".strip()),
        "cancel_url": session["cancel_url"],
    }


def _form(session: Obj, form: forms.CardForm, status: int = HTTPStatus.OK) -> Response:
    language = language_of(session["locale"])
    page = render_template(
        "sandbox/checkout.html",
        t=TEXTS[language],
        lang=language,
        action=f"/c/pay/{session['id']}",
        form=form,
        known_email=_known_email(session),
        debit="sepa_debit" in session["payment_method_types"],
        **_summary(session, language),
    )
    return allow_forms(make_response(page, status), [session["success_url"]])
