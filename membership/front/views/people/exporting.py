"""A list of people leaves the house as CSV: who may, what is in it, and the file itself."""

from flask import Response, render_template, request, stream_with_context
from flask.typing import ResponseReturnValue

from membership.front.forms import FilterForm
from membership.front.queries import listing
from membership.front.queries.listing.export import COLUMNS
from membership.front.rules.filters import Sort, read_filter
from membership.front.services import lists
from membership.front.views.people.presses import actor, people_bp
from membership.front.views.people.shown import around
from membership.kernel import clock
from membership.kernel.errors import InvalidInput
from membership.web.access import audience


@people_bp.get("/staff/people/export")
@audience("staff", may="people.export")
def export() -> ResponseReturnValue:
    """Say what will be in the file, and offer the button."""
    wanted, odd = read_filter(request.args)
    if odd:
        raise InvalidInput("filter_odd", "This list is not understood. Open it again.")
    n, most = listing.count(wanted, clock.now()), listing.MOST_COUNTED
    return render_template("front/people_export.html", n=n, most=most, fields=COLUMNS, **around(wanted, Sort()))


@people_bp.post("/staff/people/export")
@audience("staff", rate="write", may="people.export")
def export_post() -> ResponseReturnValue:
    """The file, sent while it is read."""
    begun = lists.begin_export(FilterForm().to_filter(), actor=actor(), at=clock.now())
    answer = Response(stream_with_context(begun.text), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{begun.filename}"'
    return answer
