"""Pages of a contribution: the ask, the thanks, the member's account and receipts."""

import secrets
from typing import Any

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from membership.accounts import queries as accounts
from membership.accounts.rules import canonical_email
from membership.billing import queries as billing
from membership.billing.services import sync
from membership.contributions import queries, services
from membership.contributions.forms import ContributeForm
from membership.contributions.models import Contribution
from membership.contributions.rules import UNPAID, State, Wish, clean_attribution, clean_public_name, gift_from
from membership.contributions.services.starting import CHECKOUT_MARK, Visit
from membership.db import outside_call
from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput, NotFound, ProviderFailed
from membership.kernel.rhythm import Rhythm
from membership.newsroom.queries import newsroom, offer_in, offered_currencies
from membership.newsroom.rules import Offer
from membership.patrons.queries import standing_of
from membership.web import ratelimit
from membership.web.access import audience
from membership.web.i18n import currency_for_request, current_locale
from membership.web.links import absolute
from membership.web.tokens import read_signed, signed

bp = Blueprint("contributions", __name__)

FORM_TOKEN_AGE = 24 * 3600
TOKEN_KEY = "contribute"  # noqa: S105 - the name under which the browser's session keeps its form token
TIMELINE_LENGTH = 50
WAIT_SECONDS = 3


@bp.get("/contribute")
@audience("public")
def contribute() -> ResponseReturnValue:
    """The ask: one page for every rhythm and amount."""
    offer = _offer()
    form = ContributeForm(request.args, meta={"csrf": True})
    form.preset(request.args)
    form.currency.data, form.form_token.data = offer.currency, _fresh_form_token()
    return _contribute_page(form, offer)


@bp.post("/contribute")
@audience("public", rate="money")
def contribute_post() -> ResponseReturnValue:
    """Check the wish, then send the reader to the payment page."""
    form = ContributeForm()
    offer = _offer(form.currency.data)
    token = _form_token_of(form)
    form.form_token.data = token and form.form_token.data or _fresh_form_token()
    if not form.validate_on_submit():
        return _contribute_page(form, offer, status=422)
    if token is None:
        return _contribute_page(form, offer, problem="stale", status=409)
    try:
        wish = form.to_wish(offer, canonical_email(form.email.data or ""))
        _keep_limits(wish)
        return redirect(services.start(wish, _visit(token, offer)), 303)
    except InvalidInput as error:
        form.explain(error)
        return _contribute_page(form, offer, status=422)
    except TooMany as error:
        return _contribute_page(form, offer, problem="limited", status=429, retry_after=error.retry_after)
    except Conflict:
        return redirect(url_for("contributions.contribute"), 303)
    except ProviderFailed:
        return _contribute_page(form, offer, problem="provider_failed", status=503, retry_after=30)
