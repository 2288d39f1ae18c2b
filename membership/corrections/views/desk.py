"""The desk of corrections: the queue, and one page per passage with every action of its state."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from membership.accounts.queries import list_staff
from membership.corrections import queries, services
from membership.corrections.forms import NOBODY, AssignForm, DeclineForm, DuplicateForm, FixForm
from membership.corrections.models import CorrectionPassage
from membership.corrections.rules import ANSWER_WITHIN, SHELVES, TARGETS, Anchor, State, is_same_passage
from membership.kernel import clock
from membership.kernel.errors import InvalidInput, NotFound
from membership.topics.forms import TypedForm
from membership.web.access import audience
from membership.web.forms import Form

desk_bp = Blueprint("correction_desk", __name__)

SHOWN = 30
OTHERS_SHOWN = 10
MINE = "mine"


@desk_bp.get("/staff/corrections")
@audience("staff")
def queue() -> ResponseReturnValue:
    """The passages in one state; of those that wait the longest waiting first."""
    shelf = request.args.get("state", "")
    state = State(shelf) if shelf in set(State) else State.NEW
    is_mine = request.args.get("who") == MINE
    page = queries.list_in(state, SHOWN, request.args.get("after", ""), current_user.id if is_mine else None)
    reports = queries.reports_of([passage.id for passage in page.rows])
    return render_template(
        "corrections/desk/queue.html",
        page=page,
        state=state,
        is_mine=is_mine,
        shelves=SHELVES,
        counts=queries.n_by_state(),
        reports=reports,
        anchors={passage_id: queries.anchor_of(rows) for passage_id, rows in reports.items()},
        staff_names=_names(),
        late_before=clock.now() - ANSWER_WITHIN,
    )


@desk_bp.get("/staff/corrections/<public_id>")
@audience("staff")
def passage(public_id: str) -> ResponseReturnValue:
    """One passage, who reported it, and what may be done about it."""
    return _page(queries.get_by_public_id(public_id))


@desk_bp.post("/staff/corrections/<public_id>/fix")
@audience("staff", rate="write", may="corrections.answer")
def fix(public_id: str) -> ResponseReturnValue:
    """The article was corrected."""
    form = FixForm()
    words = {name: getattr(form, name).data or "" for name in ("before", "after", "headline", "reply")}
    return _do(public_id, form, services.fix, _("It stands in the public log, and the readers are thanked."), **words)


@desk_bp.post("/staff/corrections/<public_id>/decline")
@audience("staff", rate="write", may="corrections.answer")
def decline(public_id: str) -> ResponseReturnValue:
    """The article stays as it is."""
    form = DeclineForm()
    done = _("It is declined, and the readers get your answer.")
    return _do(public_id, form, services.decline, done, reply=form.reply.data or "")


@desk_bp.post("/staff/corrections/<public_id>/duplicate")
@audience("staff", rate="write", may="corrections.answer")
def duplicate(public_id: str) -> ResponseReturnValue:
    """It is the same mistake as another."""
    form, found = DuplicateForm(), queries.get_by_public_id(public_id)
    if not form.is_in_order():
        return _page(found, duplicate=form), 422
    try:
        into = queries.get_by_public_id(form.into.data or "")
    except NotFound as error:
        form.into.errors = [_(error.message)]
        return _page(found, duplicate=form), 422
    done = _("It is a duplicate; its readers get the answer of the other one.")
    return _do(public_id, form, services.mark_duplicate, done, into_id=into.id)


@desk_bp.post("/staff/corrections/<public_id>/spam")
@audience("staff", rate="write", may="corrections.answer")
def spam(public_id: str) -> ResponseReturnValue:
    """It is no report at all."""
    return _do(public_id, Form(), services.mark_spam, _("It is set aside as spam, and nobody is written to."))


@desk_bp.post("/staff/corrections/<public_id>/reopen")
@audience("staff", rate="write", may="corrections.answer")
def reopen(public_id: str) -> ResponseReturnValue:
    """Take it up again."""
    return _do(public_id, Form(), services.reopen, _("It waits for an answer again."))


@desk_bp.post("/staff/corrections/<public_id>/take")
@audience("staff", rate="write", may="corrections.answer")
def take(public_id: str) -> ResponseReturnValue:
    """Look after it oneself."""
    return _do(public_id, Form(), services.assign, _("You look after it now."), owner_id=current_user.id)


@desk_bp.post("/staff/corrections/<public_id>/assign")
@audience("staff", rate="write", may="corrections.answer")
def assign(public_id: str) -> ResponseReturnValue:
    """Have somebody look after it."""
    form = _assign_form()
    if not form.validate_on_submit():
        return _page(queries.get_by_public_id(public_id), assign=form), 422
    owner_id = None if form.owner.data == NOBODY else form.owner.data
    return _do(public_id, form, services.assign, _("Saved."), owner_id=owner_id)


@desk_bp.post("/staff/corrections/<public_id>/apart/<report>")
@audience("staff", rate="write", may="corrections.answer")
def apart(public_id: str, report: str) -> ResponseReturnValue:
    """One of its reports is about something else."""
    Form()
    queries.get_by_public_id(public_id)
    made = services.take_apart(report, current_user.id)
    flash(_("That report stands by itself now."), "good")
    return redirect(url_for("correction_desk.passage", public_id=made.public_id), 303)


def _do(
    public_id: str, form: Form, service: Callable[..., CorrectionPassage], done: str, **wishes: Any
) -> ResponseReturnValue:
    """Carry out one action of staff; mistakes come back beside their fields, what is done is said on the next page."""
    found, name = queries.get_by_public_id(public_id), request.endpoint.rpartition(".")[2] if request.endpoint else ""
    if isinstance(form, TypedForm) and not form.is_in_order():
        return _page(found, **{name: form}), 422
    try:
        service(found.id, actor=current_user.id, **wishes)
    except InvalidInput as error:
        if not isinstance(form, TypedForm):
            raise
        form.explain(error)
        return _page(found, **{name: form}), 422
    flash(done, "good")
    return redirect(url_for("correction_desk.passage", public_id=public_id), 303)


def _page(found: CorrectionPassage, **typed: Form) -> str:
    """The page of a passage; `typed` are forms that came back with mistakes, by the name of their action."""
    reports = queries.reports_of([found.id])[found.id]
    anchor = queries.anchor_of(reports)
    forms: dict[str, Form] = {
        "fix": _fix_form(found, anchor),
        "decline": DeclineForm(formdata=None, reply=found.reply),
        "duplicate": DuplicateForm(formdata=None),
        "assign": _assign_form(formdata=None, owner=found.owner_id or NOBODY),
    } | typed
    for name, form in forms.items():  # two of them ask for a reply, and ids are unique on a page
        for field in form:
            field.id = f"{name}-{field.name}"
    others = _others(found, anchor)
    return render_template(
        "corrections/desk/passage.html",
        passage=found,
        reports=reports,
        anchor=anchor,
        forms=forms,
        wrong=next(iter(typed.values()), None),
        others=others,
        duplicates=queries.duplicates_of(found.id),
        target=queries.get(found.duplicate_of_id) if found.duplicate_of_id is not None else None,
        events=queries.events_of(found.id)[::-1],
        staff_names=_names(),
        may_answer=current_user.may("corrections.answer"),
    )


def _fix_form(found: CorrectionPassage, anchor: Anchor) -> FixForm:
    """Filled in with what was corrected before, or with what was marked, to be changed."""
    known = next((each.headline for each in queries.corrections_of(found.article_key) if each.headline), None)
    return FixForm(
        formdata=None,
        before=anchor.quote if found.before_words is None else found.before_words,
        after=anchor.quote if found.after_words is None else found.after_words,
        headline=found.headline or known,
        reply=found.reply,
    )


def _others(found: CorrectionPassage, anchor: Anchor) -> list[tuple[CorrectionPassage, Anchor, bool]]:
    """What else was reported of this article, with how it reads and whether that is the same passage; those first."""
    rows = queries.of_article(found.article_key, TARGETS, besides=found.id)
    reports = queries.reports_of([row.id for row in rows])
    read = [(row, queries.anchor_of(reports[row.id])) for row in rows]
    told = [(row, other, is_same_passage(anchor, other)) for row, other in read]
    return sorted(told, key=lambda one: not one[2])[:OTHERS_SHOWN]


def _assign_form(**values: Any) -> AssignForm:
    staff = [(person.id, f"{member.name} ({person.email})") for member, person in list_staff()]
    return AssignForm(**values).offer(staff, _("Nobody in particular"))


def _names() -> dict[int, str]:
    return {person.id: member.name for member, person in list_staff()}
