"""Where a member is signed in, and signing one browser out."""

from flask import flash, redirect, session
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from membership.accounts import services
from membership.accounts.rules import PLACES
from membership.accounts.views.signing_in import bp
from membership.web.access import audience
from membership.web.forms import Form


@bp.post("/account/sessions/<int:session_id>/end")
@audience("member", rate="write")
def end_session(session_id: int) -> ResponseReturnValue:
    """Sign one browser of this person out; nobody else's can be named."""
    Form()
    is_this_one = session_id == session.row_id  # type: ignore[attr-defined]
    actor = services.staff_name(current_user) if current_user.role else "member"
    services.end_session(current_user.id, session_id, actor=actor)
    if is_this_one:
        session.leave()  # type: ignore[attr-defined]
        return redirect("/", 303)
    flash(_("That browser is signed out."))
    return redirect(PLACES["account"], 303)
