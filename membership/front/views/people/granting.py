"""What staff give and take back: money, comps, and a mail that shows the way in."""

from datetime import timedelta

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from membership.accounts.models import Person
from membership.accounts.services.inviting import send_way_in
from membership.billing.queries import PaymentRow
from membership.contributions.services import refunding
from membership.front.forms import CompForm, RefundForm, StaffActForm
from membership.front.queries.people import get_payment, get_person_by_public_id
from membership.front.views.people.presses import actor, attempt, new_token, nonce_of, people_bp
from membership.kernel import clock
from membership.kernel.errors import InvalidInput, NotFound, Refused
from membership.kernel.money import Money
from membership.patrons import services as patrons
from membership.patrons.models import CoverageGrant
from membership.patrons.queries import comps_of
from membership.web.access import audience
from membership.web.filters import money

REFUND = "/staff/people/<public_id>/refund/<number>"
COMP = "/staff/people/<public_id>/comp"
REVOKE = "/staff/people/<public_id>/comp/<int:grant_id>/revoke"
WAY_IN = "/staff/people/<public_id>/way-in"
USUAL_COMP = timedelta(days=90)


@people_bp.get(REFUND)
@audience("staff", may="money.act", fresh=True)
def refund(public_id: str, number: str) -> ResponseReturnValue:
    """How much goes back, and why."""
    person = get_person_by_public_id(public_id)
    payment = get_payment(person, number)
    left = refunding.left_of(payment)
    form = RefundForm(formdata=None, data={"amount": str(left.amount)})
    form.form_token.data = new_token(number, "refund")
    return _refund_page(person, payment, left, form)


@people_bp.post(REFUND)
@audience("staff", rate="money", may="money.act", fresh=True)
def refund_post(public_id: str, number: str) -> ResponseReturnValue:
    """Show once more what goes back; confirmed, give it back."""
    person = get_person_by_public_id(public_id)
    payment, form = get_payment(person, number), RefundForm()
    left, nonce = refunding.left_of(payment), nonce_of(form, number, "refund")
    if nonce is None:
        return _refund_page(person, payment, left, form, "stale"), 409
    is_valid = form.validate()
    amount = form.to_money(payment.charged if form.confirmed.data else left)
    if not is_valid or amount is None:
        return _refund_page(person, payment, left, form), 422
    if not form.confirmed.data:
        return _refund_page(person, payment, left, form, amount=amount)
    try:
        problem, status = attempt(
            lambda: refunding.refund(payment, amount, form.reason.data or "", actor(), clock.now(), token=nonce)
        )
    except (InvalidInput, Refused) as error:
        form.confirmed.data = ""
        form.amount.errors = [_refused(error.code, left)]
        return _refund_page(person, payment, left, form), 422
    if problem is not None:
        return _refund_page(person, payment, left, form, problem), status
    flash(_("It is on its way back. The books follow when the money has moved."))
    return redirect(url_for("people_desk.person", public_id=public_id), 303)


def _refused(code: str, left: Money) -> str:
    if code == "not_by_card":
        return str(_("This money did not come by card. Give it back the same way that it came, and book that."))
    return str(_("At most %(amount)s can go back.", amount=money(left)))


def _refund_page(
    person: Person,
    payment: PaymentRow,
    left: Money,
    form: RefundForm,
    problem: str | None = None,
    *,
    amount: Money | None = None,
) -> str:
    return render_template(
        "front/people_refund.html",
        person=person,
        payment=payment,
        left=left,
        form=form,
        problem=problem,
        amount=amount,
    )


@people_bp.get(COMP)
@audience("staff", may="people.act", reads="person")
def comp(public_id: str) -> ResponseReturnValue:
    """Until when, and why."""
    person = get_person_by_public_id(public_id)
    form = CompForm(formdata=None, data={"until": (clock.now() + USUAL_COMP).date().isoformat()})
    form.form_token.data = new_token(public_id, "comp")
    return render_template("front/people_comp.html", person=person, form=form, problem=None)


