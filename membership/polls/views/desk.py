"""The desk of polls: build one, look at it as a voter will, open it, cancel it, and pass over a winner.

Of an open poll it shows how many voted, as everybody sees it, and nothing that depends on any choice.
"""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from membership.accounts.queries import get_person, masked
from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput, NotFound
from membership.newsroom.queries import zone
from membership.polls import queries, services
from membership.polls.forms import BallotForm, PollForm, ReasonForm
from membership.polls.models import Poll, PollOption
from membership.polls.queries.roll import n_eligible
from membership.polls.queries.succession import find_next_up
from membership.polls.rules.drafts import PollFields
from membership.polls.views import page
from membership.polls.views.moving import moved
from membership.topics.queries import list_topics
from membership.topics.rules import Stage
from membership.web import settings
from membership.web.access import audience
from membership.web.forms import Form
from membership.web.i18n import current_locale

bp = Blueprint("poll_desk", __name__)

TOPICS_OFFERED = 200
# A topic that lost once may stand again.
MAY_STAND = (Stage.SHORTLISTED, Stage.NOT_CHOSEN)


@bp.get("/staff/polls")
@audience("staff")
def board() -> ResponseReturnValue:
    """All polls, drafts among them, newest first."""
    now = clock.now()
    polls = queries.list_for_staff()
    turnouts = queries.turnouts([poll.id for poll in polls])
    rows = [(poll, page.phase(poll, now), turnouts[poll.id]) for poll in polls]
    return render_template("polls/desk/board.html", rows=rows)


@bp.get("/staff/polls/new")
@audience("staff", may="polls.run")
def new() -> ResponseReturnValue:
    """The form of a poll."""
    return _form_page(PollForm(locale=current_locale()), None)


@bp.post("/staff/polls/new")
@audience("staff", rate="write", may="polls.run")
def new_post() -> ResponseReturnValue:
    """Keep it as a draft, which nobody sees but staff."""
    return _save(None, lambda fields: services.draft(fields, current_user.id))


@bp.get("/staff/polls/<public_id>")
@audience("staff")
def poll(public_id: str) -> ResponseReturnValue:
    """One poll with what may be done about it."""
    found = queries.get_by_public_id(public_id)
    return render_template("polls/desk/poll.html", **_facts(found), form=Form())


@bp.get("/staff/polls/<public_id>/edit")
@audience("staff", may="polls.run")
def edit(public_id: str) -> ResponseReturnValue:
    """The form of a draft, filled in."""
    found = _draft(public_id)
    form = PollForm()
    form.fill(found, [option.topic_id for option in queries.options_of(found.id)], zone())
    return _form_page(form, found)


@bp.post("/staff/polls/<public_id>/edit")
@audience("staff", rate="write", may="polls.run")
def edit_post(public_id: str) -> ResponseReturnValue:
    """Change a draft."""
    found = _draft(public_id)
    return _save(found, lambda fields: services.change(found.id, fields, current_user.id))


def _save(found: Poll | None, save: Callable[[PollFields], Poll]) -> ResponseReturnValue:
    form = PollForm()
    form.offer(_topics(found))
    try:
        if not form.validate():
            return _form_page(form, found), 422
        kept = save(form.fields(zone()))
    except InvalidInput as error:
        form.explain(error)
        return _form_page(form, found), 422
    flash(_("The draft is saved. Nobody sees it but staff."))
    return redirect(url_for("poll_desk.poll", public_id=kept.public_id), 303)


def _form_page(form: PollForm, found: Poll | None) -> str:
    topics = _topics(found)
    form.offer(topics)
    return render_template("polls/desk/form.html", form=form, poll=found, topics=topics, zone=settings().newsroom_zone)


def _topics(found: Poll | None) -> list[Any]:
    """What may stand on a ballot: the shortlist, what lost before, and what this draft holds already."""
    rows = list(list_topics(MAY_STAND, limit=TOPICS_OFFERED).rows)
    mine = {option.topic_id for option in queries.options_of(found.id)} if found else set()
    return sorted(rows, key=lambda topic: topic.id not in mine)


def _draft(public_id: str) -> Poll:
    found = queries.get_by_public_id(public_id)
    if found.state != "draft":
        raise Conflict("poll_is_fixed", "This poll has been opened and cannot be changed any more.")
    return found


@bp.get("/staff/polls/<public_id>/preview")
@audience("staff")
def preview(public_id: str) -> ResponseReturnValue:
    """A draft as a voter will see it."""
    return page.preview(_draft(public_id), page.Attempt())


