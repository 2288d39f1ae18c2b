"""What staff do about support that runs at the payment company: through the members' own services, with a reason."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from membership.accounts.models import Person
from membership.contributions import services
from membership.contributions.rules import Action, choice_of
from membership.contributions.services import recovering
from membership.contributions.views.shown import pauses_ahead
from membership.front.forms import StaffActForm, StaffChangeForm, StaffPauseForm
from membership.front.queries.people import SupportView, get_person_by_public_id, get_support
from membership.front.views.people.presses import actor, attempt, new_token, nonce_of, people_bp
from membership.kernel import clock
from membership.kernel.errors import InvalidInput, NotFound
from membership.newsroom.queries import cup_in, offer_in
from membership.newsroom.rules import Offer
from membership.web.access import audience

Ask = Callable[[SupportView, Any, str], None]
HERE = "/staff/people/<public_id>/support/<reference>/<action>"


@dataclass(frozen=True, slots=True)
class Case:
    """One action that is offered now, about one contribution of one person."""

    person: Person
    support: SupportView
    action: Action

    @property
    def reference(self) -> str:
        """Of the contribution."""
        return self.support.row.reference


def _change(support: SupportView, form: StaffChangeForm, key: str) -> None:
    terms = form.to_terms(offer_in(support.row.currency))
    if terms is None:
        raise InvalidInput("not_terms", "These terms cannot be.")
    services.change(support.row.reference, terms, key, actor=actor(), reason=form.reason.data)


def _pause(support: SupportView, form: StaffPauseForm, key: str) -> None:
    until = pauses_ahead(support.row, clock.now())[form.months.data].until
    services.pause(support.row.reference, until, key, actor=actor(), reason=form.reason.data)


def _resume(support: SupportView, form: StaffActForm, key: str) -> None:
    services.resume(support.row.reference, key, actor=actor(), reason=form.reason.data)


def _cancel(support: SupportView, form: StaffActForm, key: str) -> None:
    services.cancel(support.row.reference, key, actor=actor(), reason=form.reason.data)


def _cancel_now(support: SupportView, form: StaffActForm, key: str) -> None:
    services.cancel_now(support.row.reference, key, actor=actor(), reason=form.reason.data)


def _keep(support: SupportView, form: StaffActForm, key: str) -> None:
    services.keep(support.row.reference, key, actor=actor(), reason=form.reason.data)


def _pay_now(support: SupportView, form: StaffActForm, key: str) -> None:
    nonce = key.rpartition(":")[2]
    outcome = recovering.retry(
        support.row.reference, nonce, actor=actor(), reason=form.reason.data or "", at=clock.now()
    )
    if outcome.is_paid:
        flash(_("The payment went through."))
    else:
        flash(_("It was refused again. The person has to confirm it, or to use another card."), "warn")


# Action -> its form and what it does. What is not here has a page of its own (`granting`, and that of transfers).
ASKS: dict[Action, tuple[type[Any], Ask]] = {
    Action.CHANGE: (StaffChangeForm, _change),
    Action.PAUSE: (StaffPauseForm, _pause),
    Action.RESUME: (StaffActForm, _resume),
    Action.CANCEL: (StaffActForm, _cancel),
    Action.CANCEL_NOW: (StaffActForm, _cancel_now),
    Action.KEEP: (StaffActForm, _keep),
    Action.PAY_NOW: (StaffActForm, _pay_now),
}


@people_bp.get(HERE)
@audience("staff", may="money.act")
def support(public_id: str, reference: str, action: str) -> ResponseReturnValue:
    """Say what the action means, ask for the reason, and offer the button."""
    case = _case(public_id, reference, action)
    form_class, _ask = ASKS[case.action]
    row = case.support.row
    form = form_class(formdata=None, data=choice_of(row.gift, row.rhythm_word, cup_in(row.currency)))
    form.form_token.data = new_token(reference, action)
    return _page(case, form)


@people_bp.post(HERE)
@audience("staff", rate="money", may="money.act")
def support_post(public_id: str, reference: str, action: str) -> ResponseReturnValue:
    """Do it once, however often the button is pressed."""
    case = _case(public_id, reference, action, is_press=True)
    form_class, ask = ASKS[case.action]
    form = form_class()
    _offer_lengths(case, form)
    nonce = nonce_of(form, reference, action)
    if nonce is None:
        return _page(case, form, "stale"), 409
    if not form.validate():
        return _page(case, form), 422
    if case.action is Action.CHANGE and offer_in(case.support.row.currency).is_other_than(form.seen.data):
        return _page(case, form, "prices"), 409
    try:
        problem, status = attempt(lambda: ask(case.support, form, f"{reference}:{action}:{nonce}"))
    except InvalidInput as error:
        return _page(case, form, error.code if error.code != "not_terms" else None), 422
    if problem is not None:
        return _page(case, form, problem), status
    if case.action is not Action.PAY_NOW:
        flash(_("Done. It stands in the history below with your reason."))
    return redirect(url_for("people_desk.person", public_id=public_id), 303)


def _case(public_id: str, reference: str, action: str, *, is_press: bool = False) -> Case:
    """What the address names. NotFound for what is never offered there; a press that comes too late is told by the
    service, which knows whether it is the second half of a double click.
    """
    person = get_person_by_public_id(public_id)
    found = get_support(person, reference)
    if action not in {known.value for known in ASKS} or found.row.way != "card":
        raise NotFound("no_action", "There is no such action.")
    if not is_press and Action(action) not in found.actions:
        raise NotFound("no_action", "This cannot be done as it stands now.")
    return Case(person, found, Action(action))


def _offer_lengths(case: Case, form: Any) -> None:
    if isinstance(form, StaffPauseForm):
        ahead = pauses_ahead(case.support.row, clock.now())
        form.offer_ends({n: pause.until for n, pause in ahead.items()})


def _page(case: Case, form: Any, problem: str | None = None) -> str:
    _offer_lengths(case, form)
    # Only what changes the amount needs prices, and support may run in a currency that has none here.
    offer: Offer | None = offer_in(case.support.row.currency) if case.action is Action.CHANGE else None
    if offer is not None:
        form.seen.data = offer.mark
    return render_template("front/people_support.html", case=case, form=form, offer=offer, problem=problem)
