"""A member's data: see it, take it along, or have it deleted with the account."""

import json

from flask import Blueprint, Response, make_response, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from membership.accounts import services
from membership.accounts.forms import CodeForm
from membership.accounts.views.addresses import MINUTES, ask_within_limits
from membership.accounts.views.signing_in import wrong_code
from membership.contributions.queries import find_live_support
from membership.front.queries.person_data import as_plain, everything_of
from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput
from membership.mail.queries import is_mail_flowing
from membership.patrons.queries import standing_of
from membership.web import ratelimit
from membership.web.access import audience
from membership.web.errors import explain
from membership.web.forms import Form

data_bp = Blueprint("data", __name__)

explain("erase_staff", _l("Whoever works here is taken off the staff first. Nothing was deleted."))
explain(
    "address_is_new",
    _l(
        "The address of this account was changed less than seven days ago, and its old owner may still take that back. "
        "Until then nothing is deleted."
    ),
)


@data_bp.after_request
def _keep_nothing(response: Response) -> Response:
    """What stands on these pages is for one person, and stays in no cache."""
    response.headers["Cache-Control"] = "no-store"
    return response


@data_bp.get("/account/data")
@audience("member")
def overview() -> ResponseReturnValue:
    """Say what can be done here."""
    return render_template("front/data.html")


@data_bp.post("/account/data/download")
@audience("member", rate="write")
def download() -> ResponseReturnValue:
    """Everything as one JSON file."""
    Form()
    now = clock.now()
    text = json.dumps(as_plain(everything_of(current_user.id), now), ensure_ascii=False, indent=2)
    answer = make_response(text)
    answer.mimetype = "application/json"
    answer.headers["Content-Disposition"] = f'attachment; filename="my-data-{now:%Y-%m-%d}.json"'
    return answer


@data_bp.post("/account/data/show")
@audience("member", rate="write")
def show() -> ResponseReturnValue:
    """The same as a page that can be read and printed."""
    Form()
    return render_template("front/data_shown.html", rooms=everything_of(current_user.id), at=clock.now())


@data_bp.get("/account/data/delete")
@audience("member", rate="signin")
def delete_page() -> ResponseReturnValue:
    """Say what goes and what stays, before anything happens."""
    return _delete_page()


@data_bp.post("/account/data/delete")
@audience("member", rate="signin")
def ask_code() -> ResponseReturnValue:
    """Have a code sent to the member's own address."""
    Form()
    services.refuse_while_undoable(current_user.id)
    ask_within_limits("erase", current_user.email)
    return redirect(url_for("data.code_page"), 303)


@data_bp.get("/account/data/delete/code")
@audience("member", rate="signin")
def code_page() -> ResponseReturnValue:
    """Take the code."""
    return _code_page(CodeForm())


@data_bp.post("/account/data/delete/code")
@audience("member", rate="signin")
def delete() -> ResponseReturnValue:
    """Delete the account of whoever typed the code that was mailed to them."""
    ratelimit.hit("signin.code", ratelimit.origin())
    form = CodeForm()
    if not form.validate():
        return _code_page(form), 422
    try:
        services.erase_self(current_user.id, str(form.code.data), clock.now())
    except InvalidInput as error:
        form.code.errors = [wrong_code(error.details["n_left"])]
        return _code_page(form), 422
    except Conflict as error:
        if error.code != "code_dead":
            raise
        return _code_page(form, is_dead=True), 409
    session.leave()  # type: ignore[attr-defined]
    return redirect(url_for("data.deleted"), 303)


@data_bp.get("/account/deleted")
@audience("public")
def deleted() -> ResponseReturnValue:
    """The last page."""
    return render_template("front/data_deleted.html")


def _delete_page() -> str:
    now = clock.now()
    return render_template(
        "front/data_delete.html",
        support=find_live_support(current_user.id),
        standing=standing_of(current_user.id, now),
    )


def _code_page(form: CodeForm, *, is_dead: bool = False) -> str:
    return render_template(
        "front/data_code.html",
        form=form,
        is_dead=is_dead,
        is_mail_flowing=is_mail_flowing(clock.real_now()),
        n_minutes=MINUTES,
    )
