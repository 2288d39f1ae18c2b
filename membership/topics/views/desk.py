"""The desk of topics: the board, and one page per topic with every action of its stage."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from membership.accounts.queries import get_person, list_staff
from membership.kernel import clock
from membership.kernel.errors import InvalidInput, NotFound
from membership.newsroom.queries import day_of
from membership.topics import queries, services
from membership.topics.forms import (
    AssignForm,
    DeclineForm,
    MergeForm,
    ProposalForm,
    ReasonForm,
    StoryForm,
    TypedForm,
    UpdateForm,
    WordsForm,
)
from membership.topics.models import Topic
from membership.topics.rules import EDITABLE, MERGE_TARGETS, Stage
from membership.topics.views.shown import facts_of
from membership.web.access import audience
from membership.web.forms import Form
from membership.web.i18n import current_locale

desk_bp = Blueprint("topic_desk", __name__)

SHOWN_A_STAGE = 30
SIMILAR_SHOWN = 5
SIMILAR_ON_BOARD = 3
FOUND_SHOWN = 10
# The board, in the order in which a morning goes through it.
BOARD = (
    Stage.PROPOSED, Stage.CHOSEN, Stage.REPORTING, Stage.SHORTLISTED, Stage.ON_BALLOT, Stage.NOT_CHOSEN,
    Stage.PUBLISHED, Stage.DECLINED, Stage.DROPPED, Stage.MERGED,
)  # fmt: skip
WAITING = frozenset({Stage.PROPOSED})


@desk_bp.get("/staff/topics")
@audience("staff")
def board() -> ResponseReturnValue:
    """Every topic by its stage; what waits for a decision first, the longest waiting in front."""
    shelves = [
        (stage, queries.list_at(stage, SHOWN_A_STAGE, oldest_first=stage in WAITING | {Stage.CHOSEN}))
        for stage in BOARD
    ]
    return render_template(
        "topics/desk/board.html",
        shelves=shelves,
        counts=queries.n_by_stage(),
        similar=queries.similar_to_each(shelves[0][1], SIMILAR_ON_BOARD),
        staff_names={person.id: member.name for member, person in list_staff()},
        today=day_of(clock.now()),
    )


@desk_bp.get("/staff/topics/new")
@audience("staff", may="topics.moderate")
def new() -> ResponseReturnValue:
    """The form of a topic of the newsroom itself."""
    return render_template("topics/desk/new.html", form=ProposalForm(locale=current_locale()))


@desk_bp.post("/staff/topics/new")
@audience("staff", rate="write", may="topics.moderate")
def new_post() -> ResponseReturnValue:
    """Write it down; it waits for a decision as every other does."""
    form = ProposalForm()
    if not form.is_in_order():
        return render_template("topics/desk/new.html", form=form), 422
    links = (form.links.data or "").splitlines()
    words, locale = (form.title.data or "", form.why.data or ""), form.locale.data
    topic = services.propose(None, *words, links, locale, clock.now(), actor=current_user.id)
    return redirect(url_for("topic_desk.topic", public_id=topic.public_id), 303)


@desk_bp.get("/staff/topics/<public_id>")
@audience("staff")
def topic(public_id: str) -> ResponseReturnValue:
    """One topic with what may be done about it."""
    return _page(queries.get_by_public_id(public_id))


@desk_bp.post("/staff/topics/<public_id>/shortlist")
@audience("staff", rate="write", may="topics.moderate")
def shortlist(public_id: str) -> ResponseReturnValue:
    """Take a proposal up."""
    return _do(public_id, Form(), services.shortlist, _("It is on the shortlist, and its followers are told."))


@desk_bp.post("/staff/topics/<public_id>/decline")
@audience("staff", rate="write", may="topics.moderate")
def decline(public_id: str) -> ResponseReturnValue:
    """Say no, with a public reason."""
    form = DeclineForm()
    done = _("It is declined, and its followers are told why.")
    return _do(public_id, form, services.decline, done, reason=form.reason.data, is_hidden=form.is_hidden.data)


@desk_bp.post("/staff/topics/<public_id>/hide")
@audience("staff", rate="write", may="topics.moderate")
def hide(public_id: str) -> ResponseReturnValue:
    """Hide the words of a declined topic."""
    return _do(public_id, Form(), services.show_words, _("Readers no longer see its words."), is_hidden=True)


@desk_bp.post("/staff/topics/<public_id>/show")
@audience("staff", rate="write", may="topics.moderate")
def show(public_id: str) -> ResponseReturnValue:
    """Show the words of a declined topic."""
    return _do(public_id, Form(), services.show_words, _("Readers see its words again."), is_hidden=False)


@desk_bp.post("/staff/topics/<public_id>/back")
@audience("staff", rate="write", may="topics.moderate")
def back(public_id: str) -> ResponseReturnValue:
    """Back onto the shortlist."""
    form = ReasonForm()
    done = _("It is on the shortlist again, and its followers are told.")
    return _do(public_id, form, services.back_to_shortlist, done, reason=form.reason.data)


@desk_bp.post("/staff/topics/<public_id>/merge")
@audience("staff", rate="write", may="topics.moderate")
def merge(public_id: str) -> ResponseReturnValue:
    """Make it part of another."""
    form, found = MergeForm(), queries.get_by_public_id(public_id)
    if not form.validate_on_submit():
        return _page(found, merge=form), 422
    try:
        into = queries.get_by_public_id(form.public_id)
    except NotFound as error:
        form.into.errors = [_(error.message)]
        return _page(found, merge=form), 422
    done = _("They are one topic now, and the followers of both are told.")
    return _do(public_id, form, services.merge, done, into_id=into.id)


@desk_bp.post("/staff/topics/<public_id>/unmerge")
@audience("staff", rate="write", may="topics.moderate")
def unmerge(public_id: str) -> ResponseReturnValue:
    """Part it from the topic that it was merged into."""
    return _do(public_id, Form(), services.unmerge, _("They are two topics again, and the followers of both are told."))


@desk_bp.post("/staff/topics/<public_id>/edit")
@audience("staff", rate="write", may="topics.moderate")
def edit(public_id: str) -> ResponseReturnValue:
    """Other words, other hours."""
    form = WordsForm()
    words = {"title": form.title.data or "", "why": form.why.data or "", "hours": form.hours.data}
    return _do(public_id, form, services.edit, _("Saved."), **words)


@desk_bp.post("/staff/topics/<public_id>/assign")
@audience("staff", rate="write", may="topics.moderate")
def assign(public_id: str) -> ResponseReturnValue:
    """Who reports it, until when."""
    form = AssignForm().offer(_staff()).not_before(day_of(clock.now()), queries.get_by_public_id(public_id).due_on)
    return _do(public_id, form, services.assign, _("Saved."), owner_id=form.owner.data, due_on=form.due_on.data)


@desk_bp.post("/staff/topics/<public_id>/update")
@audience("staff", rate="write", may="topics.moderate")
def update(public_id: str) -> ResponseReturnValue:
    """A short word in public."""
    form = UpdateForm()
    return _do(
        public_id, form, services.update, _("Published, and everybody concerned is told."), words=form.words.data
    )


@desk_bp.post("/staff/topics/<public_id>/publish")
@audience("staff", rate="write", may="topics.moderate")
def publish(public_id: str) -> ResponseReturnValue:
    """The story is out."""
    form = StoryForm()
    story = {"story_url": form.story_url.data or "", "story_title": form.story_title.data or ""}
    return _do(public_id, form, services.publish, _("The story stands on the topic's page."), **story)


@desk_bp.post("/staff/topics/<public_id>/take-back")
@audience("staff", rate="write", may="topics.moderate")
def take_back(public_id: str) -> ResponseReturnValue:
    """It was the wrong story."""
    form = ReasonForm()
    return _do(public_id, form, services.take_back, _("The story is taken back."), reason=form.reason.data)


@desk_bp.post("/staff/topics/<public_id>/drop")
@audience("staff", rate="write", may="topics.moderate")
def drop(public_id: str) -> ResponseReturnValue:
    """There will be no story."""
    form = ReasonForm()
    done = _("It is dropped, and everybody concerned is told why.")
    return _do(public_id, form, services.drop, done, reason=form.reason.data)


def _do(public_id: str, form: Form, service: Callable[..., Topic], done: str, **wishes: Any) -> ResponseReturnValue:
    """Carry out one action of staff; mistakes come back beside their fields, what is done is said on the next page."""
    found, name = queries.get_by_public_id(public_id), request.endpoint.rpartition(".")[2] if request.endpoint else ""
    if isinstance(form, TypedForm) and not form.is_in_order():
        return _page(found, **{name: form}), 422
    try:
        service(found.id, actor=current_user.id, **wishes)
    except InvalidInput as error:
        if not isinstance(form, TypedForm):
            raise
        form.explain(error)
        return _page(found, **{name: form}), 422
    flash(done, "good")
    return redirect(url_for("topic_desk.topic", public_id=public_id), 303)


def _page(topic: Topic, **typed: Form) -> str:
    """The page of a topic; `typed` are forms that came back with mistakes, by the name of their action."""
    search = request.args.get("find", "").strip()
    forms: dict[str, Form] = {
        "decline": DeclineForm(formdata=None),
        "back": ReasonForm(formdata=None),
        "drop": ReasonForm(formdata=None),
        "take_back": ReasonForm(formdata=None),
        "edit": WordsForm(formdata=None, obj=topic),
        "assign": AssignForm(formdata=None, owner=topic.owner_id or current_user.id, due_on=topic.due_on).offer(
            _staff()
        ),
        "update": UpdateForm(formdata=None),
        "publish": StoryForm(formdata=None, obj=topic),
        "merge": MergeForm(formdata=None),
    }
    forms |= typed
    for name, form in forms.items():  # several of them ask for a reason, and ids are unique on a page
        for field in form:
            field.id = f"{name}-{field.name}"
    return render_template(
        "topics/desk/topic.html",
        **facts_of(topic),
        forms=forms,
        wrong=next(iter(typed.values()), None),
        target=queries.root_of(topic) if topic.stage == Stage.MERGED else None,
        choices=_choices(topic, search) if Stage(topic.stage) in EDITABLE else [],
        search=search,
        proposer=get_person(topic.proposer_id) if topic.proposer_id else None,
        may_moderate=current_user.may("topics.moderate"),
    )


def _choices(topic: Topic, search: str) -> list[Topic]:
    """What a topic may become part of (those not public yet: later): nearly the same ones, then those searched for."""
    near = [one.topic for one in queries.similar(topic.title, SIMILAR_SHOWN, for_staff=True, besides=topic.id)]
    found = queries.list_topics(MERGE_TARGETS, search, limit=FOUND_SHOWN).rows if search else []
    return list({row.id: row for row in (*near, *found) if row.id != topic.id}.values())


def _staff() -> list[tuple[int, str]]:
    """Who may report a topic. By default everybody is called as the newsroom, so the address stands beside the name."""
    return [(person.id, f"{member.name} ({person.email})") for member, person in list_staff()]
