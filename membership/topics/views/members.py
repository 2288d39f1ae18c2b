"""Where members take part: propose, see what became of it, follow."""

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from membership.kernel import clock
from membership.kernel.errors import InvalidInput, TooMany
from membership.topics import queries, services
from membership.topics.forms import ProposalForm
from membership.topics.models import Topic
from membership.topics.rules import LONGEST_TITLE
from membership.topics.views.shown import shown_topic
from membership.web import ratelimit
from membership.web.access import audience
from membership.web.forms import Form
from membership.web.i18n import current_locale

members_bp = Blueprint("topic_members", __name__)

SIMILAR_SHOWN = 5
SHORTEST_TYPED = 4


@members_bp.get("/topics/propose")
@audience("member")
def propose() -> ResponseReturnValue:
    """The form of a proposal."""
    return _proposal_page(ProposalForm(locale=current_locale()))


@members_bp.post("/topics/propose")
@audience("member", rate="write")
def propose_post() -> ResponseReturnValue:
    """Show near-duplicates first; then, or where there are none, send it to the newsroom."""
    form = ProposalForm()
    if not form.is_in_order():
        return _proposal_page(form), 422
    if form.is_to_change.data:
        return _proposal_page(form)
    similar = [] if form.is_sure else queries.similar(form.title.data or "", SIMILAR_SHOWN)
    if similar:
        return render_template("topics/propose_similar.html", form=form, similar=similar, followed=_followed(similar))
    try:
        topic = _send(form)
    except InvalidInput as error:
        form.explain(error)
        return _proposal_page(form), 422
    except TooMany as error:
        return _proposal_page(form, is_limited=True), 429, {"Retry-After": str(error.retry_after)}
    flash(_("Thank you. Your proposal is with the newsroom now."), "good")
    return redirect(url_for("topics.topic", public_id=topic.public_id), 303)


def _send(form: ProposalForm) -> Topic:
    ratelimit.hit("topics.propose", current_user.public_id)
    links = (form.links.data or "").splitlines()
    return services.propose(
        current_user.id, form.title.data or "", form.why.data or "", links, form.locale.data, clock.now()
    )


def _proposal_page(form: ProposalForm, *, is_limited: bool = False) -> str:
    form.step.data = ""
    return render_template("topics/propose.html", form=form, is_limited=is_limited)


def _followed(similar: list[queries.Similar]) -> set[int]:
    return queries.followed_among([found.topic.id for found in similar], current_user.id)


@members_bp.get("/topics/similar")
@audience("member")
def similar() -> ResponseReturnValue:
    """What is nearly the same as a title that is being typed: for the script of the form."""
    title = request.args.get("q", "").strip()[:LONGEST_TITLE]
    if len(title) < SHORTEST_TYPED:
        return jsonify(topics=[])
    ratelimit.hit("topics.similar", current_user.public_id)
    found = queries.similar_while_typing(title, SIMILAR_SHOWN)
    return jsonify(topics=[_in_short(one.topic) for one in found])


def _in_short(topic: Topic) -> dict[str, str]:
    return {"title": topic.title, "lang": topic.locale, "url": url_for("topics.topic", public_id=topic.public_id)}


@members_bp.get("/topics/mine")
@audience("member")
def mine() -> ResponseReturnValue:
    """What a member proposed, with its stage, also while it waits for staff."""
    return render_template("topics/mine.html", topics=queries.proposals_of(current_user.id))


@members_bp.post("/topics/<public_id>/follow")
@audience("member", rate="write")
def follow(public_id: str) -> ResponseReturnValue:
    """Follow it."""
    topic_id = _tapped(public_id)
    topic = services.follow(topic_id, current_user.id)
    flash(_("You follow this topic. We tell you once at each stage."), "good")
    return redirect(url_for("topics.topic", public_id=topic.public_id), 303)


@members_bp.post("/topics/<public_id>/unfollow")
@audience("member", rate="write")
def unfollow(public_id: str) -> ResponseReturnValue:
    """Follow it no more."""
    topic_id = _tapped(public_id)
    topic = services.unfollow(topic_id, current_user.id)
    flash(_("You no longer follow this topic."), "info")
    return redirect(url_for("topics.topic", public_id=topic.public_id), 303)


def _tapped(public_id: str) -> int:
    """The topic of a form of one button, within the limits."""
    Form()
    topic = shown_topic(public_id)
    ratelimit.hit("topics.follow", current_user.public_id)
    return topic.id
