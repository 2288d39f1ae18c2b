"""The desk of failed payments: who, why, what to tell them, and the ways to help."""

from urllib.parse import quote

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from membership.contributions.rules.failing import Why
from membership.contributions.services import recovering
from membership.front.forms import StaffActForm
from membership.front.queries import trouble as queries
from membership.front.queries.trouble import Next, Trouble
from membership.front.views.people import sayings
from membership.front.views.people.presses import actor, attempt, new_token, nonce_of, people_bp
from membership.front.views.people.reading import page_number
from membership.kernel import clock
from membership.newsroom.queries import newsroom
from membership.web.access import audience
from membership.web.i18n import current_locale
from membership.web.links import absolute
from membership.web.sorting import read_sort

MAIL = "/staff/trouble/<reference>/mail"


@people_bp.get("/staff/trouble")
@audience("staff", may="people.see", reads="people")
def trouble() -> ResponseReturnValue:
    """Payments that failed and are open now, the longest open first unless the address says otherwise."""
    why, what_next = request.args.get("why", ""), request.args.get("next", "")
    chosen = Why(why) if why in set(Why) else None, Next(what_next) if what_next in set(Next) else None
    sort, page = read_sort(request.args.get("sort"), queries.COLUMNS, "since"), page_number(queries.LAST_PAGE)
    found = queries.list_trouble(*chosen, sort, page)
    helps = {row.row.id: _help(row) for row in found.rows}
    return render_template("front/trouble.html", found=found, helps=helps, chosen=chosen, sort=sort, page=page)


def _help(trouble: Trouble) -> dict[str, str]:
    """What to tell this giver, in their language and in the page's; where to mend it; a mail to begin from."""
    page = absolute("recovering.pay", reference=trouble.row.reference)
    subject, body = sayings.letter(trouble, page, newsroom().name)
    locale = trouble.person.locale
    return {
        "words": sayings.sentence(trouble, locale),
        "in_ours": sayings.sentence(trouble, current_locale()) if locale != current_locale() else "",
        "page": page,
        "mailto": f"mailto:{quote(trouble.person.email, safe='@')}?subject={quote(subject)}&body={quote(body)}",
    }


@people_bp.get(MAIL)
@audience("staff", may="people.act")
def mail_failure(reference: str) -> ResponseReturnValue:
    """Say what the mail says, and ask for the reason."""
    form = StaffActForm(formdata=None)
    form.form_token.data = new_token(reference, "mail_failure")
    return _mail_page(queries.get_trouble(reference), form)


@people_bp.post(MAIL)
@audience("staff", rate="write", may="people.act")
def mail_failure_post(reference: str) -> ResponseReturnValue:
    """Have the mail about the failed payment sent once more."""
    form, found = StaffActForm(), queries.get_trouble(reference)
    nonce = nonce_of(form, reference, "mail_failure")
    if nonce is None:
        return _mail_page(found, form, "stale"), 409
    if not form.validate():
        return _mail_page(found, form), 422
    reason, at = form.reason.data or "", clock.now()
    problem, status = attempt(lambda: recovering.mail_again(reference, nonce, reason=reason, actor=actor(), at=at))
    if problem is not None:
        return _mail_page(found, form, problem), status
    flash(_("The mail is on its way."))
    return redirect(url_for("people_desk.trouble"), 303)


def _mail_page(found: Trouble, form: StaffActForm, problem: str | None = None) -> str:
    return render_template("front/trouble_mail.html", trouble=found, form=form, problem=problem)
