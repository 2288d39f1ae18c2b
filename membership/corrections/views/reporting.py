"""Where a reader reports a mistake without any script: one plain form."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from membership.corrections import services
from membership.corrections.forms import ReportForm
from membership.corrections.queries import known_origins
from membership.corrections.rules import LONGEST_QUOTE, find_article
from membership.corrections.views.limits import count_one
from membership.kernel import clock
from membership.kernel.errors import InvalidInput, TooMany
from membership.web.access import audience
from membership.web.i18n import current_locale

report_bp = Blueprint("correction_report", __name__)


@report_bp.get("/corrections/report")
@audience("public")
def report() -> ResponseReturnValue:
    """The form; the article, and what was marked in it, may stand in the address."""
    article = find_article(request.args.get("article"), known_origins())
    quote = request.args.get("quote", "")[:LONGEST_QUOTE]
    email = current_user.email if current_user.is_authenticated else None
    return _page(ReportForm(article=article.address if article else None, quote=quote, email=email))


@report_bp.post("/corrections/report")
@audience("public", rate="write")
def report_post() -> ResponseReturnValue:
    """Take it down, and say thank you."""
    form = ReportForm()
    form.known = known_origins()
    if not form.is_in_order():
        return _page(form), 422
    try:
        count_one()
        article = _send(form)
    except InvalidInput as error:
        form.explain(error)
        return _page(form), 422
    except TooMany as error:
        return _page(form, is_limited=True), 429, {"Retry-After": str(error.retry_after)}
    return redirect(url_for("correction_report.thanks", article=article), 303)


def _send(form: ReportForm) -> str:
    """Report what was typed; the address of the article."""
    article, said = form.read()
    person_id = current_user.id if current_user.is_authenticated else None
    email = form.email.data or None
    services.report(article, said, email, current_locale(), "form", clock.now(), person_id=person_id)
    return article.address


def _page(form: ReportForm, *, is_limited: bool = False) -> str:
    return render_template("corrections/report.html", form=form, is_limited=is_limited, is_open=bool(known_origins()))


@report_bp.get("/corrections/thanks")
@audience("public")
def thanks() -> ResponseReturnValue:
    """It arrived; back to the article."""
    article = find_article(request.args.get("article"), known_origins())
    return render_template("corrections/thanks.html", article=article)
