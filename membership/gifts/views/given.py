"""The giver's account: every gift, where it stands, and what can still be done about it."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from membership.gifts import queries, services
from membership.gifts.forms import DeliveryForm, day_of
from membership.gifts.models import Gift
from membership.gifts.rules import GIVER_MAY
from membership.gifts.views.blueprint import bp
from membership.kernel import clock
from membership.kernel.errors import InvalidInput, NotFound
from membership.web import ratelimit
from membership.web.access import audience
from membership.web.forms import Form


@bp.get("/account/gifts")
@audience("member")
def mine() -> ResponseReturnValue:
    """What this member gave and was given."""
    given = queries.given_by(current_user.id)
    return render_template(
        "gifts/mine.html",
        given=[(gift, queries.price_of(gift), GIVER_MAY[gift.stage]) for gift in given],
        received=queries.received_by(current_user.id),
    )


@bp.get("/account/gifts/<public_id>")
@audience("member")
def given(public_id: str) -> ResponseReturnValue:
    """One gift, with its code and the form that changes to whom it goes."""
    gift = queries.get_given(public_id, current_user.id)
    form = DeliveryForm()
    form.send_on.data = day_of(clock.now())
    form.show(gift)
    return _page(gift, form)


@bp.post("/account/gifts/<public_id>")
@audience("member", rate="write")
def change(public_id: str) -> ResponseReturnValue:
    """Let it go to somebody else, or on another day."""
    gift = queries.get_given(public_id, current_user.id)
    form, now = DeliveryForm(), clock.now()
    if not form.is_in_order(now):
        return _page(gift, form), 422
    try:
        services.change(public_id, current_user.id, form.delivery(now))
    except InvalidInput as error:
        form.explain(error)
        return _page(gift, form), 422
    flash(_("The gift is changed."))
    return redirect(url_for("gifts.given", public_id=public_id), 303)


@bp.post("/account/gifts/<public_id>/send")
@audience("member", rate="write")
def send_again(public_id: str) -> ResponseReturnValue:
    """Mail the code once more."""
    Form()
    gift = queries.get_given(public_id, current_user.id)
    ratelimit.hit("gift.send_again", gift.public_id)
    services.send_again(public_id, current_user.id)
    flash(_("The mail is on its way once more."))
    return redirect(url_for("gifts.given", public_id=public_id), 303)


@bp.get("/account/gifts/<public_id>/card")
@audience("member")
def card(public_id: str) -> ResponseReturnValue:
    """A card to print and hand over."""
    gift = queries.get_given(public_id, current_user.id)
    if "print" not in GIVER_MAY[gift.stage]:
        raise NotFound("no_gift", "There is no such gift.")
    return render_template("gifts/card.html", gift=gift, code=queries.code_of(gift))


def _page(gift: Gift, form: DeliveryForm) -> str:
    may = GIVER_MAY[gift.stage]
    return render_template(
        "gifts/given.html",
        gift=gift,
        form=form,
        may=may,
        price=queries.price_of(gift),
        code=queries.code_of(gift) if "print" in may else None,
        first_day=clock.now(),
    )
