"""A giver's pages about one support of theirs: what it is, changing, pausing and stopping it, and taking that back.

Every page says in words what will be charged when, before the button that asks for it.
"""

import secrets

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from membership.accounts.forms import AddressForm
from membership.billing import queries as billing
from membership.contributions import queries, services
from membership.contributions.forms import ActForm, CancelForm, ConfirmChangeForm, PauseForm, TermsForm
from membership.contributions.models import Contribution
from membership.contributions.rules import Action, State, Terms, Who, actions_of, clean_cancel_reason
from membership.contributions.views.acting import mine, new_token, press
from membership.contributions.views.shown import ahead_of, pauses_ahead, support_row
from membership.kernel import clock
from membership.newsroom.queries import offer_in
from membership.patrons.queries import standing_of
from membership.web.access import audience

bp = Blueprint("support", __name__)

AT = "/account/support/<reference>"


@bp.get(AT)
@audience("member")
def show(reference: str) -> ResponseReturnValue:
    """One support: what it is, what comes next, and what can be done about it."""
    contribution = mine(reference)
    return render_template(
        "contributions/support.html",
        support=support_row(contribution),
        payments=billing.payments_of([reference]),
        is_done="done" in request.args,
        attempt=secrets.token_urlsafe(12),
    )


@bp.get(f"{AT}/change")
@audience("member")
def change(reference: str) -> ResponseReturnValue:
    """Choose other terms; chosen, say what they mean and ask once more."""
    contribution = mine(reference)
    if "cups" not in request.args:
        return _change_page(contribution, _terms_form(contribution))
    form = TermsForm(request.args)
    terms = form.to_terms(offer_in(contribution.currency))
    if terms is None or terms == contribution.terms:
        return _change_page(contribution, form, problem="no_change" if terms else None), 422
    confirm = ConfirmChangeForm(formdata=None, data=form.data)
    confirm.form_token.data = new_token(reference, "change")
    return _confirm_change_page(contribution, confirm, terms)


@bp.post(f"{AT}/change")
@audience("member", rate="money")
def change_post(reference: str) -> ResponseReturnValue:
    """Ask for the terms that were shown."""
    contribution, form = mine(reference), ConfirmChangeForm()
    offer = offer_in(contribution.currency)
    terms = form.to_terms(offer)
    if terms is None:
        return _change_page(contribution, form), 422
    if offer.is_other_than(form.seen.data):
        return _confirm_change_page(contribution, form, terms, "prices"), 409
    return press(
        contribution,
        "change",
        form,
        lambda key: services.change(reference, terms, key),
        lambda problem, status: (_confirm_change_page(contribution, form, terms, problem), status),
    )


@bp.get(f"{AT}/pause")
@audience("member")
def pause(reference: str) -> ResponseReturnValue:
    """Choose how long; chosen, say what is not taken and when it goes on, and ask once more."""
    form = PauseForm(request.args if "months" in request.args else None, meta={"csrf": False})
    return _pause_page(mine(reference), form)


@bp.post(f"{AT}/pause")
@audience("member", rate="money")
def pause_post(reference: str) -> ResponseReturnValue:
    """Ask for the pause that was shown."""
    contribution, form = mine(reference), PauseForm()
    ahead = pauses_ahead(contribution, clock.now()).get(form.months.data or 0)
    if ahead is None:
        return _pause_page(contribution, form, "not_offered" if contribution.next_payment_at is None else None), 422
    return press(
        contribution,
        "pause",
        form,
        lambda key: services.pause(reference, ahead.until, key),
        lambda problem, status: (_pause_page(contribution, form, problem), status),
    )


@bp.get(f"{AT}/cancel")
@audience("member")
def cancel(reference: str) -> ResponseReturnValue:
    """Say what stopping means, offer less than that, and stop with the button on the same page."""
    form = CancelForm(formdata=None)
    form.form_token.data = new_token(reference, "cancel")
    return _cancel_page(mine(reference), form)


@bp.post(f"{AT}/cancel")
@audience("member", rate="money")
def cancel_post(reference: str) -> ResponseReturnValue:
    """Stop it."""
    contribution, form = mine(reference), CancelForm()
    words = clean_cancel_reason(form.reason.data or "", form.words.data or "")
    return press(
        contribution,
        "cancel",
        form,
        lambda key: services.cancel(reference, key, words=words),
        lambda problem, status: (_cancel_page(contribution, form, problem), status),
    )


