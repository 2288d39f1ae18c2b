"""Pages of a contribution: the ask, the thanks, the member's account and receipts."""

from urllib.parse import urlencode

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from membership.accounts import queries as accounts
from membership.accounts.rules import canonical_email
from membership.billing import queries as billing
from membership.contributions import queries, services
from membership.contributions.forms import ContributeForm
from membership.contributions.rules import Wish, clean_attribution, thanks_state
from membership.contributions.services.starting import Visit
from membership.contributions.views.paying import issue_form_token, keep_limits, look_again, offer_for, used_form_token
from membership.contributions.views.shown import change_url, support_row
from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput, ProviderFailed, TooMany
from membership.newsroom.rules import Offer
from membership.patrons.queries import standing_of
from membership.patrons.rules import LONGEST_GIFT_MONTHS
from membership.web import ratelimit
from membership.web.access import audience
from membership.web.i18n import current_locale

bp = Blueprint("contributions", __name__)

TOKEN_KEY = "contribute"  # noqa: S105 - where the browser's session keeps its form token
TIMELINE_LENGTH = 50
WAIT_SECONDS = 3
PRESETS = ("rhythm", "cups", "amount", "covers_fees")
PRESETS_OF_ANY_CURRENCY = ("rhythm", "covers_fees")


@bp.get("/contribute")
@audience("public")
def contribute() -> ResponseReturnValue:
    """The ask: one page for every rhythm and amount."""
    wanted = request.args.get("currency")
    offer = offer_for(wanted)
    # An amount in a currency that is no longer offered means nothing in another one.
    presets = PRESETS if wanted in {None, offer.currency} else PRESETS_OF_ANY_CURRENCY
    form = ContributeForm(data={key: request.args[key] for key in presets if key in request.args})
    form.leave_out_what_is_not_on_offer()
    form.form_token.data = issue_form_token(TOKEN_KEY)
    if current_user.is_authenticated:
        form.email.data = current_user.email
    elif "came_back" in request.args:
        form.email.data = _typed_before()
    return _contribute_page(form, offer)


@bp.post("/contribute")
@audience("public", rate="money")
def contribute_post() -> ResponseReturnValue:
    """Check the wish, then send the reader to the payment page."""
    form = ContributeForm()
    offer = offer_for(form.currency.data)
    token = used_form_token(TOKEN_KEY, form)
    is_valid = form.is_in_order(offer)
    problem = "stale" if token is None else "prices" if offer.is_other_than(form.seen.data) and is_valid else None
    if token is None or problem is not None:
        return _contribute_page(form, offer, problem=problem, status=409)
    try:
        if not is_valid:
            return _contribute_page(form, offer, status=422)
        wish = form.to_wish(offer, canonical_email(form.email.data or ""))
        is_crowded = keep_limits(wish.email)
        return redirect(_start(wish, _visit(token, is_crowded=is_crowded), form), 303)
    except InvalidInput as error:
        form.explain(error)
        return _contribute_page(form, offer, status=422)
    except TooMany as error:
        return _contribute_page(form, offer, problem="limited", status=429, retry_after=error.retry_after)
    except ProviderFailed:
        return _contribute_page(form, offer, problem="provider_failed", status=503, retry_after=30)


def _start(wish: Wish, visit: Visit, form: ContributeForm) -> str:
    """The payment page; or, for who supports already and pressed the button all the same, the change they mean."""
    try:
        return services.start(wish, visit)
    except Conflict as error:
        support = queries.find_live_support(visit.person_id or 0)
        if error.code != "already_supporting" or support is None:
            raise
        return change_url(support, form.data)


def _contribute_page(
    form: ContributeForm,
    offer: Offer,
    problem: str | None = None,
    status: int = 200,
    retry_after: int | None = None,
) -> ResponseReturnValue:
    form.currency.data, form.seen.data = offer.currency, offer.mark
    support = queries.find_live_support(current_user.id) if current_user.is_authenticated else None
    kept = {key: value for key, value in request.args.items() if key != "amount"}  # in another currency another one
    page = render_template(
        "contributions/contribute.html",
        form=form,
        offer=offer,
        currency_urls={
            code: f"{url_for('contributions.contribute')}?{urlencode(kept | {'currency': code})}"
            for code in offer.currencies
        },
        support=support_row(support) if support else None,
        change_url=change_url(support, request.args) if support else None,
        most_months=LONGEST_GIFT_MONTHS,
        came_back="came_back" in request.args and problem is None and status == 200,  # noqa: PLR2004 - a page
        problem=problem,
    )
    headers = {"Retry-After": str(retry_after)} if retry_after else {}
    return page, status, headers


def _typed_before() -> str | None:
    """The address that this browser typed for its last try, so that coming back loses nothing."""
    tries = queries.tries_of(session.get(TOKEN_KEY, ""))
    return tries[0].email if tries else None


def _visit(token: str, *, is_crowded: bool) -> Visit:
    return Visit(
        form_token=token,
        person_id=current_user.id if current_user.is_authenticated else None,
        locale=current_locale(),
        attribution=clean_attribution(request.args.to_dict()),
        is_crowded=is_crowded,
        network=ratelimit.network_of(request.remote_addr or ""),
    )


@bp.get("/contribute/thanks")
@audience("public")
def thanks() -> ResponseReturnValue:
    """Where the payment page sends readers back to. Says thanks only for money that is confirmed."""
    checkout_id = request.args.get("session", "")
    contribution, is_certain = look_again(checkout_id)
    has_open_page = is_certain and bool(contribution.checkout_url)
    is_pending = contribution.pending_at is not None
    state = thanks_state(contribution.state, has_open_page=has_open_page, is_pending=is_pending)
    return render_template(
        "contributions/thanks.html",
        state=state,
        contribution=support_row(contribution),
        masked_email=accounts.masked(contribution.email),
        refresh_seconds=WAIT_SECONDS,
        checkout_url=contribution.checkout_url,
    )


@bp.get("/account")
@audience("member")
def account() -> ResponseReturnValue:
    """A member's own page: standing and why, support, payments, history, sign-ins."""
    now = clock.now()
    mine = queries.contributions_of(current_user.id)
    payments = billing.payments_of([contribution.reference for contribution in mine])
    return render_template(
        "contributions/account.html",
        person=current_user,
        standing=standing_of(current_user.id, now),
        supports=[support_row(contribution) for contribution in mine],
        payments=payments,
        timeline=accounts.timeline(current_user.id, TIMELINE_LENGTH),
        sessions=accounts.sessions_of(current_user.id),
        now=now,
    )
