"""What staff do with a person as a whole: make one of two, or have one forgotten. Two steps, each with a reason."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from wtforms import HiddenField, StringField
from wtforms.validators import InputRequired, Length

from membership.accounts import queries, services
from membership.accounts.models import Person
from membership.accounts.rules import canonical_email
from membership.accounts.services.merging import LONGEST_REASON
from membership.contributions.queries import find_live_support
from membership.front.queries.person_data import everything_of
from membership.kernel import clock
from membership.kernel.errors import InvalidInput
from membership.patrons.queries import standing_of
from membership.web.access import audience
from membership.web.forms import Form

leaving_bp = Blueprint("leaving", __name__)

LONGEST_NAME = 320


class OtherForm(Form):
    """Who else it is: an address, or the id of a person's page."""

    other = StringField(
        _l("Address of the account that goes"),
        validators=[InputRequired(_l("Type the address of the other account.")), Length(max=LONGEST_NAME)],
    )


class ReasonForm(Form):
    """Why."""

    reason = StringField(
        _l("Why"),
        validators=[
            InputRequired(_l("Say why; it stands in the timeline.")),
            Length(max=LONGEST_REASON, message=_l("Please use at most %(n)s characters.", n=LONGEST_REASON)),
        ],
    )


class MergeForm(ReasonForm):
    """Why, and who goes."""

    other = HiddenField()


@leaving_bp.get("/staff/people/<public_id>/merge")
@audience("staff", may="people.act", reads="person", fresh=True)
def choose(public_id: str) -> ResponseReturnValue:
    """Ask which other account it is."""
    return _choose_page(queries.get_by_public_id(public_id), OtherForm())


@leaving_bp.post("/staff/people/<public_id>/merge/look")
@audience("staff", rate="write", may="people.act", reads="person")
def look(public_id: str) -> ResponseReturnValue:
    """Show both beside each other; nothing happens yet."""
    person, form = queries.get_by_public_id(public_id), OtherForm()
    other = _find(str(form.other.data or "")) if form.validate() else None
    if other is None:
        form.other.errors = form.other.errors or [_("Nobody has this address.")]
        return _choose_page(person, form), 422
    services.check_merge(other.id, person.id)
    return _compare_page(person, other, MergeForm(formdata=None, data={"other": other.public_id}))


@leaving_bp.post("/staff/people/<public_id>/merge")
@audience("staff", rate="write", may="people.act", reads="person", fresh=True)
def merge(public_id: str) -> ResponseReturnValue:
    """Make one of both."""
    person, form = queries.get_by_public_id(public_id), MergeForm()
    other = queries.get_by_public_id(str(form.other.data or ""))
    if not form.validate():
        return _compare_page(person, other, form), 422
    services.merge(other.id, person.id, str(form.reason.data), f"staff:{current_user.public_id}", clock.now())
    flash(_("Both are one person now."))
    return redirect(f"/staff/people/{public_id}", 303)


@leaving_bp.get("/staff/people/<public_id>/erase")
@audience("staff", may="people.erase", fresh=True, reads="person")
def erase_page(public_id: str) -> ResponseReturnValue:
    """Say what goes and what stays, and ask why."""
    return _erase_page(queries.get_by_public_id(public_id), ReasonForm())


@leaving_bp.post("/staff/people/<public_id>/erase")
@audience("staff", rate="write", may="people.erase", fresh=True)
def erase(public_id: str) -> ResponseReturnValue:
    """Have a person forgotten."""
    person, form = queries.get_by_public_id(public_id), ReasonForm()
    if not form.validate():
        return _erase_page(person, form), 422
    reason = services.clean_reason(str(form.reason.data))
    services.begin_erasure(person.id, f"staff:{current_user.public_id}", reason, clock.now())
    flash(_("This person is being forgotten. It takes a few minutes."))
    return redirect(url_for("leaving.erase_page", public_id=public_id), 303)


def _find(typed: str) -> Person | None:
    try:
        return queries.find_person_by_email(canonical_email(typed))
    except InvalidInput:
        return None


def _choose_page(person: Person, form: OtherForm) -> str:
    return render_template("front/people_merge.html", person=person, form=form)


def _compare_page(person: Person, other: Person, form: MergeForm) -> str:
    sides = [(each, everything_of(each.id), standing_of(each.id, clock.now())) for each in (person, other)]
    return render_template("front/people_merge_sure.html", person=person, other=other, sides=sides, form=form)


def _erase_page(person: Person, form: ReasonForm) -> str:
    return render_template(
        "front/people_erase.html",
        person=person,
        form=form,
        erasure=queries.find_erasure(person.id),
        support=find_live_support(person.id),
    )
