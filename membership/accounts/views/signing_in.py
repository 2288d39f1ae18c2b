"""Signing in and out."""

import logging
import re

from flask import Blueprint, Flask, Response, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext
from flask_login import LoginManager, current_user
from flask_login.utils import _user_context_processor

from membership.accounts import queries, services
from membership.accounts.forms import AddressForm, CodeForm
from membership.accounts.rules import PLACES, REQUEST_LIFE, browser_of, mailbox, path_of, place, place_at
from membership.accounts.sessions import VisitInterface, load_person, login_cookie, set_login_nonce
from membership.kernel import clock, ids
from membership.kernel.errors import Conflict, InvalidInput, TooMany
from membership.mail.queries import is_mail_flowing
from membership.web import ratelimit
from membership.web.access import audience
from membership.web.forms import Form
from membership.web.i18n import current_locale

bp = Blueprint("accounts", __name__)
log = logging.getLogger(__name__)

NONCE = re.compile(r"[A-Za-z0-9_-]{43}")
ADDRESS_KEY = "signin_address"


def install(app: Flask) -> None:
    """Connect sessions, Flask-Login and the pages."""
    app.session_interface = VisitInterface()
    manager = LoginManager()
    manager.session_protection = None  # sessions are rows here; a new network is no reason to throw anybody out
    manager.request_loader(load_person)
    manager.unauthorized_handler(_send_to_sign_in)
    # Not `manager.init_app(app)`: it would look into the session after every request, for a "remember me"
    # cookie that we do not have.
    app.login_manager = manager  # type: ignore[attr-defined]
    app.context_processor(_user_context_processor)
    app.register_blueprint(bp)


@bp.after_request
def _keep_nothing(response: Response) -> Response:
    """Pages about signing in stay in no cache: their addresses and forms open doors."""
    response.headers["Cache-Control"] = "no-store"
    return response


def _send_to_sign_in() -> ResponseReturnValue:
    return redirect(url_for("accounts.signin", next=place_at(request.path)), 303)


@bp.get("/signin")
@audience("public", rate="signin")
def signin() -> ResponseReturnValue:
    """Ask for the address."""
    if current_user.is_authenticated:
        return redirect(path_of(place(request.args.get("next"))), 303)
    form = AddressForm()
    form.next.data = place(request.args.get("next"))
    return _signin_page(form)


@bp.post("/signin")
@audience("public", rate="signin")
def ask() -> ResponseReturnValue:
    """Have the mail sent; the answer is the same for every address."""
    if current_user.is_authenticated:
        return redirect(PLACES["account"], 303)
    form = AddressForm()
    if not form.validate():
        return _signin_page(form), 422
    nonce = _nonce() or ids.new_secret()
    _ask_within_limits(str(form.email.data), place(form.next.data), nonce)
    session[ADDRESS_KEY] = form.email.data
    answer = make_response(redirect(url_for("accounts.sent"), 303))
    set_login_nonce(answer, nonce, int(REQUEST_LIFE.total_seconds()))
    return answer


def _ask_within_limits(email: str, wanted: str, nonce: str) -> None:
    """Beyond a limit nothing is sent and nothing is said (S8); the page says in every case when none comes."""
    try:
        ratelimit.hit_all(
            ("signin.origin", ratelimit.origin()),
            ("signin.network", ratelimit.network_of(request.remote_addr or "")),
            # One network cannot use up what is meant for the owner of the mailbox, who asks from another.
            ("signin.address", mailbox(email), ratelimit.network_of(request.remote_addr or "")),
            ("signin.mailbox", mailbox(email)),
            ("signin.total",),
        )
    except TooMany:
        log.info("signin_limited")
        return
    services.ask(email, current_locale(), wanted, nonce)


@bp.get("/signin/sent")
@audience("public", rate="signin")
def sent() -> ResponseReturnValue:
    """Say that a mail is on its way, and take the code."""
    if current_user.is_authenticated:
        return redirect(PLACES["account"], 303)
    return _sent_page(CodeForm())


@bp.post("/signin/sent")
@audience("public", rate="signin")
def enter_code() -> ResponseReturnValue:
    """Sign in by the typed code."""
    ratelimit.hit("signin.code", ratelimit.origin())
    form = CodeForm()
    if not form.validate():
        return _sent_page(form), 422
    try:
        signed_in = services.use_code(str(form.code.data), _nonce() or "", _browser())
    except InvalidInput as error:
        form.code.errors = [wrong_code(error.details["n_left"])]
        return _sent_page(form), 422
    except Conflict:
        return _sent_page(form, is_dead=True), 409
    return _go_on(signed_in)


def wrong_code(n_left: int) -> str:
    """What stands beside a code that does not fit."""
    sentence = ngettext(
        "This is not the code from our newest mail. You can try once more.",
        "This is not the code from our newest mail. You can try %(num)s more times.",
        n_left,
    )
    return str(sentence)


@bp.get("/signin/link/<token>")
@audience("public", rate="signin")
def link(token: str) -> ResponseReturnValue:
    """Where the mailed link leads: a button. Looking changes nothing (S4)."""
    return _link_page(queries.link_state(token, _nonce() or ""))


@bp.post("/signin/link/<token>")
@audience("public", rate="signin")
def use_link(token: str) -> ResponseReturnValue:
    """Sign in by the mailed link, in the browser that asked for it."""
    ratelimit.hit("signin.code", ratelimit.origin())
    Form()
    nonce = _nonce() or ""
    signed_in = services.use_link(token, nonce, _browser())
    if signed_in is not None:
        return _go_on(signed_in)
    state = queries.link_state(token, nonce)
    return _link_page("dead" if state == "ready" else state), 403 if state == "elsewhere" else 409


@bp.post("/signout")
@audience("public", rate="write")
def signout() -> ResponseReturnValue:
    """End this session."""
    Form()
    if session.row_id is not None:  # type: ignore[attr-defined]
        services.sign_out(session.row_id)  # type: ignore[attr-defined]
    session.leave()  # type: ignore[attr-defined]
    return redirect("/", 303)


@bp.post("/signout/everywhere")
@audience("member", rate="write")
def signout_everywhere() -> ResponseReturnValue:
    """End all sessions of this person."""
    Form()
    services.sign_out_everywhere(current_user)
    session.leave()  # type: ignore[attr-defined]
    return redirect("/", 303)


def _go_on(signed_in: services.SignedIn) -> Response:
    session.enter(signed_in.session_id)  # type: ignore[attr-defined]
    answer = make_response(redirect(path_of(signed_in.place), 303))
    set_login_nonce(answer, "", 0)
    return answer


def _browser() -> str | None:
    return browser_of(request.user_agent.string)


def _nonce() -> str | None:
    """The nonce of this browser; None where it has none that we could have given."""
    nonce = request.cookies.get(login_cookie(), "")
    return nonce if NONCE.fullmatch(nonce) else None


def _signin_page(form: AddressForm) -> str:
    return render_template(
        "accounts/signin.html", form=form, is_mail_flowing=is_mail_flowing(clock.real_now()), n_minutes=_minutes()
    )


def _sent_page(form: CodeForm, *, is_dead: bool = False) -> str:
    return render_template(
        "accounts/sent.html",
        form=form,
        address=session.get(ADDRESS_KEY),
        is_dead=is_dead,
        is_mail_flowing=is_mail_flowing(clock.real_now()),
        n_minutes=_minutes(),
    )


def _link_page(state: queries.LinkState) -> str:
    return render_template("accounts/link.html", state=state, n_minutes=_minutes())


def _minutes() -> int:
    return int(REQUEST_LIFE.total_seconds() // 60)
