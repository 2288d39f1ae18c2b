"""The desk of statements: read one in, look at its lines, say whose money it is, undo."""

from collections.abc import Callable, Sequence

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user

from membership.accounts.rules import canonical_email
from membership.accounts.services import staff_name
from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput
from membership.transfers import queries, services
from membership.transfers.forms import AssignForm, ConfirmForm, ExplainedForm, ReasonForm, ReceiptForm, UploadForm
from membership.transfers.models import StatementLine
from membership.transfers.rules.matching import Why
from membership.transfers.services import Decision, Report
from membership.transfers.statements import LARGEST_FILE
from membership.web.access import audience
from membership.web.forms import Form
from membership.web.i18n import current_locale
from membership.web.security import takes_files

desk_bp = Blueprint("statements", __name__)

OPEN_SHOWN = 100
DONE_SHOWN = 30
AWAITED_SHOWN = 50
# A form's own fields come on top of the file.
LARGEST_UPLOAD = LARGEST_FILE + 64 * 1024


@desk_bp.get("/staff/statements")
@audience("staff", may="money.act", reads="statements")
def statements() -> ResponseReturnValue:
    """Lines that somebody must look at, what was booked last, what is announced, and the upload."""
    return _page(_upload_form())


@desk_bp.post("/staff/statements")
@audience("staff", rate="write", may="money.act")
@takes_files(LARGEST_UPLOAD)
def upload() -> ResponseReturnValue:
    """Read a statement in, or try it."""
    form = UploadForm().offer_mappings(list(queries.list_mappings()))
    if not form.validate_on_submit():
        return _page(form), 422
    try:
        mapping = queries.list_mappings().get(form.mapping.data or "")
        raw = form.file.data.stream.read(LARGEST_FILE + 1)
        report = services.read_in(
            raw, mapping, clock.now(), is_trial=form.is_trial.data, actor=staff_name(current_user)
        )
    except InvalidInput as error:
        form.explain(error)
        return _page(form), 422
    if form.is_trial.data:
        return _page(_upload_form(), report=report)
    _say(report)
    return redirect(url_for("statements.statements"), 303)


@desk_bp.post("/staff/statements/confirm")
@audience("staff", rate="write", may="money.act")
def confirm() -> ResponseReturnValue:
    """Book every line that was ticked as it is suggested; what somebody else did meanwhile is told, not done twice."""
    form, at = ConfirmForm(), clock.now()
    form.validate_on_submit()
    n_booked = 0
    for line_id in form.line.data or []:
        try:
            services.confirm(line_id, at, Decision(current_user, at))
            n_booked += 1
        except Conflict as error:
            flash(_(error.message), "warn")
    words = ngettext("%(num)s line is booked.", "%(num)s lines are booked.", n_booked)
    flash(words if n_booked else _("Nothing was ticked, so nothing was booked."), "good" if n_booked else "info")
    return redirect(url_for("statements.statements"), 303)


@desk_bp.get("/staff/statements/<int:line_id>")
@audience("staff", may="money.act", reads="statements")
def line(line_id: int) -> ResponseReturnValue:
    """One line with what may be done about it."""
    return _line_page(line_id)


@desk_bp.post("/staff/statements/<int:line_id>/confirm")
@audience("staff", rate="write", may="money.act")
def confirm_one(line_id: int) -> ResponseReturnValue:
    """The suggestion is right."""
    return _do(line_id, ExplainedForm(), lambda at: services.confirm(line_id, at, Decision(current_user, at)))


@desk_bp.post("/staff/statements/<int:line_id>/assign")
@audience("staff", rate="write", may="money.act")
def assign(line_id: int) -> ResponseReturnValue:
    """It is this person's."""
    form = AssignForm()
    return _do(line_id, form, lambda at: _assign(line_id, form, Decision(current_user, at)), "assign")


def _assign(line_id: int, form: AssignForm, decision: Decision) -> None:
    services.assign(line_id, canonical_email(form.email.data or ""), current_locale(), decision)


@desk_bp.post("/staff/statements/<int:line_id>/return")
@audience("staff", rate="write", may="money.act")
def take_back(line_id: int) -> ResponseReturnValue:
    """It is this payment that went back."""
    form = ReceiptForm()
    receipt = form.receipt.data or ""
    return _do(
        line_id, form, lambda at: services.assign_return(line_id, receipt, Decision(current_user, at)), "receipt"
    )


@desk_bp.post("/staff/statements/<int:line_id>/ignore")
@audience("staff", rate="write", may="money.act")
def ignore(line_id: int) -> ResponseReturnValue:
    """It is no gift."""
    form = ReasonForm()
    return _do(
        line_id, form, lambda at: services.ignore(line_id, Decision(current_user, at, form.reason.data or "")), "ignore"
    )


