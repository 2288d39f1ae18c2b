"""Who is here, who is in trouble, and everything about one person. Reading only."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from membership.front.queries import kept, person_page
from membership.front.queries import people as queries
from membership.front.rules.filters import read_filter, read_sort
from membership.front.services import lists
from membership.front.views.people.presses import actor, people_bp
from membership.front.views.people.shown import around
from membership.kernel import clock
from membership.web.access import audience

LONGEST_PLACE = 600


@people_bp.get("/staff/people")
@audience("staff", may="people.see")
def index() -> ResponseReturnValue:
    """Find people."""
    wanted, odd = read_filter(request.args)
    sort, place = read_sort(request.args.get("sort", "")), request.args.get("after", "")[:LONGEST_PLACE]
    found = lists.read_page(wanted, sort, place, actor=actor(), at=clock.now())
    return render_template("front/people.html", found=found, odd=odd, place=place, **around(wanted, sort))


@people_bp.get("/staff/trouble")
@audience("staff", may="people.see")
def trouble() -> ResponseReturnValue:
    """Payments that failed and are open now, the longest open first."""
    page = _page()
    rows, has_more = queries.list_trouble(page)
    return render_template(
        "front/people_trouble.html", rows=rows, has_more=has_more, page=page, n=queries.n_in_trouble()
    )


@people_bp.get("/staff/people/<public_id>")
@audience("staff", may="people.see")
def person(public_id: str) -> ResponseReturnValue:
    """One person: standing, support, money, gifts, mails, history, and every action."""
    now = clock.now()
    view = person_page.view_person(queries.get_person_by_public_id(public_id), now)
    return render_template("front/person.html", view=view, now=now, all_tags=kept.list_tags())


@people_bp.get("/staff/people/<public_id>/payments")
@audience("staff", may="people.see")
def payments(public_id: str) -> ResponseReturnValue:
    """All payments of a person, page by page."""
    found = queries.get_person_by_public_id(public_id)
    before = request.args.get("before", "")[:LONGEST_PLACE]
    references = person_page.references_of(found)
    part = person_page.payments_part(references, person_page.PAYMENTS_OF_A_PAGE, before)
    return render_template("front/person_payments.html", person=found, part=part, is_first=not before)


@people_bp.get("/staff/people/<public_id>/history")
@audience("staff", may="people.see")
def history(public_id: str) -> ResponseReturnValue:
    """Everything that happened to a person, page by page."""
    found, text = queries.get_person_by_public_id(public_id), request.args.get("before", "")
    before = int(text) if text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER else None
    part = person_page.history_part(found.id, person_page.ENTRIES_OF_A_PAGE, before)
    names = queries.staff_names()
    return render_template("front/person_history.html", person=found, part=part, names=names, is_first=before is None)


LONGEST_NUMBER = 9


def _page() -> int:
    text = request.args.get("page", "1")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(queries.LAST_PAGE)) else 1
