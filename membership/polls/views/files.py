"""What programs read of a poll: its facts, the evidence, and the program that checks the evidence."""

from typing import Any

from flask import Blueprint, jsonify, make_response
from flask.typing import ResponseReturnValue

from membership.kernel import clock
from membership.polls import queries, rules
from membership.polls.models import Poll
from membership.polls.views.page import phase, public_poll
from membership.resources import resource_dir
from membership.web.access import audience
from membership.web.links import absolute

bp = Blueprint("poll_files", __name__)


@bp.get("/polls/<public_id>.json")
@audience("public")
def facts(public_id: str) -> ResponseReturnValue:
    """The poll as data. Before the close it holds nothing that depends on any choice."""
    return jsonify(facts_of(public_poll(public_id)))


def facts_of(poll: Poll) -> dict[str, Any]:
    """Question, rule, options, orders, roll, turnout and head of the chain; moments in UTC."""
    options = queries.options_of(poll.id)
    turnout = queries.turnout(poll.id)
    seq, head = queries.head_of(poll.id)
    return {
        "id": poll.public_id,
        "url": absolute("polls.poll", public_id=poll.public_id),
        "evidence_url": absolute("poll_files.evidence", public_id=poll.public_id),
        "state": phase(poll, clock.now()),
        "title": poll.title,
        "intro": poll.intro,
        "language": poll.locale,
        "rule": poll.rule,
        "ballot": rules.ballot_kind(poll.rule),
        "seats": poll.n_seats,
        "max_ranks": poll.max_ranks,
        "budget_hours": poll.budget_hours,
        "opens_at": poll.opens_at.isoformat(),
        "closes_at": poll.closes_at.isoformat(),
        "eligibility": poll.eligibility,
        "joined_before": poll.joined_before.isoformat(),
        "publish_from": poll.publish_from,
        "cancel_reason": poll.cancel_reason,
        "options": [
            {"position": option.position, "title": option.title, "why": option.why, "hours": option.hours}
            for option in options
        ],
        "lot": {"seed": poll.lot_seed, "order": list(rules.lot_order(poll.lot_seed or "", len(options)))},
        "on_roll": turnout.n_roll,
        "voted": turnout.n_voted,
        "chain": {"seq": seq, "head": head},
    }


@bp.get("/polls/<public_id>/evidence.json")
@audience("public")
def evidence(public_id: str) -> ResponseReturnValue:
    """What the verifier reads: the chain, and after the close everything that was counted."""
    return jsonify(queries.evidence(public_poll(public_id).id))


@bp.get("/polls/verify.py")
@audience("public")
def verifier() -> ResponseReturnValue:
    """The stand-alone program that checks the evidence, as a file to keep."""
    answer = make_response((resource_dir("docs") / "verify_poll.py").read_bytes())
    answer.content_type = "text/x-python; charset=utf-8"
    answer.headers["Content-Disposition"] = "attachment; filename=verify_poll.py"
    return answer
