"""One press of a button that asks the payment company for something: only once, and with a sentence at every end."""

import secrets
from collections.abc import Callable

from flask import redirect, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import Form

from membership.contributions import queries
from membership.contributions.models import Contribution
from membership.contributions.services.acting import is_unknown
from membership.kernel.errors import Conflict, InvalidInput, NotFound, ProviderFailed, TooMany
from membership.web import ratelimit
from membership.web.tokens import read_signed, signed

PURPOSE = "support"
TOKEN_AGE = 24 * 3600
DONE = "support_done"
KEPT = 20  # so many presses of a browser are remembered; a form that is older than those asks once more

Page = Callable[[str, int], ResponseReturnValue]


def mine(reference: str) -> Contribution:
    """The signed-in member's own contribution; somebody else's is not there (NotFound)."""
    contribution = queries.find_by_reference(reference)
    if contribution is None or contribution.person_id != current_user.id or contribution.is_unpaid:
        raise NotFound("no_such_contribution", "There is no such contribution.")
    return contribution


def new_token(reference: str, action: str) -> str:
    """The token of one press of `action`."""
    return signed(PURPOSE, [reference, action, secrets.token_urlsafe(18)], TOKEN_AGE)


def press(
    contribution: Contribution, action: str, form: Form, ask: Callable[[str], None], page: Page
) -> ResponseReturnValue:
    """Do what the button says by `ask(attempt_key)` and show how it stands now; `page(problem, status)` where not.

    The second half of a double click, and a form that is sent again, lead to the same page and ask for nothing new.
    """
    reference = contribution.reference
    nonce = _nonce(form, reference, action)
    if nonce is None:
        form["form_token"].data = new_token(reference, action)
        return page("stale", 409)
    if nonce in session.get(DONE, []):
        return _shown(reference)
    problem, status = _try(ask, f"{reference}:{action}:{nonce}")
    if problem is not None:
        # Where nobody knows what happened, the same token goes on: the same thing is asked for again, never twice.
        if problem != "unknown":
            form["form_token"].data = new_token(reference, action)
        return page(problem, status)
    session[DONE] = [*session.get(DONE, []), nonce][-KEPT:]
    return _shown(reference)


def _try(ask: Callable[[str], None], attempt_key: str) -> tuple[str | None, int]:
    try:
        ratelimit.hit("support.ask", str(current_user.id))
        ask(attempt_key)
    except TooMany:
        return "limited", 429
    except Conflict as error:
        return error.code, 409
    except InvalidInput as error:
        return error.code, 422
    except ProviderFailed as failed:
        return "unknown" if is_unknown(failed) else "provider_failed", 503
    return None, 200


def _nonce(form: Form, reference: str, action: str) -> str | None:
    try:
        known, meant, nonce = read_signed(PURPOSE, form["form_token"].data or "")
    except (InvalidInput, ValueError, TypeError):
        return None
    return str(nonce) if (known, meant) == (reference, action) else None


def _shown(reference: str) -> ResponseReturnValue:
    return redirect(url_for("support.show", reference=reference, done="1"), 303)
