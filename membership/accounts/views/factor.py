"""The second factor of whoever works here: where it is asked for, and where it is set up (ADR 0014)."""

from collections.abc import Callable

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_login import current_user

from membership.accounts import queries, services
from membership.accounts.forms import AppCodeForm, AppForm, NewPasskeyForm, PasskeyForm, RecoveryForm
from membership.accounts.rules import StaffRights
from membership.accounts.services import factors, passkeys
from membership.kernel.errors import InvalidInput
from membership.web import qr, ratelimit
from membership.web.access import SAFE_METHODS, audience, take_wish
from membership.web.errors import explain
from membership.web.forms import Form
from membership.web.links import own_place
from membership.web.security import permissions

factor_bp = Blueprint("factor", __name__)

explain("last_factor", _l("This is your only second factor. Set up another one first. Nothing was done."))
explain("no_passkey", _l("This passkey is no longer there. Nothing was done."))


@factor_bp.after_request
def _allow_passkeys(answer: Response) -> Response:
    answer.headers["Permissions-Policy"] = permissions("publickey-credentials-create", "publickey-credentials-get")
    return answer


def ask_factor(rights: StaffRights) -> ResponseReturnValue:
    """Send somebody who may open a page of the desk to where they show their factor, or set one up.

    Who followed a link on another website has a right to the desk that their browser did not send along: a page of
    ours sends them on, and then it does.
    """
    came_from_elsewhere = request.headers.get("Sec-Fetch-Site") == "cross-site"
    if rights.is_elsewhere and came_from_elsewhere and request.method in SAFE_METHODS:
        return render_template("accounts/desk/arrived.html", path=own_place(request.full_path.rstrip("?")) or "/staff")
    return redirect(url_for("factor.ask" if rights.has_factor else "factor.mine"), 303)


# Showing it ---------------------------------------------------------------------------------------------


@factor_bp.get("/staff/factor")
@audience("staff", rate="signin", factor="asked")
def ask() -> ResponseReturnValue:
    """Ask for the second factor."""
    rights: StaffRights = session.staff_rights  # type: ignore[attr-defined]
    if not rights.has_factor:
        return redirect(url_for("factor.mine"), 303)
    if rights.is_fresh:
        return _go_on()
    return _ask_page()


@factor_bp.post("/staff/factor/app-code")
@audience("staff", rate="signin", factor="asked")
def show_app_code() -> ResponseReturnValue:
    """Take the six digits."""
    form = AppCodeForm()
    return _try("app", form, lambda: factors.show_app_code(current_user.id, str(form.code.data)))


@factor_bp.post("/staff/factor/recovery-code")
@audience("staff", rate="signin", factor="asked")
def show_recovery_code() -> ResponseReturnValue:
    """Take a code that was written down."""
    form = RecoveryForm()
    return _try("recovery", form, lambda: _use_code(str(form.code.data)))


@factor_bp.post("/staff/factor/passkey")
@audience("staff", rate="signin", factor="asked")
def show_passkey() -> ResponseReturnValue:
    """Take what the browser answered."""
    form = PasskeyForm()
    return _try("passkey", form, lambda: passkeys.show(current_user.id, _here(), form.answer.data or ""))


def _try(method: services.Method, form: Form, show: Callable[[], None]) -> ResponseReturnValue:
    """Count the try, look at it, and open the desk where it is right."""
    # Six digits can be guessed, so they are counted per person. Whoever has only the mailbox, and guesses, must not
    # shut the owner out: a passkey and a written code go on being taken.
    guessable = [("factor.day", str(current_user.id))] if method == "app" else []
    ratelimit.hit_all(("factor.try", str(_here())), *guessable)
    if not form.validate():
        return _ask_page(**{method: form}), 422
    try:
        show()
    except InvalidInput as error:
        form["answer" if method == "passkey" else "code"].errors = [_wrong(error.code, method)]
        return _ask_page(**{method: form}), 422
    session.open_desk(method)  # type: ignore[attr-defined]
    return _go_on()


def _use_code(code: str) -> None:
    n_left = factors.show_recovery_code(current_user.id, code)
    words = ngettext("You have %(num)s recovery code left.", "You have %(num)s recovery codes left.", n_left)
    flash(words, "warn" if n_left <= 3 else "info")  # noqa: PLR2004 - few


def _wrong(code: str, method: str) -> str:
    if code == "passkey_wrong":
        return str(_("This passkey could not be taken, or the question was too old. Please try again."))
    if method == "app":
        return str(_("This is not the code. A code is good for half a minute, and only once."))
    return str(_("This is none of your recovery codes, or it was used already."))


def _go_on() -> ResponseReturnValue:
    """To where they were going; a form that was sent meanwhile was not carried out, and waits there filled in."""
    path, was_sent = take_wish()
    if was_sent:
        flash(_("Nothing was done yet: we asked for your second factor first. Look it over and send it once more."))
    return redirect(own_place(path) or "/staff", 303)


def _ask_page(app: Form | None = None, recovery: Form | None = None, passkey: Form | None = None) -> str:
    has = queries.factors_of(current_user.id)
    forms = {
        "app": app or AppCodeForm(formdata=None),
        "recovery": recovery or RecoveryForm(formdata=None),
        "passkey": passkey or PasskeyForm(formdata=None),
    }
    for name, form in forms.items():  # two of them ask for a code, and ids are unique on a page
        for field in form:
            field.id = f"{name}-{field.name}"
    return render_template(
        "accounts/desk/ask.html",
        forms=forms,
        wrong=app or recovery or passkey,
        has=has,
        question=passkeys.offer_show(current_user.id, _here()),
        is_open=session.staff_rights.is_open,  # type: ignore[attr-defined]
    )