@people_bp.post(COMP)
@audience("staff", rate="write", may="people.act", reads="person")
def comp_post(public_id: str) -> ResponseReturnValue:
    """Make somebody a patron without money."""
    person, form = get_person_by_public_id(public_id), CompForm()
    nonce = nonce_of(form, public_id, "comp")
    if nonce is None:
        return render_template("front/people_comp.html", person=person, form=form, problem="stale"), 409
    try:
        if not form.validate():
            return render_template("front/people_comp.html", person=person, form=form, problem=None), 422
        until, reason = form.to_moment(), form.reason.data or ""
        patrons.grant_comp(person.id, until, nonce, reason=reason, actor=actor(), at=clock.now())
    except InvalidInput as error:
        form.explain(error)
        return render_template("front/people_comp.html", person=person, form=form, problem=None), 422
    flash(_("Granted, and told by mail."))
    return redirect(url_for("people_desk.person", public_id=public_id), 303)


@people_bp.get(REVOKE)
@audience("staff", may="people.act", reads="person")
def revoke(public_id: str, grant_id: int) -> ResponseReturnValue:
    """Say what taking it back means."""
    person = get_person_by_public_id(public_id)
    grant, form = _comp_of(person, grant_id), StaffActForm(formdata=None)
    form.form_token.data = new_token(grant.cause_ref, "revoke")
    return render_template("front/people_revoke.html", person=person, grant=grant, form=form, problem=None)


@people_bp.post(REVOKE)
@audience("staff", rate="write", may="people.act", reads="person")
def revoke_post(public_id: str, grant_id: int) -> ResponseReturnValue:
    """Take a comp back."""
    person, form = get_person_by_public_id(public_id), StaffActForm()
    grant = _comp_of(person, grant_id)
    cause_ref = grant.cause_ref
    problem, status = ("stale", 409) if nonce_of(form, cause_ref, "revoke") is None else (None, 422)
    if problem is None and form.validate():
        reason = form.reason.data or ""
        problem, status = attempt(
            lambda: patrons.revoke_comp(person.id, cause_ref, reason=reason, actor=actor(), at=clock.now())
        )
        if problem is None:
            flash(_("Taken back, and told by mail."))
            return redirect(url_for("people_desk.person", public_id=public_id), 303)
    return render_template("front/people_revoke.html", person=person, grant=grant, form=form, problem=problem), status


@people_bp.get(WAY_IN)
@audience("staff", may="people.act", reads="person")
def way_in(public_id: str) -> ResponseReturnValue:
    """Say what the mail does."""
    form = StaffActForm(formdata=None)
    form.form_token.data = new_token(public_id, "way_in")
    person = get_person_by_public_id(public_id)
    return render_template("front/people_way_in.html", person=person, form=form, problem=None)


@people_bp.post(WAY_IN)
@audience("staff", rate="write", may="people.act", reads="person")
def way_in_post(public_id: str) -> ResponseReturnValue:
    """Have the mail sent."""
    person, form = get_person_by_public_id(public_id), StaffActForm()
    nonce = nonce_of(form, public_id, "way_in")
    problem, status = ("stale", 409) if nonce is None else (None, 422)
    if nonce is not None and form.validate():
        reason = form.reason.data or ""
        problem, status = attempt(lambda: send_way_in(person.id, nonce, reason=reason, actor=actor(), at=clock.now()))
        if problem is None:
            flash(_("The mail is on its way."))
            return redirect(url_for("people_desk.person", public_id=public_id), 303)
    return render_template("front/people_way_in.html", person=person, form=form, problem=problem), status


def _comp_of(person: Person, grant_id: int) -> CoverageGrant:
    grant = next((grant for grant in comps_of(person.id) if grant.id == grant_id), None)
    if grant is None:
        raise NotFound("no_comp", "There is no such free membership.")
    return grant
