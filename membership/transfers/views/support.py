"""What readers see: every way to support, and the page of what they announced."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from membership.accounts.rules import mailbox
from membership.contributions.views.paying import issue_form_token, offer_for, used_form_token
from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput, MembershipError, TooMany
from membership.newsroom.queries import offered_ways, ways
from membership.newsroom.rules import Offer
from membership.newsroom.rules.ways import grouped
from membership.transfers import queries, services
from membership.transfers.emails import describe
from membership.transfers.forms import AnnounceForm
from membership.transfers.rules.waiting import MOST_OPEN, WAIT_FOR
from membership.web import qr, ratelimit
from membership.web.access import audience
from membership.web.forms import Form

bp = Blueprint("transfers", __name__)

TOKEN_KEY = "announce"  # noqa: S105 - where the browser's session keeps its form token


@bp.get("/support")
@audience("public")
def support() -> ResponseReturnValue:
    """Every way to support, and the form "I will transfer"."""
    offer = offer_for(request.args.get("currency"))
    form = AnnounceForm(data={"rhythm": "once", "way": next(iter(offered_ways()), None)}).offer_ways(offered_ways())
    form.form_token.data = issue_form_token(TOKEN_KEY)
    if current_user.is_authenticated:
        form.email.data = current_user.email
    return _page(form, offer)


@bp.post("/support")
@audience("public", rate="money")
def announce() -> ResponseReturnValue:
    """Write down what will come, and show its code."""
    form = AnnounceForm().offer_ways(offered_ways())
    offer = offer_for(form.currency.data)
    token = used_form_token(TOKEN_KEY, form)
    is_valid = form.is_in_order(offer)
    if token is None:
        return _page(form, offer, problem="stale"), 409
    if not is_valid:
        return _page(form, offer), 422
    if offer.is_other_than(form.seen.data):
        return _page(form, offer, problem="prices"), 409
    try:
        return redirect(url_for("transfers.announced", reference=_announce(form, offer, token)), 303)
    except MembershipError as error:
        return _refused(form, offer, error)


def _refused(form: AnnounceForm, offer: Offer, error: MembershipError) -> ResponseReturnValue:
    """The form again, with all that was typed in it."""
    if isinstance(error, InvalidInput):
        form.explain(error)
        return _page(form, offer), 422
    if isinstance(error, TooMany):
        return _page(form, offer, problem=error.code), 429, {"Retry-After": str(error.retry_after)}
    if isinstance(error, Conflict):
        return _page(form, offer, problem=error.code), 409
    raise error


def _announce(form: AnnounceForm, offer: Offer, token: str) -> str:
    person_id = current_user.id if current_user.is_authenticated else None
    gift = form.to_gift(offer, person_id)
    ratelimit.hit_all(
        ("transfers.origin", ratelimit.origin()),
        ("transfers.network", ratelimit.network_of(request.remote_addr or "")),
        ("transfers.email", mailbox(gift.email)),
    )
    try:
        ratelimit.hit("transfers.total")
    except TooMany as error:
        raise TooMany("announced_by_many", "Many transfers were announced.", retry_after=error.retry_after) from error
    return services.announce(gift, form.rhythm_word, token, clock.now())


@bp.get("/support/declared/<reference>")
@audience("public")
def announced(reference: str) -> ResponseReturnValue:
    """Account, amount and code of an announcement, for whoever has its unguessable address. No thanks yet."""
    found = queries.get_announced(reference)
    facts = describe(found)
    known = ways()
    drawn = None
    if found.contribution.way == "bank" and known.iban and known.holder:
        drawn = qr.of_transfer(known.holder, known.iban, known.bic, found.contribution.charge, found.code)
    return render_template(
        "transfers/announced.html",
        **facts,
        reference=reference,
        qr=drawn,
        is_paid=not found.contribution.is_unpaid,
        is_withdrawn=found.declaration.withdrawn_at is not None,
        is_over=found.declaration.lapses_at <= clock.now(),
        n_days=WAIT_FOR.days,
        crypto=_crypto(),
        cash_words=known.cash_words,
    )


@bp.post("/support/declared/<reference>/withdraw")
@audience("public", rate="write")
def withdraw(reference: str) -> ResponseReturnValue:
    """It will not come."""
    Form()
    services.withdraw(queries.get_announced(reference).declaration.id)
    return redirect(url_for("transfers.announced", reference=reference), 303)


@bp.post("/support/declared/<reference>/again")
@audience("public", rate="write")
def announce_again(reference: str) -> ResponseReturnValue:
    """It comes after all."""
    Form()
    services.announce_again(queries.get_announced(reference).declaration.id)
    return redirect(url_for("transfers.announced", reference=reference), 303)


def _page(form: AnnounceForm, offer: Offer, problem: str | None = None) -> str:
    form.currency.data, form.seen.data = offer.currency, offer.mark
    known = ways()
    return render_template(
        "transfers/support.html",
        form=form,
        offer=offer,
        currency_urls={code: f"{url_for('transfers.support')}?currency={code}#announce" for code in offer.currencies},
        problem=problem,
        most_open=MOST_OPEN,
        ways=offered_ways(),
        account={
            "holder": known.holder,
            "iban": grouped(known.iban or ""),
            "bic": known.bic,
            "bank": known.bank_name,
        },
        paypal_link=known.paypal_link,
        crypto=_crypto(),
        cash_words=known.cash_words,
    )


def _crypto() -> list[tuple[str, str, qr.Drawing]]:
    """Name, address and picture of every crypto address."""
    return [(name, address, qr.of_text(address)) for name, address in ways().crypto]