@bp.get(f"{AT}/resume")
@audience("member")
def resume(reference: str) -> ResponseReturnValue:
    """Say what going on means, with the button."""
    return _sure_page(mine(reference), _act_form(reference, "resume"), Action.RESUME)


@bp.post(f"{AT}/resume")
@audience("member", rate="money")
def resume_post(reference: str) -> ResponseReturnValue:
    """Let it go on."""
    contribution, form = mine(reference), ActForm()
    return press(
        contribution,
        "resume",
        form,
        lambda key: services.resume(reference, key),
        lambda problem, status: (_sure_page(contribution, form, Action.RESUME, problem), status),
    )


@bp.get(f"{AT}/keep")
@audience("member")
def keep(reference: str) -> ResponseReturnValue:
    """Say what keeping it means, with the button."""
    return _sure_page(mine(reference), _act_form(reference, "keep"), Action.KEEP)


@bp.post(f"{AT}/keep")
@audience("member", rate="money")
def keep_post(reference: str) -> ResponseReturnValue:
    """Take the end back."""
    contribution, form = mine(reference), ActForm()
    return press(
        contribution,
        "keep",
        form,
        lambda key: services.keep(reference, key),
        lambda problem, status: (_sure_page(contribution, form, Action.KEEP, problem), status),
    )


def _act_form(reference: str, action: str) -> ActForm:
    form = ActForm(formdata=None)
    form.form_token.data = new_token(reference, action)
    return form


def _terms_form(contribution: Contribution) -> TermsForm:
    return TermsForm.of(contribution.next_terms or contribution.terms, offer_in(contribution.currency).cup)


def _is_offered(contribution: Contribution, action: Action) -> bool:
    return contribution.way == "card" and action in actions_of(State(contribution.state), Who.MEMBER)


def _change_page(contribution: Contribution, form: TermsForm | ConfirmChangeForm, problem: str | None = None) -> str:
    return render_template(
        "contributions/change.html",
        support=support_row(contribution),
        form=form,
        offer=offer_in(contribution.currency),
        is_offered=_is_offered(contribution, Action.CHANGE),
        problem=problem,
    )


def _confirm_change_page(
    contribution: Contribution, form: ConfirmChangeForm, terms: Terms, problem: str | None = None
) -> str:
    form.seen.data = offer_in(contribution.currency).mark
    return render_template(
        "contributions/change_confirm.html",
        support=support_row(contribution),
        form=form,
        ahead=ahead_of(contribution, terms),
        is_offered=_is_offered(contribution, Action.CHANGE),
        problem=problem,
    )


def _pause_page(contribution: Contribution, form: PauseForm, problem: str | None = None) -> str:
    pauses = pauses_ahead(contribution, clock.now())
    form.offer_ends({n: ahead.until for n, ahead in pauses.items()})
    if not form.form_token.data:
        form.form_token.data = new_token(contribution.reference, "pause")
    return render_template(
        "contributions/pause.html",
        support=support_row(contribution),
        form=form,
        pauses=pauses,
        chosen=pauses.get(form.months.data or 0),
        is_offered=_is_offered(contribution, Action.PAUSE),
        problem=problem,
    )


def _cancel_page(contribution: Contribution, form: CancelForm, problem: str | None = None) -> str:
    return render_template(
        "contributions/cancel.html",
        support=support_row(contribution),
        form=form,
        standing=standing_of(current_user.id, clock.now()),
        pauses=pauses_ahead(contribution, clock.now()),
        is_offered=_is_offered(contribution, Action.CANCEL),
        problem=problem,
    )


def _sure_page(contribution: Contribution, form: ActForm, action: Action, problem: str | None = None) -> str:
    return render_template(
        "contributions/sure.html",
        support=support_row(contribution),
        form=form,
        action=action.value,
        is_offered=_is_offered(contribution, action),
        problem=problem,
    )


@bp.get("/cancel")
@audience("public")
def cancel_without_account() -> ResponseReturnValue:
    """Stop without knowing of an account: an address, a mailed code, and then a button for each support."""
    supports: list[tuple[dict[str, object], CancelForm]] = []
    if current_user.is_authenticated:
        for contribution in queries.contributions_of(current_user.id):
            if _is_offered(contribution, Action.CANCEL) or _is_offered(contribution, Action.KEEP):
                form = CancelForm(formdata=None)
                form.form_token.data = new_token(contribution.reference, "cancel")
                supports.append((support_row(contribution), form))
    address = AddressForm(formdata=None)
    address.next.data = "cancel"
    return render_template("contributions/cancel_start.html", supports=supports, form=address)
