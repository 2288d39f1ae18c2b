"""No pages of its own: writes down who reads what, for every view whose `@audience` says that reading it counts."""

from flask import Flask, Response, request
from flask_login import current_user

from membership.audit.rules import STAFF
from membership.audit.services import PERSON, record
from membership.web.access import reads_of

READ_METHODS = frozenset({"GET", "POST"})


def install(app: Flask) -> None:
    """Note what was read before the answer leaves; where that cannot be written, nothing leaves either."""
    app.after_request(_note_reading)


def _note_reading(answer: Response) -> Response:
    what = reads_of(request.endpoint)
    # An answer that leads elsewhere, or that says no, showed nothing.
    if not what or request.method not in READ_METHODS or answer.status_code != 200:  # noqa: PLR2004 - OK
        return answer
    name = (request.view_args or {}).get("public_id")
    record(
        f"{what}.read",
        (PERSON, name) if name else ("list", what),
        actor=STAFF + current_user.public_id,
        # Names only: what was searched for may be somebody's address.
        after={"narrowed_by": sorted(request.args)} if request.args else None,
    )
    return answer
