"""The desk of settings: look at them, change one page of them, see what that means, save it, and take it back."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from wtforms import HiddenField

from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput, NotFound
from membership.newsroom import queries, services
from membership.newsroom.forms import SettingForm, form_of
from membership.newsroom.queries.history import newest_version, values_at
from membership.newsroom.queries.snapshot import current, forget
from membership.newsroom.rules.subjects import Subject, Values
from membership.newsroom.views.brief import brief_of
from membership.newsroom.views.shown import ahead_of, changes_in, drawn_in, history_of, names_of, preview_of, summary_of
from membership.newsroom.views.words import SUBJECTS, title
from membership.web.access import ask_for_fresh, audience
from membership.web.forms import Form

bp = Blueprint("settings", __name__)

AT = "/staff/settings/<subject>"


class BackForm(Form):
    """To which version a subject goes back, and which one counted when the button was shown."""

    to = HiddenField()
    base = HiddenField()


@bp.get("/staff/settings")
@audience("staff", may="settings.see")
def overview() -> ResponseReturnValue:
    """Every setting with what counts, and where it comes from."""
    parts = {subject: (brief_of(current().values[subject]), *summary_of(subject)) for subject in Subject}
    return render_template("newsroom/settings.html", parts=parts, subjects=SUBJECTS)


@bp.get(AT)
@audience("staff", may="settings.see")
def page(subject: str) -> ResponseReturnValue:
    """One page of settings, with its history; a form for who may change them."""
    about = _subject(subject)
    return _page(about, _shown(about))


@bp.post(AT)
@audience("staff", rate="write", may="settings.edit")
def look(subject: str) -> ResponseReturnValue:
    """Say what these values mean and show what readers would see, before anything is saved."""
    about = _subject(subject)
    if asked := _prove(about):
        return asked
    form = form_of(about, current().prices)
    meanwhile = _meet(about, form)
    wanted = _read(about, form)
    if wanted is None:
        return _page(about, form, meanwhile=meanwhile), 422
    return _page(about, form, wanted, meanwhile)


@bp.post(f"{AT}/save")
@audience("staff", rate="write", may="settings.edit")
def save(subject: str) -> ResponseReturnValue:
    """Let what was looked at count from now on."""
    about = _subject(subject)
    if asked := _prove(about):
        return asked
    form = form_of(about, current().prices)
    wanted = _read(about, form)
    if wanted is None:
        return _page(about, form), 422
    try:
        services.save(about, wanted, form.base_number, _actor(), clock.now())
    except (Conflict, InvalidInput) as error:
        return _refused(about, error)
    flash(_("Saved. It counts from now on."), "good")
    return redirect(url_for("settings.page", subject=about.value, saved=1), 303)


@bp.post(f"{AT}/back")
@audience("staff", rate="write", may="settings.edit")
def back(subject: str) -> ResponseReturnValue:
    """Let an earlier version count again."""
    about, form = _subject(subject), BackForm()
    if asked := _prove(about):
        return asked
    form.validate()
    try:
        services.go_back(about, _number(form.to.data), _number(form.base.data), _actor(), clock.now())
        flash(_("It is as it was before. That, too, can be taken back."), "good")
    except Conflict:
        flash(_("Somebody else saved this page in the meantime, so nothing was taken back. Look once more."), "warn")
    except InvalidInput:
        flash(
            _("That version can no longer be as it was: what may be set has changed since. Nothing was done."), "warn"
        )
    return redirect(url_for("settings.page", subject=about.value), 303)


def _prove(about: Subject) -> ResponseReturnValue | None:
    """Where money of readers goes is changed only after a fresh proof; None where there is one, or none is wanted."""
    return ask_for_fresh() if about is Subject.WAYS else None


def _subject(name: str) -> Subject:
    try:
        return Subject(name)
    except ValueError:
        raise NotFound("no_subject", "There is no such page of settings.") from None


def _number(typed: Any) -> int:
    text = str(typed or "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else 0  # noqa: PLR2004


def _actor() -> str:
    return f"staff:{current_user.public_id}"


def _shown(about: Subject) -> SettingForm:
    """The form as things stand."""
    form = form_of(about, current().prices, formdata=None).show(current().values[about])
    form.base.data = str(current().number(about))
    return form


def _read(about: Subject, form: SettingForm) -> Values | None:
    bounds = queries.bounds()
    return form.read(lambda values: values.faults(bounds), current().values[about])


def _meet(about: Subject, form: SettingForm) -> dict[str, Any] | None:
    """What somebody else saved since this form was opened: taken over where this one was left as it was, and told.

    None where nobody did. From here on the form is about what counts now.
    """
    version, base = newest_version(about), values_at(about, form.base_number)
    if version is None or version.number == form.base_number:
        return None
    if base is not None:
        form.mend(base, current().values[about])
    form.base.data = str(version.number)
    return {"who": names_of([version])[version.actor], "at": version.saved_at, "rows": changes_in(version)}


def _refused(about: Subject, error: Conflict | InvalidInput) -> ResponseReturnValue:
    """Nothing was saved, and nothing that was typed is lost: it stands in the form, which is about what counts now."""
    forget()
    form = form_of(about, current().prices)
    meanwhile = _meet(about, form)
    wanted = _read(about, form)
    if isinstance(error, InvalidInput) and wanted is not None:
        form.explain(error.details.get("faults", ()))
    return _page(about, form, wanted, meanwhile), 409 if isinstance(error, Conflict) else 422


def _page(
    about: Subject, form: SettingForm, wanted: Values | None = None, meanwhile: dict[str, Any] | None = None
) -> str:
    """The page of a subject; with values that are `wanted`, what they mean and look like stands above the form."""
    rows, origin = summary_of(about)
    return render_template(
        "newsroom/subject.html",
        subject=about.value,
        title=title(about),
        about=SUBJECTS[about][1],
        form=form,
        number=current().number(about),
        rows=rows,
        origin=origin,
        ahead=ahead_of(about, wanted) if wanted is not None else None,
        preview=preview_of(current().values[about]),
        meanwhile=meanwhile,
        history=history_of(about),
        echo=form.echo(),
        prices=current().prices,
        drawn=drawn_in(wanted if wanted is not None else current().values[about]),
        may_edit=current_user.may("settings.edit"),
    )
