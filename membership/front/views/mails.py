"""The desk's mails: what waits, failed and was sent; trying again and letting be; and the catalogue of all mails."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from membership.front.views.people.presses import actor, attempt, new_token, nonce_of
from membership.kernel import clock
from membership.kernel.errors import NotFound
from membership.mail.catalogue import find_entry
from membership.operations.forms import ReasonForm
from membership.operations.queries import mails as queries
from membership.operations.services import intervening
from membership.operations.services.intervening import Press
from membership.web.access import audience

mails_bp = Blueprint("mails", __name__)

Act = Callable[[int, Press], None]
ACTS: dict[str, Act] = {"again": intervening.send_again, "let-be": intervening.let_be}


@mails_bp.get("/staff/mails")
@audience("staff", may="people.see", reads="people")
def index() -> ResponseReturnValue:
    """Mails, newest first, as the address asks for them."""
    shown, kind = request.args.get("shown", ""), request.args.get("kind", "")
    shown, kind = shown if shown in queries.SHOWN else "", kind if find_entry(kind) else ""
    before = request.args.get("before", "")
    last = int(before) if before.isascii() and before.isdecimal() and len(before) <= len(str(2**53)) else None
    found = queries.search(shown, kind, last)
    return render_template(
        "front/mails.html", found=found, shown=shown, kind=kind, stuck=queries.count_stuck(), before=last
    )


@mails_bp.get("/staff/mails/<int:outbox_id>")
@audience("staff", may="people.see", reads="people")
def mail(outbox_id: int) -> ResponseReturnValue:
    """One mail: to whom, how it went, and what staff did about it. Never its text: that is written when it leaves."""
    line, interventions = queries.get_mail(outbox_id)
    return render_template("front/mail.html", line=line, interventions=interventions, entry=find_entry(line.row.kind))


@mails_bp.get("/staff/mails/<int:outbox_id>/<act>")
@audience("staff", may="mails.act")
def ask(outbox_id: int, act: str) -> ResponseReturnValue:
    """Say what the button does, and ask for the reason."""
    form = ReasonForm(formdata=None)
    form.form_token.data = new_token(str(outbox_id), act)
    return _act_page(outbox_id, act, form)


@mails_bp.post("/staff/mails/<int:outbox_id>/<act>")
@audience("staff", rate="write", may="mails.act")
def do(outbox_id: int, act: str) -> ResponseReturnValue:
    """Have it tried again, or let it be."""
    form = ReasonForm()
    nonce = nonce_of(form, str(outbox_id), act)
    if act not in ACTS:
        raise NotFound("no_action", "There is no such action.")
    if nonce is None:
        return _act_page(outbox_id, act, form, "stale"), 409
    if not form.validate():
        return _act_page(outbox_id, act, form), 422
    problem, status = attempt(lambda: ACTS[act](outbox_id, _press(form, nonce)))
    if problem is not None:
        return _act_page(outbox_id, act, form, problem), status
    flash(_("It is on its way again.") if act == "again" else _("It stays here and will not be sent."))
    return redirect(url_for("mails.mail", outbox_id=outbox_id), 303)


def _act_page(outbox_id: int, act: str, form: ReasonForm, problem: str | None = None) -> str:
    line, _interventions = queries.get_mail(outbox_id)
    if act not in ACTS:
        raise NotFound("no_action", "There is no such action.")
    return render_template("front/mail_act.html", line=line, act=act, form=form, problem=problem)


@mails_bp.get("/staff/mails/again")
@audience("staff", may="mails.act")
def again_all() -> ResponseReturnValue:
    """Show which mails would be tried again: all that were given up until now."""
    form, until = ReasonForm(formdata=None), clock.now()
    form.until.data = until.isoformat()
    form.form_token.data = new_token(until.isoformat(), "mails_again")
    return _preview(form, until)


@mails_bp.post("/staff/mails/again")
@audience("staff", rate="write", may="mails.act")
def again_all_post() -> ResponseReturnValue:
    """Have all of them tried again that the page had shown."""
    form: Any = ReasonForm()
    nonce = nonce_of(form, form.until.data or "", "mails_again")
    if nonce is None:
        return _preview(form, clock.now(), "stale"), 409
    until = datetime.fromisoformat(form.until.data or "")
    if not form.validate():
        return _preview(form, until), 422
    n = intervening.send_dead_again(until, _press(form, nonce))
    flash(ngettext("%(num)s mail is on its way again.", "%(num)s mails are on their way again.", n))
    return redirect(url_for("mails.index"), 303)


def _press(form: ReasonForm, nonce: str) -> Press:
    return Press(nonce, form.reason.data or "", actor(), clock.now())


def _preview(form: ReasonForm, until: datetime, problem: str | None = None) -> str:
    n, causes = queries.preview_dead(until)
    most = intervening.AT_ONCE
    return render_template("front/mails_again.html", form=form, n=n, causes=causes, most=most, problem=problem)
