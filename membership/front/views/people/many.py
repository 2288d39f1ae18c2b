"""Something for many people at once: settled, looked over, begun, watched, stopped, taken back."""

from urllib.parse import urlencode

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from membership.front.forms import ManyForm, StartForm, problem_words
from membership.front.queries import people, runs
from membership.front.rules.filters import read_filter
from membership.front.services import runs as services
from membership.front.views.people.presses import actor, people_bp
from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput
from membership.web.access import audience
from membership.web.forms import Form

RUN = "/staff/people/runs/<public_id>"


@people_bp.post("/staff/people/many")
@audience("staff", rate="write", may="people.act")
def draft() -> ResponseReturnValue:
    """Settle what is to be done for whom; nothing happens before it was looked over."""
    form = ManyForm()
    wanted = form.to_filter()
    try:
        run = services.draft(form.to_plan(), form.to_chosen(), actor=actor(), at=clock.now())
    except InvalidInput as error:
        flash(problem_words(error), "warn")
        return redirect(f"{url_for('people_desk.index')}?{urlencode(wanted.to_query())}", 303)
    return redirect(url_for("people_desk.run", public_id=run.public_id), 303)


@people_bp.get("/staff/people/runs")
@audience("staff", may="people.see")
def all_runs() -> ResponseReturnValue:
    """What was done for many at once, the newest first."""
    return render_template("front/people_runs.html", rows=runs.list_runs(), names=people.staff_names())


@people_bp.get(RUN)
@audience("staff", may="people.see")
def run(public_id: str) -> ResponseReturnValue:
    """A draft to be looked over, or how far it has come."""
    return _page(public_id, StartForm(formdata=None))


@people_bp.post(f"{RUN}/start")
@audience("staff", rate="write", may="people.act")
def start(public_id: str) -> ResponseReturnValue:
    """Begin."""
    form = StartForm()
    if not form.validate():
        return _page(public_id, form), 422
    try:
        services.start(public_id, form.reason.data or "", actor=actor(), at=clock.now())
    except InvalidInput as error:
        form.reason.errors = [problem_words(error)]
        return _page(public_id, form), 422
    return redirect(url_for("people_desk.run", public_id=public_id), 303)


@people_bp.post(f"{RUN}/stop")
@audience("staff", rate="write", may="people.act")
def stop(public_id: str) -> ResponseReturnValue:
    """Leave the rest out."""
    Form()
    try:
        services.stop(public_id)
        flash(_("Stopped. Whoever had it already keeps it."))
    except Conflict:
        flash(_("There was nothing left to stop."), "warn")
    return redirect(url_for("people_desk.run", public_id=public_id), 303)


@people_bp.post(f"{RUN}/undo")
@audience("staff", rate="write", may="people.act")
def undo(public_id: str) -> ResponseReturnValue:
    """Take it back."""
    Form()
    services.undo(public_id, actor=actor(), at=clock.now())
    return redirect(url_for("people_desk.run", public_id=public_id), 303)


def _page(public_id: str, form: StartForm) -> str:
    view = runs.get_run(public_id)
    chosen = read_filter(view.run.query)[0].to_query()
    return render_template("front/people_run.html", view=view, form=form, chosen=chosen, names=people.staff_names())
