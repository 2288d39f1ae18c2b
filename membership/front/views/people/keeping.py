"""Names that staff give: to a filter that they keep, to people whom they tag."""

from urllib.parse import urlencode

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from membership.front.forms import SegmentForm, TagForm, problem_words
from membership.front.queries.people import get_person_by_public_id
from membership.front.services import segments, tagging
from membership.front.views.people.presses import actor, people_bp
from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput
from membership.web.access import audience
from membership.web.forms import Form


@people_bp.post("/staff/people/segments")
@audience("staff", rate="write", may="people.act")
def keep_segment() -> ResponseReturnValue:
    """Keep the filter that is shown under a name."""
    form = SegmentForm()
    wanted = form.to_filter()
    try:
        segment = segments.keep(form.name.data or "", wanted, actor=actor(), at=clock.now())
    except InvalidInput as error:
        flash(problem_words(error), "warn")
    except Conflict:
        flash(_("There is a filter of that name. Choose another one."), "warn")
    else:
        flash(_("Kept as “%(name)s”.", name=segment.name))
    return redirect(f"{url_for('people_desk.index')}?{urlencode(wanted.to_query())}", 303)


@people_bp.post("/staff/people/segments/<int:segment_id>/remove")
@audience("staff", rate="write", may="people.act")
def remove_segment(segment_id: int) -> ResponseReturnValue:
    """Forget a kept filter; nobody in it is touched."""
    Form()
    name = segments.remove(segment_id)
    flash(_("The filter “%(name)s” is no longer kept. Nobody in it has changed.", name=name))
    return redirect(url_for("people_desk.index"), 303)


@people_bp.post("/staff/people/<public_id>/tags")
@audience("staff", rate="write", may="people.act")
def tag(public_id: str) -> ResponseReturnValue:
    """Tag one person."""
    person, form = get_person_by_public_id(public_id), TagForm()
    try:
        tagging.tag_by_name(person.id, form.name.data or "", clock.now())
    except InvalidInput as error:
        flash(problem_words(error), "warn")
    return redirect(url_for("people_desk.person", public_id=public_id), 303)


@people_bp.post("/staff/people/<public_id>/tags/<int:tag_id>/remove")
@audience("staff", rate="write", may="people.act")
def untag(public_id: str, tag_id: int) -> ResponseReturnValue:
    """Take a tag off one person."""
    person = get_person_by_public_id(public_id)
    Form()
    tagging.take_off(person.id, tag_id)
    return redirect(url_for("people_desk.person", public_id=public_id), 303)
