"""The desk's inbox: notices of the payment company as they came, what became of them, and working them off again."""

from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from membership.front.rules.filters import typed_day
from membership.front.views.people.presses import actor, attempt, new_token, nonce_of
from membership.kernel import clock
from membership.kernel.errors import NotFound
from membership.operations.forms import ReasonForm
from membership.operations.queries import notices as queries
from membership.operations.queries.notices import Notice, Wanted
from membership.operations.services import intervening
from membership.operations.services.intervening import Press
from membership.web.access import audience

inbox_bp = Blueprint("inbox", __name__)

LONGEST_SEARCH = 255


@inbox_bp.get("/staff/inbox")
@audience("staff", may="inbox.see")
def index() -> ResponseReturnValue:
    """Notices, newest first, as the address asks for them."""
    wanted, arguments = _wanted()
    found = queries.search(wanted, request.args.get("before"))
    stuck = queries.count_stuck()
    return render_template(
        "front/inbox.html", wanted=wanted, arguments=arguments, found=found, stuck=stuck, states=queries.STATES
    )


def _wanted() -> tuple[Wanted, dict[str, str]]:
    """What is looked for, and the same as arguments of an address; what cannot be looked for is left out."""
    typed = {name: request.args.get(name, "").strip()[:LONGEST_SEARCH] for name in ("q", "type", "state", "day")}
    try:
        day = typed_day(typed["day"])
    except ValueError:
        day, typed["day"] = None, ""
    if typed["state"] not in queries.STATES:
        typed["state"] = ""
    wanted = Wanted(typed["q"], typed["type"], typed["state"], day)
    return wanted, {name: value for name, value in typed.items() if value}


@inbox_bp.get("/staff/inbox/<event_id>")
@audience("staff", may="inbox.see")
def notice(event_id: str) -> ResponseReturnValue:
    """Everything about one notice."""
    return render_template("front/notice.html", notice=queries.get_notice(event_id))


@inbox_bp.get("/staff/inbox/<event_id>/replay")
@audience("staff", may="inbox.replay")
def replay(event_id: str) -> ResponseReturnValue:
    """Say what working it off again does, and ask for the reason."""
    found, form = _replayable(event_id), ReasonForm(formdata=None)
    form.form_token.data = new_token(event_id, "replay")
    return render_template("front/notice_replay.html", notice=found, form=form, problem=None)


@inbox_bp.post("/staff/inbox/<event_id>/replay")
@audience("staff", rate="write", may="inbox.replay")
def replay_post(event_id: str) -> ResponseReturnValue:
    """Have it worked off again."""
    found, form = _replayable(event_id), ReasonForm()
    nonce = nonce_of(form, event_id, "replay")
    problem, status = ("stale", 409) if nonce is None else (None, 422)
    if nonce is not None and form.validate():
        problem, status = attempt(lambda: intervening.replay(event_id, _press(form, nonce)))
        if problem is None:
            flash(_("It is being worked off again. What becomes of it stands here in a moment."))
            return redirect(url_for("inbox.notice", event_id=event_id), 303)
    return render_template("front/notice_replay.html", notice=found, form=form, problem=problem), status


def _replayable(event_id: str) -> Notice:
    found = queries.get_notice(event_id)
    if not found.can_be_read:
        raise NotFound("not_readable", "This notice names nothing that could be read again.")
    return found


# Two words deep, so that no id of a notice can be meant.
@inbox_bp.get("/staff/inbox/replay/all")
@audience("staff", may="inbox.replay")
def replay_all() -> ResponseReturnValue:
    """Show what would be worked off again: everything that was given up until now."""
    form, until = ReasonForm(formdata=None), clock.now()
    form.until.data = until.isoformat()
    form.form_token.data = new_token(until.isoformat(), "replay_all")
    return _preview(form, until)


@inbox_bp.post("/staff/inbox/replay/all")
@audience("staff", rate="write", may="inbox.replay")
def replay_all_post() -> ResponseReturnValue:
    """Have all of it worked off again that the page had shown."""
    form = ReasonForm()
    nonce = nonce_of(form, form.until.data or "", "replay_all")
    if nonce is None:
        return _preview(form, clock.now(), "stale"), 409
    until = datetime.fromisoformat(form.until.data or "")
    if not form.validate():
        return _preview(form, until), 422
    n = intervening.replay_dead(until, _press(form, nonce))
    flash(ngettext("%(num)s notice is being worked off again.", "%(num)s notices are being worked off again.", n))
    return redirect(url_for("inbox.index"), 303)


def _press(form: ReasonForm, nonce: str) -> Press:
    return Press(nonce, form.reason.data or "", actor(), clock.now())


def _preview(form: ReasonForm, until: datetime, problem: str | None = None) -> str:
    dead = queries.preview_dead(until)
    return render_template("front/inbox_replay.html", form=form, dead=dead, most=intervening.AT_ONCE, problem=problem)
