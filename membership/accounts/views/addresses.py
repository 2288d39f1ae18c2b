"""Another address of mail: type it, type the code that it got, and both addresses are told."""

import logging

from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from membership.accounts import services
from membership.accounts.forms import CodeForm, EmailForm
from membership.accounts.rules import PLACES, REQUEST_LIFE, mailbox, masked
from membership.accounts.services.proving import Purpose
from membership.accounts.views.signing_in import bp, wrong_code
from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput, NotFound, TooMany
from membership.mail.queries import is_mail_flowing
from membership.web import ratelimit
from membership.web.access import audience
from membership.web.errors import explain
from membership.web.forms import Form
from membership.web.i18n import current_locale

log = logging.getLogger(__name__)

NEW_ADDRESS_KEY = "new_address"
PROOF_KEY = "address_proof"
MINUTES = int(REQUEST_LIFE.total_seconds() // 60)

explain("person_gone", _l("This account is no longer there. Nothing was done."))
explain("no_offer", _l("This offer is over. Nothing was done. Type the address once more on the page before."))
explain(
    "address_taken",
    _l("Somebody else uses this address with us by now, so it cannot be given back. Please answer our mail."),
)
explain("merge_gone", _l("One of the two accounts is no longer there, or is being deleted. Nothing was done."))
explain(
    "merge_staff",
    _l("One of the two works here. Merge the other way round, or take that person off the staff. Nothing was done."),
)
explain("merge_same", _l("This is one and the same person already. Nothing was done."))
explain(
    "merge_both_voted",
    _l(
        "Both have voted in a poll that is still open, and nobody may look into a ballot to drop one of them. "
        "Please wait until the poll is closed. Nothing was done."
    ),
)
explain(
    "merge_loses_vote",
    _l(
        "Only the account that would go is on the roll of an open poll, and has not voted yet: its vote would be "
        "lost. Merge the other way round, or wait until the poll is closed. Nothing was done."
    ),
)


@bp.get("/account/email")
@audience("member", rate="signin")
def email() -> ResponseReturnValue:
    """Ask for the new address."""
    return _email_page(EmailForm())


@bp.post("/account/email")
@audience("member", rate="signin")
def ask_email() -> ResponseReturnValue:
    """Have a code sent there; the answer is the same whether somebody has that address or not."""
    form = EmailForm()
    if form.validate() and form.email.data == current_user.email:
        form.email.errors = [_("This is your address already.")]
    if form.errors:
        return _email_page(form), 422
    session[NEW_ADDRESS_KEY] = form.email.data
    ask_within_limits("change", str(form.email.data))
    return redirect(url_for("accounts.email_code"), 303)


def ask_within_limits(purpose: Purpose, address: str) -> None:
    """Beyond a limit nothing is sent and nothing is said, as for signing in; the page says how many mails there are."""
    try:
        ratelimit.hit_all(
            ("signin.origin", ratelimit.origin()),
            ("signin.network", ratelimit.network_of(request.remote_addr or "")),
            ("signin.address", mailbox(address), ratelimit.network_of(request.remote_addr or "")),
            ("signin.mailbox", mailbox(address)),
            ("signin.total",),
        )
    except TooMany:
        log.info("proof_limited")
        return
    services.ask_proof(current_user.id, purpose, address, current_locale())


@bp.get("/account/email/code")
@audience("member", rate="signin")
def email_code() -> ResponseReturnValue:
    """Say that a mail is on its way, and take the code."""
    return _code_page(CodeForm())


@bp.post("/account/email/code")
@audience("member", rate="signin")
def enter_email_code() -> ResponseReturnValue:
    """Change the address, or offer to put two accounts together where somebody else has it."""
    ratelimit.hit("signin.code", ratelimit.origin())
    form = CodeForm()
    if not form.validate():
        return _code_page(form), 422
    try:
        changed = services.change_address(current_user.id, str(form.code.data), _row_id())
    except InvalidInput as error:
        form.code.errors = [wrong_code(error.details["n_left"])]
        return _code_page(form), 422
    except Conflict as error:
        if error.code != "code_dead":
            raise
        return _code_page(form, is_dead=True), 409
    if changed.other_id is not None:
        session[PROOF_KEY] = changed.proof_id
        return redirect(url_for("accounts.join_page"), 303)
    session.renew()  # type: ignore[attr-defined]
    flash(_("Your address is %(address)s from now on. We have told the old one as well.", address=changed.email))
    return redirect(PLACES["account"], 303)


@bp.get("/account/email/join")
@audience("member", rate="signin")
def join_page() -> ResponseReturnValue:
    """Two accounts of one reader: say what would happen."""
    try:
        other = services.find_offer(current_user.id, int(session.get(PROOF_KEY, 0)))
    except NotFound:
        return redirect(url_for("accounts.email"), 303)
    return render_template("accounts/join.html", address=other.email)


@bp.post("/account/email/join")
@audience("member", rate="write")
def join() -> ResponseReturnValue:
    """Put them together; the address that was proved is the one of both from now on."""
    Form()
    services.join_accounts(current_user.id, int(session.get(PROOF_KEY, 0)), _row_id(), clock.now())
    session.renew()  # type: ignore[attr-defined]
    flash(_("Both accounts are one now, with the address that you proved."))
    return redirect(PLACES["account"], 303)


@bp.get("/account/email/undo/<token>")
@audience("public", rate="signin")
def undo_page(token: str) -> ResponseReturnValue:
    """Where the link to the old address leads: a button. Looking changes nothing."""
    try:
        change = services.read_undo(token)
    except NotFound:
        return _undo_page("over"), 404
    return _undo_page("ask", masked(change.old_email or ""))


@bp.post("/account/email/undo/<token>")
@audience("public", rate="signin")
def undo(token: str) -> ResponseReturnValue:
    """Give the old address back to its owner."""
    Form()
    try:
        address = services.undo_change(token)
    except NotFound:
        return _undo_page("over"), 404
    if session.row_id is not None:  # type: ignore[attr-defined]
        session.leave()  # type: ignore[attr-defined]
    return _undo_page("done", masked(address))


def _row_id() -> int | None:
    return getattr(session, "row_id", None)


def _email_page(form: EmailForm) -> str:
    return render_template("accounts/email.html", form=form, is_mail_flowing=is_mail_flowing(clock.real_now()))


def _code_page(form: CodeForm, *, is_dead: bool = False) -> str:
    return render_template(
        "accounts/email_code.html",
        form=form,
        address=session.get(NEW_ADDRESS_KEY),
        is_dead=is_dead,
        is_mail_flowing=is_mail_flowing(clock.real_now()),
        n_minutes=MINUTES,
    )


def _undo_page(state: str, address: str | None = None) -> str:
    return render_template("accounts/undo.html", state=state, address=address)