@desk_bp.post("/staff/statements/<int:line_id>/open")
@audience("staff", rate="write", may="money.act")
def reopen(line_id: int) -> ResponseReturnValue:
    """Look at it again."""
    return _do(line_id, ExplainedForm(), lambda at: services.reopen(line_id, Decision(current_user, at)))


@desk_bp.post("/staff/statements/<int:line_id>/undo")
@audience("staff", rate="write", may="money.act")
def undo(line_id: int) -> ResponseReturnValue:
    """Take the booking back."""
    form = ReasonForm()
    decide = lambda at: services.undo(line_id, Decision(current_user, at, form.reason.data or ""))  # noqa: E731 - one line
    return _do(line_id, form, decide, "undo")


def _do(line_id: int, form: Form, act: Callable[..., None], name: str = "") -> ResponseReturnValue:
    """Carry out one action about a line: mistakes come back beside their field, the next page says what is done."""
    if name and not form.validate_on_submit():
        return _line_page(line_id, **{name: form}), 422
    try:
        act(clock.now())
    except InvalidInput as error:
        if not isinstance(form, ExplainedForm) or not name:
            raise
        form.explain(error)
        return _line_page(line_id, **{name: form}), 422
    flash(_("Done."), "good")
    return redirect(url_for("statements.line", line_id=line_id), 303)


def _upload_form() -> UploadForm:
    return UploadForm(formdata=None).offer_mappings(list(queries.list_mappings()))


def _page(form: UploadForm, report: Report | None = None) -> str:
    open_lines = queries.list_open_lines(OPEN_SHOWN)
    done = queries.list_lines(("booked", "returned", "ignored"), DONE_SHOWN)
    return render_template(
        "transfers/desk/statements.html",
        form=form,
        report=report,
        counts=queries.count_lines(),
        open_lines=open_lines,
        done=done,
        givers=_givers([*open_lines, *done]),
        doubts=_doubts(open_lines),
        awaited=queries.list_awaited(clock.now(), AWAITED_SHOWN),
        by_hand=queries.list_booked_by_hand(DONE_SHOWN),
    )


def _line_page(line_id: int, **typed: Form) -> str:
    """The page of a line; `typed` are forms that came back with mistakes, by the name of their action."""
    found = queries.get_line(line_id)
    forms: dict[str, Form] = {
        "assign": AssignForm(formdata=None),
        "receipt": ReceiptForm(formdata=None),
        "ignore": ReasonForm(formdata=None),
        "undo": ReasonForm(formdata=None),
    } | typed
    for name, form in forms.items():  # two of them ask for a reason, and ids are unique on a page
        for field in form:
            field.id = f"{name}-{field.name}"
    payment = queries.payments_by_id([found.payment_id]).get(found.payment_id or "")
    wrong = next(iter(typed.values()), None)
    givers = _givers([found])
    return render_template(
        "transfers/desk/line.html",
        line=found,
        forms=forms,
        wrong=wrong,
        payment=payment,
        givers=givers,
        doubts=_doubts([found]),
    )


def _givers(lines: list[StatementLine]) -> dict[int, str]:
    """Line -> the address of whom it is suggested for or was booked to."""
    rows = queries.contributions_by_id(each.suggested_id for each in lines)
    people = queries.people_by_id(row.person_id for row in rows.values())
    address = {row.id: people[row.person_id].email if row.person_id in people else row.email for row in rows.values()}
    return {each.id: address[each.suggested_id] for each in lines if each.suggested_id in address}


def _doubts(lines: Sequence[StatementLine]) -> dict[int, tuple[bool, int]]:
    """Open line that is suggested by a name -> whether its address is proved, and how many others have the name."""
    guessed = [each for each in lines if each.is_open and each.why == Why.NAME.value]
    rows = queries.contributions_by_id(each.suggested_id for each in guessed)
    people = queries.people_by_id(row.person_id for row in rows.values())
    found = {}
    for each in guessed:
        row = rows.get(each.suggested_id or 0)
        person = people.get(row.person_id or 0) if row else None
        is_proved = person is not None and person.email_proved_at is not None
        found[each.id] = is_proved, queries.count_namesakes(each, person.id if person else None)
    return found


def _say(report: Report) -> None:
    """What became of the file, as messages of the next page."""
    new = ngettext("%(num)s new line", "%(num)s new lines", report.n_new)
    known = ngettext("%(num)s was known already", "%(num)s were known already", report.n_known)
    booked = ngettext("%(num)s is booked", "%(num)s are booked", report.n_booked)
    flash(f"{new}; {known}; {booked}.", "good")
    if report.is_in_work:
        flash(
            _(
                "These are many lines: whose they may be is worked out now, and what is certain is booked. "
                "Look here again in a few minutes."
            ),
            "info",
        )
    for note in report.notes:
        flash(note, "warn")
