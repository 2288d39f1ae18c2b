"""The demo's mailbox: what this installation sent, since in the demo nothing leaves the machine."""

from pathlib import Path

from flask import Blueprint, Response, make_response, render_template

from membership.front.queries.mailbox import get_mail, list_mails
from membership.web import settings
from membership.web.access import audience
from membership.web.security import content_policy

mailbox_bp = Blueprint("mailbox", __name__)


@mailbox_bp.get("/demo/mail")
@audience("demo")
def listing() -> str:
    """Every mail, newest first."""
    return render_template("front/mailbox.html", mails=list_mails(_maildir()))


@mailbox_bp.get("/demo/mail/<key>")
@audience("demo")
def mail(key: str) -> Response:
    """One mail: its plain text with our own links to follow, and its HTML in a frame of its own."""
    opened = get_mail(_maildir(), key, settings().public_url)
    answer = make_response(render_template("front/mailbox_mail.html", mail=opened))
    answer.headers["Content-Security-Policy"] = content_policy(settings(), frame_src="'self'")
    return answer


@mailbox_bp.get("/demo/mail/<key>/html")
@audience("demo")
def html(key: str) -> Response:
    """The HTML part as it was sent. It may style itself and nothing else: no scripts, no forms, nothing loaded."""
    opened = get_mail(_maildir(), key, settings().public_url)
    # Links open in the whole window: our pages refuse to be shown in a frame.
    answer = make_response(opened.html.replace("<head>", '<head><base target="_top">', 1))
    answer.headers["Content-Security-Policy"] = content_policy(
        settings(),
        style_src="'unsafe-inline'",
        img_src="'none'",
        form_action="'none'",
        frame_ancestors="'self'",
        sandbox="allow-top-navigation-by-user-activation",
    )
    return answer


def _maildir() -> Path:
    return Path(settings().demo_mailbox or "var/mail")
