"""The list of polls, and the page of each."""

from datetime import datetime
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from membership.kernel import clock
from membership.polls import queries
from membership.polls.models import Poll
from membership.polls.views.page import part_in, phase, public_poll, show
from membership.polls.views.results import render_result
from membership.web.access import audience

bp = Blueprint("polls", __name__)

SHOWN = 30


@bp.get("/polls")
@audience("public")
def index() -> ResponseReturnValue:
    """Every poll that was ever opened: those that need a vote first, past ones in parts."""
    now, before = clock.now(), request.args.get("before")
    rows = [] if before else [_row(poll, now) for poll in queries.list_open(now)]
    past = queries.list_public(SHOWN, before)
    return render_template(
        "polls/list.html",
        open=sorted(_in(rows, "open"), key=lambda row: row["part"] != "needs_vote"),
        later=sorted(_in(rows, "soon"), key=lambda row: row["poll"].opens_at),
        past=[_row(poll, now) for poll in past],
        is_first=before is None,
        next_url=url_for("polls.index", before=past[-1].public_id) if len(past) == SHOWN else None,
    )


def _in(rows: list[dict[str, Any]], stands: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["phase"] == stands]


def _row(poll: Poll, now: datetime) -> dict[str, Any]:
    """What the list says of one poll; `winners` are titles."""
    stands, options = phase(poll, now), queries.options_of(poll.id)
    is_mine = stands == "open" and current_user.is_authenticated
    return {
        "poll": poll,
        "phase": stands,
        "n_options": len(options),
        "part": part_in(poll, current_user.id, now) if is_mine else None,
        "winners": [options[position].title for position in queries.winners_now(poll)] if stands == "closed" else [],
    }


@bp.get("/polls/<public_id>")
@audience("public")
def poll(public_id: str) -> ResponseReturnValue:
    """One poll: its ballot for who may vote, its options for everybody, its result once it is counted."""
    found = public_poll(public_id)
    return render_result(found) if phase(found, clock.now()) == "closed" else show(found)
