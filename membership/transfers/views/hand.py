"""What staff do beside statements: book by hand, give back, undo, and say how their bank's table is written."""

import secrets
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from membership.accounts.queries import find_person_by_email
from membership.accounts.rules import canonical_email
from membership.accounts.services import staff_name
from membership.billing.models import Payment
from membership.contributions.services.declaring import Gift
from membership.kernel import clock, ids
from membership.kernel.errors import InvalidInput, NotFound
from membership.newsroom.queries import cup_in, day_of, priced_currencies
from membership.transfers import queries, services
from membership.transfers.forms import GiveBackForm, HandForm, MappingForm, ReasonForm, check_day, money_from
from membership.transfers.services import Decision
from membership.transfers.statements import BUILT_IN
from membership.web.access import audience
from membership.web.forms import Form
from membership.web.i18n import current_locale
from membership.web.tokens import read_signed, signed

hand_bp = Blueprint("hand", __name__)

PURPOSE = "transfers.hand"
FORM_OPEN_SECONDS = 24 * 3600


@hand_bp.get("/staff/statements/by-hand")
@audience("staff", may="money.act")
def by_hand() -> ResponseReturnValue:
    """The form of a gift that no statement tells of; filled in from an announcement where one is named."""
    today = day_of(clock.now())
    form = HandForm(formdata=None, day=today, form_token=_token()).offer_currencies(priced_currencies())
    if reference := request.args.get("announced"):
        found = queries.get_announced(reference)
        form.way.data, form.code.data = found.contribution.way, found.code
        form.amount.data, form.currency.data = str(found.contribution.charge.amount), found.contribution.currency
    return render_template("transfers/desk/by_hand.html", form=form)


@hand_bp.post("/staff/statements/by-hand")
@audience("staff", rate="write", may="money.act")
def book() -> ResponseReturnValue:
    """Book it, once, however often this form is sent."""
    form = HandForm().offer_currencies(priced_currencies())
    try:
        if not form.validate_on_submit():
            return render_template("transfers/desk/by_hand.html", form=form), 422
        number = _book(form)
    except InvalidInput as error:
        form.explain(error)
        return render_template("transfers/desk/by_hand.html", form=form), 422
    flash(_("Booked, with receipt %(number)s. The giver gets it by mail.", number=number), "good")
    return redirect(url_for("hand.payment", number=number), 303)


def _book(form: HandForm) -> str:
    at = clock.now()
    token = _press_of(form)
    on, amount = check_day(form.day.data, day_of(at)), form.money()
    decision = Decision(current_user, at, form.reason.data or "")
    if (form.code.data or "").strip():
        found = queries.find_announced_by_code(form.code.data or "")
        if found is None:
            raise InvalidInput("no_such_code", "Nobody was given this code. Is every character right?", field="code")
        return services.book_announced(found.contribution.id, amount, on, token, decision, way=form.way.data)
    email = canonical_email(form.email.data or "")
    person = find_person_by_email(email)
    locale = person.locale if person else current_locale()
    gift = Gift(form.way.data, amount, cup_in(amount.currency), email, None, locale, person.id if person else None)
    return services.book_by_hand(gift, on, token, decision)


@hand_bp.get("/staff/statements/receipts/<number>")
@audience("staff", may="money.act")
def payment(number: str) -> ResponseReturnValue:
    """One payment beside the provider, with the ways to take it back."""
    return _payment_page(_get(number))


@hand_bp.post("/staff/statements/receipts/<number>/back")
@audience("staff", rate="write", may="money.act")
def give_back(number: str) -> ResponseReturnValue:
    """Money of it was sent back."""
    form, found, at = GiveBackForm(), _get(number), clock.now()
    try:
        if not form.validate_on_submit():
            return _payment_page(found, back=form), 422
        amount, on = money_from(form.amount.data or "", found.currency), check_day(form.day.data, day_of(at))
        decision = Decision(current_user, at, form.reason.data or "")
        services.give_back(found.provider_id, amount, on, decision, _press_of(form))
    except InvalidInput as error:
        form.explain(error)
        return _payment_page(found, back=form), 422
    flash(_("Written down. What it covered is worked out again."), "good")
    return redirect(url_for("hand.payment", number=number), 303)


@hand_bp.post("/staff/statements/receipts/<number>/undo")
@audience("staff", rate="write", may="money.act")
def undo(number: str) -> ResponseReturnValue:
    """It was booked by mistake."""
    form, found = ReasonForm(), _get(number)
    form.validate_on_submit()
    try:
        decision, line = (
            Decision(current_user, clock.now(), form.reason.data or ""),
            queries.find_line_of(found.provider_id),
        )
        if line is not None:
            services.undo(line.id, decision)
        else:
            services.undo_payment(found.provider_id, decision)
    except InvalidInput as error:
        form.explain(error)
        return _payment_page(found, undo=form), 422
    flash(_("The booking is undone, and what it covered is revoked."), "good")
    return redirect(url_for("hand.payment", number=number), 303)


@hand_bp.get("/staff/statements/mappings")
@audience("staff", may="money.act")
def mappings() -> ResponseReturnValue:
    """The forms of table that are known, and the form of a new one."""
    return _mappings_page(MappingForm(formdata=None))


@hand_bp.post("/staff/statements/mappings")
@audience("staff", rate="write", may="money.act")
def save_mapping() -> ResponseReturnValue:
    """Keep one."""
    form = MappingForm()
    try:
        if not form.validate_on_submit():
            return _mappings_page(form), 422
        services.save_mapping((form.mapping_name.data or "").strip(), form.to_mapping(), clock.now(), _me())
    except InvalidInput as error:
        form.explain(error)
        return _mappings_page(form), 422
    flash(_("Saved."), "good")
    return redirect(url_for("hand.mappings"), 303)


@hand_bp.post("/staff/statements/mappings/<name>/forget")
@audience("staff", rate="write", may="money.act")
def forget_mapping(name: str) -> ResponseReturnValue:
    """Throw one away."""
    Form()
    services.forget_mapping(name, _me())
    return redirect(url_for("hand.mappings"), 303)


def _me() -> str:
    return staff_name(current_user)


def _token() -> str:
    return signed(PURPOSE, secrets.token_urlsafe(24), FORM_OPEN_SECONDS)


def _press_of(form: HandForm | GiveBackForm) -> str:
    """What names the press of a button, however often its form is sent; InvalidInput for a form of another page."""
    return ids.digest(str(read_signed(PURPOSE, form.form_token.data or "")))


def _get(number: str) -> Payment:
    found = queries.find_payment(number)
    if found is None:
        raise NotFound("receipt_not_found", "There is no such receipt.")
    return found


def _payment_page(found: Payment, **typed: Form) -> str:
    forms: dict[str, Any] = {
        "back": GiveBackForm(formdata=None, day=day_of(clock.now()), form_token=_token()),
        "undo": ReasonForm(formdata=None),
    } | typed
    for name, form in forms.items():
        for field in form:
            field.id = f"{name}-{field.name}"
    row = queries.contribution_of(found)
    person = queries.people_by_id([row.person_id]).get(row.person_id or 0)
    wrong = next(iter(typed.values()), None)
    left = services.left_of(found)
    return render_template(
        "transfers/desk/payment.html", payment=found, forms=forms, wrong=wrong, left=left, person=person
    )


def _mappings_page(form: MappingForm) -> str:
    known = queries.list_mappings()
    return render_template("transfers/desk/mappings.html", form=form, known=known, built_in=BUILT_IN)