@bp.post("/staff/polls/<public_id>/preview")
@audience("staff", rate="write")
def preview_post(public_id: str) -> ResponseReturnValue:
    """What the buttons of the preview do: rankings move, nothing is saved."""
    form, found = BallotForm(), _draft(public_id)
    if form.move.data:
        return page.preview(found, moved(form, len(queries.options_of(found.id)), found.max_ranks))
    return page.preview(found, page.Attempt(form.kept(page.kind_of(found))))


@bp.get("/staff/polls/<public_id>/open")
@audience("staff", may="polls.run")
def last_look(public_id: str) -> ResponseReturnValue:
    """Everything that cannot be changed afterwards, and whom staff should look at before."""
    return _last_look(_draft(public_id))


@bp.post("/staff/polls/<public_id>/open")
@audience("staff", rate="write", may="polls.run")
def open_poll(public_id: str) -> ResponseReturnValue:
    """Open it."""
    Form()
    found = _draft(public_id)
    try:
        services.open_poll(found.id, current_user.id, clock.now())
    except (InvalidInput, Conflict) as error:
        return _last_look(_draft(public_id), error.code), 409
    flash(_("The poll is open. Everybody on the roll gets a mail."))
    return redirect(url_for("poll_desk.poll", public_id=public_id), 303)


def _last_look(found: Poll, problem: str | None = None) -> str:
    groups = queries.list_shared_payers(clock.now())
    shared = [[masked(get_person(person_id).email) for person_id in group] for group in groups]
    return render_template("polls/desk/open.html", **_facts(found), form=Form(), shared=shared, problem=problem)


@bp.get("/staff/polls/<public_id>/cancel")
@audience("staff", may="polls.run")
def cancel(public_id: str) -> ResponseReturnValue:
    """Ask for the reason, and say what a cancelled poll loses."""
    return _cancel_page(queries.get_by_public_id(public_id), ReasonForm())


@bp.post("/staff/polls/<public_id>/cancel")
@audience("staff", rate="write", may="polls.run")
def cancel_post(public_id: str) -> ResponseReturnValue:
    """End it without a result."""
    form, found = ReasonForm(), queries.get_by_public_id(public_id)
    if not form.validate():
        return _cancel_page(found, form), 422
    services.cancel(found.id, form.reason.data or "", current_user.id)
    flash(_("The poll is cancelled."))
    return redirect(url_for("poll_desk.poll", public_id=public_id), 303)


def _cancel_page(found: Poll, form: ReasonForm) -> str:
    return render_template("polls/desk/cancel.html", **_facts(found), form=form)


@bp.get("/staff/polls/<public_id>/skip/<int:position>")
@audience("staff", may="polls.run")
def skip(public_id: str, position: int) -> ResponseReturnValue:
    """Ask for the reason, and show who moves up."""
    return _skip_page(*_winner(public_id, position), ReasonForm())


@bp.post("/staff/polls/<public_id>/skip/<int:position>")
@audience("staff", rate="write", may="polls.run")
def skip_post(public_id: str, position: int) -> ResponseReturnValue:
    """Pass over a winner."""
    form = ReasonForm()
    found, option = _winner(public_id, position)
    if not form.validate():
        return _skip_page(found, option, form), 422
    services.skip(found.id, option.topic_id, form.reason.data or "", current_user.id)
    flash(_("It is passed over, and the reason is public."))
    return redirect(url_for("poll_desk.poll", public_id=public_id), 303)


def _winner(public_id: str, position: int) -> tuple[Poll, PollOption]:
    """A poll and one of its winners; NotFound for an option that does not stand as chosen."""
    found = queries.get_by_public_id(public_id)
    if position not in queries.winners_now(found):
        raise NotFound("not_a_winner", "This topic does not stand as chosen in this poll.")
    return found, queries.options_of(found.id)[position]


def _skip_page(found: Poll, option: PollOption, form: ReasonForm) -> str:
    moves_up = find_next_up(found)
    return render_template("polls/desk/skip.html", poll=found, option=option, moves_up=moves_up, form=form)


def _facts(found: Poll) -> dict[str, Any]:
    """What the desk says of a poll; before the close nothing that depends on any choice."""
    now = clock.now()
    options = queries.options_of(found.id)
    return {
        "poll": found,
        "phase": page.phase(found, now),
        "kind": page.kind_of(found),
        "options": options,
        "zone": settings().newsroom_zone,
        "turnout": queries.turnout(found.id),
        "n_eligible_now": n_eligible(found, now) if found.state == "draft" else None,
        "winners": [options[position] for position in queries.winners_now(found)],
        "skips": queries.list_skips(found.id),
        "titles": {option.topic_id: option.title for option in options},
    }
