"""No pages of its own: writes down who reads what, for every view whose `@audience` says that reading it counts."""

from collections.abc import Collection

from flask import Flask, Response, current_app, request
from flask_login import current_user

from membership.audit.rules import STAFF, Plain
from membership.audit.services import PERSON, record
from membership.web.access import reads_of

READ_METHODS = frozenset({"GET", "POST"})
SHOWING = frozenset({200, 409, 422})


def install(app: Flask, names: Collection[str] = ()) -> None:
    """Note what was read before the answer leaves; where that cannot be written, nothing leaves either.

    `names`: the arguments by which lists are narrowed down. Others are counted and not written, since whoever makes a
    link chooses them, and what stands in the log stays.
    """
    app.extensions["membership.narrowing"] = frozenset(names)
    app.after_request(_note_reading)


def _note_reading(answer: Response) -> Response:
    what = reads_of(request.endpoint)
    # An answer that leads elsewhere, or says no, showed nothing; a form that comes back shows what it showed before.
    if not what or request.method not in READ_METHODS or answer.status_code not in SHOWING:
        return answer
    name = (request.view_args or {}).get("public_id")
    record(
        f"{what}.read",
        (PERSON, name) if name else ("list", what),
        actor=STAFF + current_user.public_id,
        after=_narrowed_by(),
    )
    return answer


def _narrowed_by() -> Plain:
    """Names only: what was searched for may be somebody's address."""
    known = sorted(current_app.extensions["membership.narrowing"].intersection(request.args))
    n_others = len(request.args) - len(known)
    return {name: value for name, value in (("narrowed_by", known), ("other_arguments", n_others)) if value} or None
