"""The catalogue of mails: every mail that this house can write, as it looks, and a test of it to oneself."""

from itertools import groupby

from flask import Blueprint, Response, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from membership.front.views.people.presses import new_token, nonce_of
from membership.kernel.errors import NotFound
from membership.mail import letters, services
from membership.mail.catalogue import CatalogueEntry, all_mails, find_entry
from membership.operations.forms import TestMailForm
from membership.web import ratelimit, settings
from membership.web.access import audience
from membership.web.i18n import LANGUAGES
from membership.web.security import content_policy

catalogue_bp = Blueprint("catalogue", __name__)

MAIL = "/staff/mails/catalogue/<room>/<name>"


@catalogue_bp.get("/staff/mails/catalogue")
@audience("staff")
def index() -> ResponseReturnValue:
    """Every mail with why it is sent, room by room."""
    rooms = [(room, list(entries)) for room, entries in groupby(all_mails(), lambda entry: entry.kind.split("/")[0])]
    return render_template("front/catalogue.html", rooms=rooms)


@catalogue_bp.get(MAIL)
@audience("staff")
def mail(room: str, name: str) -> Response:
    """One mail with its example, in both languages: as plain text, and its HTML in a frame of its own."""
    entry = _entry(room, name)
    written = {locale: letters.write(entry, entry.example, locale) for locale in LANGUAGES}
    form = TestMailForm(formdata=None)
    form.form_token.data = new_token(entry.kind, "test_mail")
    page = render_template("front/catalogue_mail.html", entry=entry, written=written, form=form, spoken=LANGUAGES)
    answer = make_response(page)
    answer.headers["Content-Security-Policy"] = content_policy(settings(), frame_src="'self'")
    return answer


@catalogue_bp.get(f"{MAIL}/<locale>")
@audience("staff")
def html(room: str, name: str, locale: str) -> Response:
    """The HTML part. It may style itself and nothing else: no scripts, no forms, no links, nothing loaded."""
    if locale not in LANGUAGES:
        raise NotFound("mail_unknown", "There is no such mail.")
    entry = _entry(room, name)
    answer = make_response(letters.write(entry, entry.example, locale).html)
    answer.headers["Content-Security-Policy"] = content_policy(
        settings(),
        style_src="'unsafe-inline'",
        img_src="'none'",
        connect_src="'none'",
        form_action="'none'",
        frame_ancestors="'self'",
        sandbox="",
    )
    return answer


@catalogue_bp.post(f"{MAIL}/test")
@audience("staff", rate="write")
def test(room: str, name: str) -> ResponseReturnValue:
    """Send its example to whoever asks, through the outbox, marked as a test."""
    entry, form = _entry(room, name), TestMailForm()
    back = redirect(url_for("catalogue.mail", room=room, name=name), 303)
    nonce = nonce_of(form, entry.kind, "test_mail")
    if nonce is None or not form.validate():
        flash(_("This page was open for a long time. Press the button again."), "warn")
        return back
    ratelimit.hit("mails.test", current_user.public_id)
    services.send_test(entry.kind, current_user.email, form.locale.data or "", nonce)
    flash(_("A test is on its way to %(email)s.", email=current_user.email))
    return back


def _entry(room: str, name: str) -> CatalogueEntry:
    entry = find_entry(f"{room}/{name}")
    if entry is None:
        raise NotFound("mail_unknown", "There is no such mail.")
    return entry
