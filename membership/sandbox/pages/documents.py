"""Invoices and receipts for the payer, and the bank's question for intents that the API made."""

from datetime import UTC, datetime
from http import HTTPStatus

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from membership.sandbox import collection, invoicing
from membership.sandbox.kinds import Obj
from membership.sandbox.money import written
from membership.sandbox.pages import day, forms, language_of, the_sandbox
from membership.sandbox.pages.pdf import one_page
from membership.sandbox.pages.texts import TEXTS
from membership.sandbox.resources import payment_methods, setup_intents
from membership.sandbox.web import message

bp = Blueprint("documents", __name__)


def _find(object_id: str, *kinds: str) -> Obj:
    found = the_sandbox().store.get(object_id)
    if found is None or found["object"] not in kinds:
        raise NotFound
    return found


@bp.get("/i/<invoice_id>")
def invoice(invoice_id: str) -> AnyResponse:
    """An invoice; an open one can be paid here."""
    with the_sandbox().store.transaction():
        return _invoice(_find(invoice_id, "invoice"), forms.CardForm({"email": "", "billingName": ""}))


def _invoice(found: Obj, form: forms.CardForm, status: int = HTTPStatus.OK) -> Response:
    language = language_of(None)
    rows = [
        (line["description"], written(line["amount"], line["currency"], language)) for line in found["lines"]["data"]
    ]
    page = render_template(
        "sandbox/invoice.html",
        t=TEXTS[language],
        lang=language,
        invoice=found,
        rows=rows,
        date=day(found["created"], language),
        total=written(found["total"], found["currency"], language),
        account=the_sandbox().settings.account_name,
        action=f"/i/{found['id']}",
        form=form,
        payable=found["status"] == "open" and found["amount_remaining"] > 0,
        button=TEXTS[language]["button_pay"].format(
            amount=written(found["amount_remaining"], found["currency"], language)
        ),
    )
    return make_response(page, status)


@bp.post("/i/<invoice_id>")
def pay_invoice(invoice_id: str) -> AnyResponse:
    """Pay an open invoice with a card, which becomes the one that is charged from now on."""
    sandbox = the_sandbox()
    with sandbox.store.transaction():
        found, world = _find(invoice_id, "invoice"), sandbox.world()
        world.follow(found)
        today = datetime.fromtimestamp(world.now, UTC)
        form = forms.read(
            request.form, now_year_month=(today.year, today.month), email_wanted=False, debit_offered=False
        )
        if found["status"] != "open":
            return redirect(f"/i/{invoice_id}", HTTPStatus.SEE_OTHER)
        if form.errors or form.card is None:
            return _invoice(found, form, HTTPStatus.UNPROCESSABLE_ENTITY)
        customer, sub = world.need("customer", found["customer"], "customer"), invoicing.subscription_of(world, found)
        method = payment_methods.make(world, form.card, name=form.name, expires=form.expires)
        intent = world.store.get(found["_intent"])
        result = invoicing.attempt(world, found, method, on_session=True)
        if result == "requires_action" and intent:
            return redirect(f"/c/confirm/{intent['id']}", HTTPStatus.SEE_OTHER)
        if result == "declined":
            form.errors["cardNumber"] = str((intent or {})["last_payment_error"]["decline_code"])
            return _invoice(found, form, HTTPStatus.PAYMENT_REQUIRED)
        payment_methods.attach_to(world, method, customer)
        if sub:
            sub["default_payment_method"] = method["id"]
    return redirect(f"/i/{invoice_id}", HTTPStatus.SEE_OTHER)


@bp.get("/i/<invoice_id>/pdf")
def invoice_pdf(invoice_id: str) -> Response:
    """The same as a PDF of one page."""
    with the_sandbox().store.transaction():
        found = _find(invoice_id, "invoice")
        lines = [
            the_sandbox().settings.account_name,
            f"Invoice {found['number'] or found['id']} of {day(found['created'], 'en')}: {found['status']}",
            "",
            *(f"{line['description']}: {written(line['amount'], line['currency'])}" for line in found["lines"]["data"]),
            "",
            f"Total: {written(found['total'], found['currency'])}",
        ]
    response = make_response(one_page(lines))
    response.mimetype = "application/pdf"
    return response


@bp.get("/receipts/<charge_id>")
def receipt(charge_id: str) -> str:
    """What was charged, and what of it was given back."""
    with the_sandbox().store.transaction():
        charge, language = _find(charge_id, "charge"), language_of(None)
        rows = [(charge["description"] or charge["id"], written(charge["amount"], charge["currency"], language))]
        if charge["amount_refunded"]:
            rows.append((TEXTS[language]["refunded"], written(charge["amount_refunded"], charge["currency"], language)))
        return render_template(
            "sandbox/receipt.html",
            t=TEXTS[language],
            lang=language,
            rows=rows,
            date=day(charge["created"], language),
            account=the_sandbox().settings.account_name,
            status=charge["status"],
        )


@bp.get("/c/confirm/<intent_id>")
def show_confirm(intent_id: str) -> str:
    """The bank's question for an intent."""
    with the_sandbox().store.transaction():
        intent, language = _find(intent_id, "payment_intent", "setup_intent"), language_of(None)
        if intent["status"] != "requires_action":
            return message("done", language)
        amount = written(intent["amount"], intent["currency"], language) if "amount" in intent else None
        account = the_sandbox().settings.account_name
        return render_template("sandbox/confirm.html", t=TEXTS[language], lang=language, amount=amount, account=account)


@bp.post("/c/confirm/<intent_id>")
def confirm(intent_id: str) -> AnyResponse:
    """The answer to it."""
    sandbox = the_sandbox()
    with sandbox.store.transaction():
        intent, world = _find(intent_id, "payment_intent", "setup_intent"), sandbox.world()
        world.follow(intent)
        method = sandbox.store.get(intent["payment_method"])
        if intent["status"] == "requires_action" and method is not None:
            if request.form.get("decision") != "yes":
                intent |= {"status": "requires_payment_method", "next_action": None, "payment_method": None}
            elif intent["object"] == "payment_intent":
                collection.collect(world, intent, method, on_session=True, confirmed=True)
            else:
                setup_intents.finish(world, intent, method, confirmed=True)
    return redirect(f"/c/confirm/{intent_id}", HTTPStatus.SEE_OTHER)