# Setting it up ------------------------------------------------------------------------------------------


@factor_bp.get("/staff/factor/mine")
@audience("staff", factor="first")
def mine() -> ResponseReturnValue:
    """What is set up, and what may be."""
    has = queries.factors_of(current_user.id)
    return render_template("accounts/desk/mine.html", has=has, may_have_passkeys=passkeys.are_possible())


@factor_bp.get("/staff/factor/app")
@audience("staff", factor="first", fresh=True)
def app() -> ResponseReturnValue:
    """Show the code to scan."""
    made = factors.begin_app(current_user)
    return _app_page(AppForm(formdata=None, data={"sealed": made.sealed}), made)


@factor_bp.post("/staff/factor/app")
@audience("staff", rate="signin", factor="first", fresh=True)
def set_app() -> ResponseReturnValue:
    """Take the first code of the app, which shows that it works."""
    form = AppForm()
    made = factors.continue_app(current_user, form.sealed.data or "")
    if not form.validate():
        return _app_page(form, made), 422
    try:
        codes = factors.set_app(current_user.id, made.sealed, str(form.code.data), _here())
    except InvalidInput:
        form.code.errors = [_("This is not the code that the app should show now. Is the time of your phone right?")]
        return _app_page(form, made), 422
    return _is_set_up("app", codes)


@factor_bp.get("/staff/factor/passkeys/new")
@audience("staff", factor="first", fresh=True)
def passkey() -> ResponseReturnValue:
    """Ask the browser for a new passkey."""
    return _passkey_page(NewPasskeyForm(formdata=None))


@factor_bp.post("/staff/factor/passkeys/new")
@audience("staff", rate="signin", factor="first", fresh=True)
def add_passkey() -> ResponseReturnValue:
    """Keep the one that it made."""
    form = NewPasskeyForm()
    if not form.validate():
        return _passkey_page(form), 422
    try:
        codes = passkeys.add(current_user.id, _here(), form.answer.data or "", str(form.name.data))
    except InvalidInput as error:
        field = form.name if error.code == "name_missing" else form.answer
        field.errors = [_("The browser made no passkey that we can use. Nothing was kept; please try again.")]
        return _passkey_page(form), 422
    return _is_set_up("passkey", codes)


@factor_bp.get("/staff/factor/app/remove")
@audience("staff", fresh=True)
def app_sure() -> ResponseReturnValue:
    """Say what it means."""
    return render_template("accounts/desk/remove_factor.html", passkey=None)


@factor_bp.post("/staff/factor/app/remove")
@audience("staff", rate="signin", fresh=True)
def remove_app() -> ResponseReturnValue:
    """Take the app away."""
    Form()
    factors.remove_app(current_user.id, _here())
    flash(_("Your app opens nothing here any more."))
    return redirect(url_for("factor.mine"), 303)


@factor_bp.get("/staff/factor/passkeys/<int:passkey_id>/remove")
@audience("staff", fresh=True)
def passkey_sure(passkey_id: int) -> ResponseReturnValue:
    """Say what it means."""
    key = passkeys.get_passkey(current_user.id, passkey_id)
    return render_template("accounts/desk/remove_factor.html", passkey=key)


@factor_bp.post("/staff/factor/passkeys/<int:passkey_id>/remove")
@audience("staff", rate="signin", fresh=True)
def remove_passkey(passkey_id: int) -> ResponseReturnValue:
    """Take one passkey away."""
    Form()
    passkeys.remove(current_user.id, passkey_id, _here())
    flash(_("That passkey opens nothing here any more."))
    return redirect(url_for("factor.mine"), 303)


@factor_bp.get("/staff/factor/codes")
@audience("staff", fresh=True)
def codes_sure() -> ResponseReturnValue:
    """Say that the old ones go."""
    return render_template("accounts/desk/new_codes.html", has=queries.factors_of(current_user.id))


@factor_bp.post("/staff/factor/codes")
@audience("staff", rate="signin", fresh=True)
def make_codes() -> ResponseReturnValue:
    """Make recovery codes anew, and show them once."""
    Form()
    return _codes_page(factors.make_codes(current_user.id, _here()), url_for("factor.mine"))


def _is_set_up(method: services.Method, codes: list[str] | None) -> ResponseReturnValue:
    """Whoever has set a factor up has shown it; with the first one come recovery codes."""
    session.open_desk(method)  # type: ignore[attr-defined]
    if codes is None:
        flash(_("It is set up. From now on you can sign in with it."))
        return redirect(url_for("factor.mine"), 303)
    path, _was_sent = take_wish()
    return _codes_page(codes, own_place(path) or "/staff")


def _codes_page(codes: list[str], path: str) -> Response:
    answer = make_response(render_template("accounts/desk/codes.html", codes=codes, path=path))
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _app_page(form: AppForm, made: factors.AppSetUp) -> str:
    spaced = " ".join(made.secret[first : first + 4] for first in range(0, len(made.secret), 4))
    return render_template("accounts/desk/app.html", form=form, drawn=qr.of_text(made.uri), secret=spaced)


def _passkey_page(form: NewPasskeyForm) -> str:
    form.answer.data = ""
    question = passkeys.offer_new(current_user, _here()) if passkeys.are_possible() else None
    return render_template("accounts/desk/passkey.html", form=form, question=question)


def _here() -> int:
    """The row of this browser's session."""
    return session.row_id  # type: ignore[attr-defined, no-any-return]
