"""Confirming an address before the payment page opens, while card testers are about."""

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue

from membership.contributions.queries import find_by_reference
from membership.contributions.rules import State
from membership.contributions.services.starting import go_on
from membership.contributions.views.giving import bp
from membership.kernel.errors import InvalidInput, NotFound, ProviderFailed
from membership.web import ratelimit
from membership.web.access import audience
from membership.web.tokens import read_signed


@bp.get("/contribute/confirm")
@audience("public")
def confirm_asked() -> str:
    """What to do next: open the mail. Says the same whoever asks."""
    return render_template("contributions/confirm_asked.html", is_later="later" in request.args)


@bp.get("/contribute/confirm/<token>")
@audience("public")
def confirm(token: str) -> ResponseReturnValue:
    """The page of the mailed link. Looking at it changes nothing; scanners of mail do."""
    return _page(token)


@bp.post("/contribute/confirm/<token>")
@audience("public", rate="money")
def confirm_post(token: str) -> ResponseReturnValue:
    """On to the payment page."""
    ratelimit.hit_all(
        ("checkout.origin", ratelimit.origin()), ("checkout.network", ratelimit.network_of(request.remote_addr or ""))
    )
    try:
        return redirect(go_on(_reference(token)), 303)
    except ProviderFailed:
        return _page(token, problem="provider_failed", status=503)


def _page(token: str, problem: str | None = None, status: int = 200) -> ResponseReturnValue:
    contribution = find_by_reference(_reference(token))
    if contribution is None or contribution.state == State.ABANDONED:
        raise NotFound("confirmation_over", "This link is no longer valid. Please begin again.")
    page = render_template("contributions/confirm.html", contribution=contribution, problem=problem)
    return page, status, {"Referrer-Policy": "same-origin"}


def _reference(token: str) -> str:
    try:
        return str(read_signed("confirm", token))
    except InvalidInput as error:
        raise NotFound("confirmation_over", "This link is no longer valid. Please begin again.") from error
