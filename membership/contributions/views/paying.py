"""What every form that leads to a payment page shares: the offer, the form's token, limits, and the look back."""

import re
import secrets
from contextlib import suppress

from flask import request, session
from flask_login import current_user
from wtforms import Form

from membership.accounts.rules import mailbox
from membership.billing.services import sync
from membership.contributions import queries
from membership.contributions.models import Contribution
from membership.kernel.errors import InvalidInput, NotFound, ProviderFailed, TooMany
from membership.newsroom.queries import offer_in, offered_currencies
from membership.newsroom.rules import Offer
from membership.web import ratelimit
from membership.web.i18n import currency_for_request
from membership.web.tokens import read_signed, signed

FORM_TOKEN_AGE = 24 * 3600
PROVIDER_ID = re.compile(r"[A-Za-z0-9_]{1,255}")


def offer_for(currency: str | None) -> Offer:
    """The offer in the wanted currency, or in the one that this reader most likely counts in."""
    offered = offered_currencies()
    return offer_in(currency if currency and currency in offered else currency_for_request(offered))


def issue_form_token(key: str) -> str:
    """The browser's form token for the form `key`, signed: its own while that is unused or unpaid, else new.

    One token for all tabs of a browser is what makes two tabs one payment page.
    """
    token = session.get(key)
    if not token or any(not row.is_unpaid for row in queries.tries_of(token)):
        token = session[key] = secrets.token_urlsafe(24)
    return signed(key, token, FORM_TOKEN_AGE)


def used_form_token(key: str, form: Form) -> str | None:
    """The token that came with the form if it is this browser's own and fresh; else None, and the form gets
    a new one so that pressing again works.
    """
    field = form["form_token"]
    try:
        token = read_signed(key, field.data or "")
    except InvalidInput:
        token = None
    if token is not None and token == session.get(key):
        return str(token)
    field.data = issue_form_token(key)
    return None


def keep_limits(email: str) -> bool:
    """Card testers stop here, before the payment company is asked (stripe.md 1.7).

    True where the total of a minute is reached: whoever has never given then confirms the address by mail, so that
    nobody can shut the page for everybody else.
    """
    person = [("checkout.person", str(current_user.id))] if current_user.is_authenticated else []
    ratelimit.hit_all(
        *person,
        ("checkout.origin", ratelimit.origin()),
        ("checkout.network", ratelimit.network_of(request.remote_addr or "")),
        ("checkout.email", mailbox(email)),
    )
    try:
        ratelimit.hit("checkout.total")
    except TooMany:
        return True
    return False


def look_again(checkout_id: str) -> tuple[Contribution, bool]:
    """The contribution of a payment page, after reading that page again if it is not settled here yet; and
    whether that worked: who may have paid is never told that nothing was charged.
    """
    if PROVIDER_ID.fullmatch(checkout_id) is None:
        raise NotFound("no_such_checkout", "We do not know this payment page.")
    is_certain = False
    contribution = queries.find_by_checkout(checkout_id)
    if contribution is None:
        ratelimit.hit("thanks.unknown", ratelimit.origin())
    if contribution is None or contribution.is_unpaid:
        # Too often, or not now: the webhook will say it too; until then we are waiting, and say so.
        with suppress(ProviderFailed, TooMany):
            ratelimit.hit("thanks.look", checkout_id)
            is_certain = sync("checkout_session", checkout_id)
        contribution = queries.find_by_checkout(checkout_id)
    if contribution is None:
        raise NotFound("no_such_checkout", "We do not know this payment page.")
    return contribution, is_certain
