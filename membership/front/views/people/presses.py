"""One press of one button on the desk: its token, who pressed it, and what is said when it did not go."""

import secrets
from collections.abc import Callable

from flask import Blueprint
from flask_login import current_user
from wtforms import Form

from membership.kernel.errors import Conflict, InvalidInput, ProviderFailed
from membership.web.tokens import read_signed, signed

people_bp = Blueprint("people_desk", __name__)

TOKEN_AGE = 8 * 3600
PURPOSE = "people_desk"


def new_token(subject: str, action: str) -> str:
    """The token of one press of `action` about `subject` (a reference, a receipt, a person)."""
    return signed(PURPOSE, [subject, action, secrets.token_urlsafe(18)], TOKEN_AGE)


def nonce_of(form: Form, subject: str, action: str) -> str | None:
    """What names this press; None for a form that is too old or was made for something else, which gets a new token."""
    try:
        known, meant, nonce = read_signed(PURPOSE, form["form_token"].data or "")
    except (InvalidInput, ValueError, TypeError):
        known = meant = nonce = None
    if (known, meant) == (subject, action) and nonce:
        return str(nonce)
    form["form_token"].data = new_token(subject, action)
    return None


def actor() -> str:
    """Who is at the desk, as timelines write it."""
    return f"staff:{current_user.public_id}"


def attempt(ask: Callable[[], object]) -> tuple[str | None, int]:
    """Do it; (None, 200), or what `components/support.html` calls the problem, with its status.

    InvalidInput about a field goes through, since the form says it better.
    """
    try:
        ask()
    except Conflict as error:
        return error.code, 409
    except ProviderFailed as failed:
        return "unknown" if failed.outcome_unknown else "provider_failed", 503
    return None, 200
