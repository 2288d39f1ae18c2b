"""The pages behind the link "no more mails about this". The mail may be opened where nobody is signed in."""

from http import HTTPStatus

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from membership.kernel.errors import NotFound
from membership.mail import stopping
from membership.web.access import audience

bp = Blueprint("mail", __name__)


@bp.get("/mail/stop/<token>")
@audience("public")
def stop_page(token: str) -> ResponseReturnValue:
    """Say what the button stops. Nothing happens here: scanners of mails look at every link."""
    try:
        wish = stopping.read(token)
    except NotFound:
        return _unknown()
    return render_template("mail/stop.html", state="ask", wish=wish, token=token)


@bp.post("/mail/stop/<token>")
@audience("machine", rate="machine")
def stop(token: str) -> ResponseReturnValue:
    """Stop at once, for the reader's button and for mail programs (RFC 8058: no cookie, no redirect)."""
    try:
        wish = stopping.stop(token)
    except NotFound:
        return _unknown()
    return render_template("mail/stop.html", state="stopped", wish=wish, token=token)


@bp.post("/mail/stop/<token>/undo")
@audience("machine", rate="machine")
def resume(token: str) -> ResponseReturnValue:
    """It was a mistake: the mails come again."""
    try:
        wish = stopping.resume(token)
    except NotFound:
        return _unknown()
    return render_template("mail/stop.html", state="resumed", wish=wish, token=token)


def _unknown() -> ResponseReturnValue:
    return render_template("mail/stop.html", state="unknown", wish=None, token=None), HTTPStatus.NOT_FOUND
