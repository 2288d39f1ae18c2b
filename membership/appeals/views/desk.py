"""The desk of appeals: all of them, and one page for each with its rules, its words and what may be done about it."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from membership.accounts.queries import list_staff
from membership.appeals import queries, services
from membership.appeals.forms import AppealForm, EndForm, VersionForm, form_for, moment_in, values_of
from membership.appeals.models import Appeal
from membership.appeals.rules import KEYS, Plan, State, Variant, faults_of, is_over, may_change, warnings_of
from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput
from membership.newsroom.queries import house, zone
from membership.web.access import audience
from membership.web.forms import Form
from membership.web.i18n import LANGUAGES

desk_bp = Blueprint("appeal_desk", __name__)

ADD = "add"


@desk_bp.get("/staff/appeals")
@audience("staff")
def board() -> ResponseReturnValue:
    """All appeals, those that run first."""
    shelves, now = queries.list_by_state(), clock.now()
    variants = queries.variants_of_each([row.id for rows in shelves.values() for row in rows])
    over = {row.id for row in shelves[State.RUNNING] if is_over(State.RUNNING, row.ends_at, now)}
    return render_template("appeals/desk/board.html", shelves=shelves, variants=variants, over=over, now=now)


@desk_bp.get("/staff/appeals/new")
@audience("staff", may="appeals.edit")
def new() -> ResponseReturnValue:
    """The form of an appeal."""
    return _new_page(_form(Plan(""), [Variant(KEYS[0])], 0))


@desk_bp.post("/staff/appeals/new")
@audience("staff", rate="write", may="appeals.edit")
def new_post() -> ResponseReturnValue:
    """Keep it as a draft, which no reader sees."""
    form = form_for(KEYS[:1], _languages(), zone())()
    if not form.is_in_order():
        return _new_page(form), 422
    made = services.create(form.plan(), form.variants(), current_user.id)
    if form.do.data == ADD:
        services.add_variant(made.id, made.version, current_user.id)
    return _said(made, _("The draft is saved. No reader sees it."))


@desk_bp.get("/staff/appeals/<public_id>")
@audience("staff")
def appeal(public_id: str) -> ResponseReturnValue:
    """One appeal with what may be done about it."""
    return _page(queries.get_by_public_id(public_id))


@desk_bp.post("/staff/appeals/<public_id>")
@audience("staff", rate="write", may="appeals.edit")
def save(public_id: str) -> ResponseReturnValue:
    """Other rules or words for a draft, a variant more or less."""
    found = queries.get_by_public_id(public_id)
    known = queries.variants_of(found.id)
    form = form_for([variant.key for variant in known], _languages(), zone())()
    if not form.is_in_order():
        return _page(found, form), 422
    try:
        _save(found, form, known)
    except Conflict as error:
        return _page(found, form, problem=error), 409
    return _said(found, _("The draft is saved. No reader sees it."))


@desk_bp.post("/staff/appeals/<public_id>/start")
@audience("staff", rate="write", may="appeals.edit")
def start(public_id: str) -> ResponseReturnValue:
    """Show it to readers."""
    seen = VersionForm().number
    done = _("It runs. Its words and rules stay as they are from now on.")
    return _do(public_id, done, lambda found: services.start(found.id, seen, current_user.id))


@desk_bp.post("/staff/appeals/<public_id>/stop")
@audience("staff", rate="write", may="appeals.edit")
def stop(public_id: str) -> ResponseReturnValue:
    """Show it to nobody any more."""
    Form()
    return _do(public_id, _("It is stopped."), lambda found: services.stop(found.id, current_user.id))


@desk_bp.post("/staff/appeals/<public_id>/end")
@audience("staff", rate="write", may="appeals.edit")
def end(public_id: str) -> ResponseReturnValue:
    """Let it end sooner."""
    form, found = EndForm(), queries.get_by_public_id(public_id)
    if not form.is_in_order():
        return _page(found, ending=form), 422
    try:
        wanted = moment_in(form.ends_at.data, zone())
        return _do(public_id, _("Saved."), lambda row: services.end_sooner(row.id, wanted, current_user.id))
    except InvalidInput as error:
        form.explain(error)
        return _page(found, ending=form), 422


@desk_bp.post("/staff/appeals/<public_id>/copy")
@audience("staff", rate="write", may="appeals.edit")
def copy(public_id: str) -> ResponseReturnValue:
    """A new draft with the same rules and words."""
    Form()
    made = services.copy(queries.get_by_public_id(public_id).id, current_user.id)
    return _said(made, _("This is the copy: a draft that no reader sees."))


def _save(found: Appeal, form: AppealForm, known: list[Variant]) -> None:
    if len(form.removed) == len(known):  # asked before anything is saved, so that the form is still of this version
        raise Conflict("last_variant", "An appeal needs at least one variant.")
    kept = services.save(found.id, form.number, form.plan(), form.variants(known), current_user.id)
    for key in form.removed:
        kept = services.remove_variant(found.id, kept.version, key, current_user.id)
    if form.do.data == ADD:
        services.add_variant(found.id, kept.version, current_user.id)


def _do(public_id: str, done: str, service: Callable[[Appeal], Appeal]) -> ResponseReturnValue:
    """Carry out one action; where somebody was faster, or something is missing, the page says so."""
    found = queries.get_by_public_id(public_id)
    try:
        service(found)
    except Conflict as error:
        return _page(found, problem=error), 409
    return _said(found, done)


def _said(found: Appeal, done: str) -> ResponseReturnValue:
    flash(done, "good")
    return redirect(url_for("appeal_desk.appeal", public_id=found.public_id), 303)


def _languages() -> list[str]:
    """Those that readers are spoken to in, the newsroom's own first."""
    known = house()
    return sorted(known.languages, key=lambda code: code != known.default_language)


def _form(plan: Plan, variants: list[Variant], version: int) -> AppealForm:
    made = form_for([variant.key for variant in variants], _languages(), zone())
    return made(formdata=None, **values_of(plan, variants, version, zone()))


def _new_page(form: AppealForm) -> str:
    return render_template("appeals/desk/new.html", form=form, **_words())


def _page(
    found: Appeal, form: AppealForm | None = None, *, ending: EndForm | None = None, problem: Conflict | None = None
) -> str:
    """The page of an appeal; a form that came back keeps what was typed, beside the `problem` if there was one."""
    variants, languages, now = queries.variants_of(found.id), _languages(), clock.now()
    is_draft, may_edit = may_change(State(found.state)), current_user.may("appeals.edit")
    if form is None and is_draft and may_edit:
        form = _form(queries.plan_of(found), variants, found.version)
    return render_template(
        "appeals/desk/appeal.html",
        appeal=found,
        variants=variants,
        form=form if is_draft else None,
        problem=problem,
        wrong=form if form is not None and form.errors else ending,
        ending=ending or EndForm(formdata=None),
        faults=faults_of(variants, languages[0], found.ends_at, now) if is_draft else [],
        warnings=warnings_of(variants, languages, found.holdout_percent) if is_draft else [],
        is_over=is_over(State(found.state), found.ends_at, now),
        is_waiting=found.state == State.RUNNING and found.starts_at is not None and found.starts_at > now,
        may_edit=may_edit,
        events=queries.events_of(found.id)[::-1],
        staff_names={person.id: member.name for member, person in list_staff()},
        **_words(),
    )


def _words() -> dict[str, Any]:
    """What the pages need to show words as readers see them."""
    languages = _languages()
    return {
        "spoken": [(code, LANGUAGES[code]) for code in languages],
        "amounts": queries.amounts_in(languages),
        "priced": queries.priced,
        "zone": str(zone()),
    }
