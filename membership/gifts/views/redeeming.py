"""Redeeming a code: looking changes nothing, a button does, and whoever presses it is signed in."""

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from membership.gifts import services
from membership.gifts.forms import RedeemForm
from membership.gifts.models import Gift
from membership.gifts.rules import grouped, read_code
from membership.gifts.views.blueprint import bp
from membership.kernel import clock
from membership.kernel.errors import InvalidInput
from membership.patrons.queries import standing_of
from membership.web import ratelimit, settings
from membership.web.access import audience
from membership.web.tokens import read_signed, signed

# A code that was typed waits in the browser while its reader signs in: a session begins anew there.
NOTE_SECONDS = 3600


@bp.get("/gift/redeem")
@audience("public")
def redeem() -> ResponseReturnValue:
    """The field for the code, with the one that this browser typed before it signed in."""
    return _page(RedeemForm(data={"code": _kept_code()}))


@bp.get("/gift/redeem/<code>")
@audience("public")
def redeem_link(code: str) -> ResponseReturnValue:
    """Where the mail leads: the code goes into the field, and out of the address."""
    plain = read_code(code)
    answer = make_response(redirect(url_for("gifts.redeem"), 303))
    return _keep_code(answer, grouped(plain) if plain else "")


@bp.post("/gift/redeem")
@audience("public", rate="signin")
def redeem_post() -> ResponseReturnValue:
    """Redeem, or sign in first. One answer for codes that are wrong, used and dead."""
    form = RedeemForm()
    if not form.validate():
        return _page(form), 422
    typed = str(form.code.data)
    if not current_user.is_authenticated:
        plain = read_code(typed)
        answer = make_response(redirect(url_for("accounts.signin", next="redeem"), 303))
        return _keep_code(answer, grouped(plain) if plain else typed)
    ratelimit.hit_all(
        ("gift.code", "origin", ratelimit.origin()),
        ("gift.code", "person", str(current_user.id)),
        ("gift.codes_total",),
    )
    try:
        gift = services.redeem(typed, current_user.id, clock.now())
    except InvalidInput:
        form.code.errors = [
            _("This code does not work: it may be mistyped, used already, or its payment was taken back.")
        ]
        return _page(form), 422
    return _redeemed(gift)


def _redeemed(gift: Gift) -> Response:
    standing = standing_of(current_user.id, clock.now())
    page = render_template("gifts/redeemed.html", gift=gift, standing=standing)
    return _keep_code(make_response(page), "")


def _page(form: RedeemForm) -> str:
    return render_template("gifts/redeem.html", form=form)


def _cookie() -> str:
    return settings().cookie_prefix + "gift"


def _kept_code() -> str:
    try:
        return str(read_signed("gift.code", request.cookies.get(_cookie(), "")))
    except InvalidInput:
        return ""


def _keep_code(answer: Response, code: str) -> Response:
    """Let the browser keep a code for an hour; "" takes it away."""
    is_secure = settings().is_secure
    if code:
        note = signed("gift.code", code, NOTE_SECONDS)
        answer.set_cookie(_cookie(), note, max_age=NOTE_SECONDS, secure=is_secure, httponly=True, samesite="Lax")
    else:
        answer.delete_cookie(_cookie(), secure=is_secure, httponly=True, samesite="Lax")
    answer.headers["Cache-Control"] = "no-store"
    return answer
