"""The audit log as owners read it: newest first, page by page, by who, what and about whom."""

from collections.abc import Sequence

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from membership.accounts.queries import names_of
from membership.audit import queries
from membership.audit.models import AuditEntry
from membership.audit.queries import Wish
from membership.audit.rules import STAFF
from membership.web.access import audience

audit_bp = Blueprint("audit", __name__)

PAGE_LENGTH = 50
LONGEST_WISH = 140
LONGEST_NUMBER = 9


@audit_bp.get("/staff/audit")
@audience("staff", may="audit.see")
def index() -> ResponseReturnValue:
    """Who did what, why, and what was before."""
    wish = Wish(*(request.args.get(name, "").strip()[:LONGEST_WISH] for name in ("actor", "action", "subject")))
    rows, head = queries.list_entries(wish, _before(), PAGE_LENGTH + 1), queries.head()
    entries = rows[:PAGE_LENGTH]
    return render_template(
        "accounts/desk/audit.html",
        wish=wish,
        entries=entries,
        older=entries[-1].number if len(rows) > PAGE_LENGTH else None,
        is_first_page=_before() is None,
        actions=queries.list_actions(),
        names=names_of(_people_in(entries)),
        head=head,
        command=f"membership audit verify --head {head}",
    )


def _people_in(entries: Sequence[AuditEntry]) -> set[str]:
    """The public ids of whoever acted, agreed or asked, and of whom it concerned."""
    actors = {entry.actor.removeprefix(STAFF) for entry in entries}
    others = [(entry.after or {}).get(name, "") for entry in entries for name in ("approved_by", "asked_by")]
    return actors | {each.removeprefix(STAFF) for each in others} | {entry.about for entry in entries if entry.about}


def _before() -> int | None:
    text = request.args.get("before", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER else None
