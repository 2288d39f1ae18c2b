"""Saving a ballot, putting a ranking in order without JavaScript, what is said afterwards, checking a receipt.

A choice is in no address, session, log or cookie. A receipt travels once, in a cookie that the next page clears.
"""

import re

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput, Refused
from membership.polls import queries, services
from membership.polls.forms import BallotForm, ReceiptForm, words_of
from membership.polls.models import Poll
from membership.polls.services import Saved
from membership.polls.views.moving import moved
from membership.polls.views.page import Attempt, phase, public_poll, show
from membership.web import settings
from membership.web.access import audience

bp = Blueprint("ballots", __name__)

RECEIPT_SECONDS = 600
# What we put into the cookie: which poll, whether it replaces an earlier ballot, the receipt.
NOTE = re.compile(r"([a-z]{3}_[0-9a-z]{26}):([01]):([A-Za-z0-9-]{8,80})")


@bp.after_request
def _keep_nothing(response: Response) -> Response:
    """Ballots and receipts stay in no cache."""
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.post("/polls/<public_id>/ballot")
@audience("member", rate="write")
def cast(public_id: str) -> ResponseReturnValue:
    """Save a ballot. Where it cannot be, the poll is shown with what was chosen and why."""
    form = BallotForm()
    poll_id, kind = queries.ballot_paper(public_id)
    try:
        saved = services.cast(poll_id, current_user.id, form.positions(kind), clock.now())
    except InvalidInput as error:
        return _again(public_id, form, kind, _choice_code(error)), 422
    except (Conflict, Refused) as error:
        return _again(public_id, form, kind, error.code), 409 if isinstance(error, Conflict) else 403
    answer = make_response(redirect(url_for("ballots.saved", public_id=public_id), 303))
    _give_note(answer, f"{public_id}:{int(saved.is_change)}:{saved.receipt}")
    return answer


def _choice_code(error: InvalidInput) -> str:
    return error.code if error.code.startswith("choice") else "choice_unknown_option"


def _again(public_id: str, form: BallotForm, kind: str, problem: str) -> str:
    return show(public_poll(public_id), Attempt(form.kept(kind), problem=problem, problem_words=words_of(problem)))


@bp.post("/polls/<public_id>/arrange")
@audience("member", rate="write")
def arrange(public_id: str) -> ResponseReturnValue:
    """One move in a ranking, for browsers without JavaScript: the same page with the new order. Stores nothing."""
    form = BallotForm()
    poll = public_poll(public_id)
    return show(poll, moved(form, len(queries.options_of(poll.id)), poll.max_ranks))


@bp.get("/polls/<public_id>/saved")
@audience("member")
def saved(public_id: str) -> ResponseReturnValue:
    """Say that the ballot is recorded, and show its receipt this once."""
    poll = public_poll(public_id)
    now = clock.now()
    if not queries.my_part(poll, current_user.id, now).has_voted:
        return redirect(url_for("polls.poll", public_id=public_id), 303)
    note = _read_note(public_id)
    page = render_template("polls/saved.html", poll=poll, phase=phase(poll, now), note=note)
    answer = make_response(page)
    if note and request.method == "GET":
        answer.delete_cookie(_cookie(), path="/", secure=settings().is_secure, httponly=True, samesite="Lax")
    return answer


def _cookie() -> str:
    return settings().cookie_prefix + "receipt"


def _give_note(answer: Response, note: str) -> None:
    answer.set_cookie(
        _cookie(), note, RECEIPT_SECONDS, path="/", secure=settings().is_secure, httponly=True, samesite="Lax"
    )


def _read_note(public_id: str) -> Saved | None:
    """What the last save of this browser gave, where that was in this poll and has not been shown yet."""
    found = NOTE.fullmatch(request.cookies.get(_cookie(), ""))
    return Saved(found[3], found[2] == "1") if found and found[1] == public_id else None


@bp.get("/polls/<public_id>/receipt")
@audience("public")
def receipt(public_id: str) -> ResponseReturnValue:
    """Where a receipt is typed in."""
    return _receipt_page(public_poll(public_id), ReceiptForm())


@bp.post("/polls/<public_id>/receipt")
@audience("public", rate="write")
def look_up(public_id: str) -> ResponseReturnValue:
    """Say whether the ballot of a receipt is recorded or counted, never what it chose."""
    form = ReceiptForm()
    poll = public_poll(public_id)
    if not form.validate():
        return _receipt_page(poll, form), 422
    return _receipt_page(poll, form, queries.find_receipt(poll, str(form.receipt.data)))


def _receipt_page(poll: Poll, form: ReceiptForm, found: queries.ReceiptState | None = None) -> str:
    return render_template("polls/receipt.html", poll=poll, phase=phase(poll, clock.now()), form=form, found=found)
