"""Who is here, and everything about one person. Reading only."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from membership.front.queries import people as queries
from membership.front.queries.people import Which
from membership.front.views.people.presses import people_bp
from membership.kernel import clock
from membership.web.access import audience


@people_bp.get("/staff/people")
@audience("staff", may="people.see", reads="people")
def index() -> ResponseReturnValue:
    """Find people."""
    text, page = request.args.get("q", ""), page_number(queries.LAST_PAGE)
    wanted = request.args.get("which", "")
    which = Which(wanted) if wanted in set(Which) else Which.ALL
    found = queries.search(text, which, page, clock.now())
    return render_template("front/people.html", text=text, which=which, kinds=list(Which), found=found, page=page)


@people_bp.get("/staff/people/<public_id>")
@audience("staff", may="people.see", reads="person")
def person(public_id: str) -> ResponseReturnValue:
    """One person: standing, support, money, gifts, mails, history, and every action."""
    now = clock.now()
    view = queries.view_person(queries.get_person_by_public_id(public_id), now)
    return render_template("front/person.html", view=view, now=now)


def page_number(last: int) -> int:
    """Which page of a list the address asks for, from 1; the first one for whatever is no number up to `last`."""
    text = request.args.get("page", "1")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(last)) else 1
