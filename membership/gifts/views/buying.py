"""Buying a gift: the form, and where the payment page sends people back to."""

from urllib.parse import urlencode

from flask import redirect as go
from flask import render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from membership.accounts.queries import masked
from membership.accounts.rules import canonical_email
from membership.contributions.queries import tries_of
from membership.contributions.rules import clean_attribution, thanks_state
from membership.contributions.services.starting import Visit
from membership.contributions.views.paying import issue_form_token, keep_limits, look_again, offer_for, used_form_token
from membership.gifts import queries, services
from membership.gifts.forms import GiftForm, day_of
from membership.gifts.rules import MONTHS_OFFERED, Stage, price_of
from membership.gifts.views.blueprint import bp
from membership.kernel import clock
from membership.kernel.errors import InvalidInput, NotFound, ProviderFailed, TooMany
from membership.newsroom.rules import Offer
from membership.web import ratelimit
from membership.web.access import audience
from membership.web.i18n import current_locale

TOKEN_KEY = "gift"  # noqa: S105 - where the browser's session keeps its form token
WAIT_SECONDS = 3
OK = 200


@bp.get("/gift")
@audience("public")
def gift() -> ResponseReturnValue:
    """The form: how long, how many cups, to whom, when."""
    offer = offer_for(request.args.get("currency"))
    form = GiftForm()
    if current_user.is_authenticated:
        form.email.data, form.from_name.data = current_user.email, current_user.public_name or ""
    form.send_on.data = day_of(clock.now())
    if "came_back" in request.args:
        _fill_in_again(form)
    form.form_token.data = issue_form_token(TOKEN_KEY)
    return _page(form, offer)


@bp.post("/gift")
@audience("public", rate="money")
def gift_post() -> ResponseReturnValue:
    """Check the wish, then send the giver to the payment page."""
    form = GiftForm()
    offer = offer_for(form.currency.data)
    token = used_form_token(TOKEN_KEY, form)
    now = clock.now()
    is_valid = form.is_in_order(now)
    if token is None:
        return _page(form, offer, problem="stale", status=409)
    try:
        if is_valid and offer.is_other_than(form.seen.data):
            return _page(form, offer, problem="prices", status=409)
        return _page(form, offer, status=422) if not is_valid else _to_payment(form, offer, token)
    except InvalidInput as error:
        form.explain(error)
        return _page(form, offer, status=422)
    except TooMany as error:
        return _page(form, offer, problem="limited", status=429, retry_after=error.retry_after)
    except ProviderFailed:
        return _page(form, offer, problem="provider_failed", status=503, retry_after=30)


def _to_payment(form: GiftForm, offer: Offer, token: str) -> ResponseReturnValue:
    wish = form.to_wish(offer, clock.now())
    email = canonical_email(form.email.data or "")
    visit = Visit(
        is_crowded=keep_limits(email),
        network=ratelimit.network_of(request.remote_addr or ""),
        form_token=token,
        person_id=current_user.id if current_user.is_authenticated else None,
        locale=current_locale(),
        attribution=clean_attribution(request.args.to_dict()),
    )
    return go(services.buy(wish, email, offer.cup, visit), 303)


def _fill_in_again(form: GiftForm) -> None:
    """What this browser typed for its last try: nothing of it travels in an address."""
    token = session.get(TOKEN_KEY, "")
    known, tries = queries.last_typed(token), tries_of(token)
    if known is not None and tries and known.stage is Stage.UNPAID:
        form.show(known)
        form.email.data = tries[0].email
        form.months.data, form.cups.data = str(known.n_months), str(known.n_cups)


def _page(
    form: GiftForm, offer: Offer, problem: str | None = None, status: int = OK, retry_after: int | None = None
) -> ResponseReturnValue:
    form.currency.data, form.seen.data = offer.currency, offer.mark
    page = render_template(
        "gifts/gift.html",
        form=form,
        offer=offer,
        prices={
            (n_cups.n_cups, n_months): price_of(offer, n_cups.n_cups, n_months)
            for n_cups in offer.choices
            for n_months in MONTHS_OFFERED
        },
        currency_urls={
            code: f"{url_for('gifts.gift')}?{urlencode(request.args.to_dict() | {'currency': code})}"
            for code in offer.currencies
        },
        first_day=clock.now(),
        came_back="came_back" in request.args and problem is None and status == OK,
        problem=problem,
    )
    return page, status, {"Retry-After": str(retry_after)} if retry_after else {}


@bp.get("/gift/thanks")
@audience("public")
def thanks() -> ResponseReturnValue:
    """Where the payment page sends givers back to. The code is shown only in the browser that bought it."""
    contribution, is_certain = look_again(request.args.get("session", ""))
    given = queries.find_by_contribution(contribution.reference)
    if given is None:
        raise NotFound("no_such_checkout", "We do not know this payment page.")
    is_buyer = contribution.form_token == session.get(TOKEN_KEY)
    is_shown = is_buyer and given.stage in {Stage.PAID, Stage.SCHEDULED}
    return render_template(
        "gifts/thanks.html",
        state=thanks_state(contribution.state, has_open_page=is_certain and bool(contribution.checkout_url)),
        contribution=contribution,
        gift=given,
        is_buyer=is_buyer,
        code=queries.code_of(given) if is_shown and given.send_at is None else None,
        masked_email=masked(contribution.email),
        checkout_url=contribution.checkout_url,
        refresh_seconds=WAIT_SECONDS,
    )
