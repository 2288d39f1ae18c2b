"""Pages on which a failed payment is mended: pay now, another card; and the choice between two supports."""

import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy.exc import SQLAlchemyError

from membership.billing.port import PayOutcome
from membership.contributions import queries
from membership.contributions.models import Card, Contribution
from membership.contributions.rules import LIVE, State
from membership.contributions.rules.failing import FailureClass, class_of_failure, may_be_paid_now
from membership.contributions.services import doubling, recovering
from membership.contributions.views.paying import PROVIDER_ID, keep_limits
from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput, NotFound, ProviderFailed, TooMany
from membership.patrons.queries import standing_of
from membership.web import ratelimit
from membership.web.access import audience

bp = Blueprint("recovering", __name__)

ATTEMPT = re.compile(r"[A-Za-z0-9_-]{8,40}")


@bp.get("/account/support/<reference>/pay")
@audience("member")
def pay(reference: str) -> ResponseReturnValue:
    """Where the mail about a failed payment leads: why, until when, and the buttons that mend it."""
    return _pay_page(_mine(reference))


@bp.post("/account/support/<reference>/pay")
@audience("member", rate="money")
def pay_post(reference: str) -> ResponseReturnValue:
    """Try the open payment again, now."""
    row = _mine(reference)
    try:
        keep_limits(current_user.email)
        outcome = recovering.pay_now(reference, _attempt())
    except TooMany as error:
        return _pay_page(row, "limited", 429, error.retry_after)
    except ProviderFailed:
        return _pay_page(row, "provider_failed", 503, 30)
    except Conflict:
        flash(_("Nothing is open any more: there is nothing to pay."), "info")
        return redirect(url_for("contributions.account"), 303)
    return _answer(reference, outcome)


@bp.post("/account/support/<reference>/card")
@audience("member", rate="money")
def card(reference: str) -> ResponseReturnValue:
    """Open the provider's page that takes a new card."""
    row = _mine(reference)
    try:
        keep_limits(current_user.email)
        return redirect(recovering.open_card_page(reference, _attempt()), 303)
    except TooMany as error:
        return _pay_page(row, "limited", 429, error.retry_after)
    except ProviderFailed:
        return _pay_page(row, "provider_failed", 503, 30)
    except Conflict:
        flash(_("This support is over, so it needs no card."), "info")
        return redirect(url_for("contributions.account"), 303)


@bp.get("/account/support/<reference>/card/done")
@audience("member")
def card_done(reference: str) -> ResponseReturnValue:
    """Back from that page: use the card, and pay what is open with it. The notice of the page does the same."""
    _mine(reference)
    checkout_id = request.args.get("session", "")
    if PROVIDER_ID.fullmatch(checkout_id) is None:
        raise NotFound("no_such_checkout", "We do not know this payment page.")
    outcome = None
    try:
        ratelimit.hit_all(("support.ask", str(current_user.id)), ("thanks.look", checkout_id))
        outcome = recovering.take_new_card(reference, checkout_id)
    except (Conflict, ProviderFailed, TooMany):
        flash(_("Your new card is on its way to us. It is used as soon as Stripe has told us, within minutes."), "info")
        return redirect(url_for("contributions.account"), 303)
    flash(_("Thank you, your new card is in use from now on."), "good")
    return redirect(url_for("contributions.account"), 303) if outcome is None else _answer(reference, outcome)


@bp.get("/support/keep/<token>")
@audience("public")
def keep(token: str) -> ResponseReturnValue:
    """Two supports of one person: what each is. Looking changes nothing, since scanners of mails look, too."""
    return _keep_page(doubling.read_choice(token), token)


@bp.post("/support/keep/<token>")
@audience("public", rate="money")
def keep_post(token: str) -> ResponseReturnValue:
    """Go on with one of them; the other one ends, and what was paid twice goes back."""
    choice = doubling.read_choice(token)
    with suppress(Conflict):  # the page says which one is left
        try:
            doubling.keep_one(choice, request.form.get("keep", ""), clock.now())
        except InvalidInput:
            return _keep_page(choice, token, problem="unknown_choice"), 422
    return redirect(url_for("recovering.keep", token=token), 303)


def _mine(reference: str) -> Contribution:
    """The member's own support; somebody else's is not there."""
    row = queries.get_by_reference(reference)
    if row.person_id != current_user.id or row.way != "card":
        raise NotFound("no_such_contribution", "There is no such contribution.")
    return row


def _attempt() -> str:
    """The name of one press of one button: the form's own, so that a double click is one press."""
    attempt = request.form.get("attempt", "")
    return attempt if ATTEMPT.fullmatch(attempt) else secrets.token_urlsafe(12)


def _answer(reference: str, outcome: PayOutcome) -> ResponseReturnValue:
    """Where a try leads: thanks, the bank's own question, or the page that says why not."""
    why = class_of_failure(outcome.reason)
    if outcome.is_paid:
        flash(_("Thank you, the payment has arrived. All is well."), "good")
        return redirect(url_for("contributions.account"), 303)
    if outcome.action_url and (not outcome.is_declined or why is FailureClass.CONFIRM):
        return redirect(outcome.action_url, 303)
    if not outcome.is_declined:
        flash(_("Thank you. The money is on its way; your bank may take some days."), "good")
        return redirect(url_for("contributions.account"), 303)
    flash(_("The payment did not go through this time. Nothing was charged."), "warn")
    return redirect(url_for("recovering.pay", reference=reference), 303)


def _pay_page(
    row: Contribution, problem: str | None = None, status: int = 200, retry_after: int | None = None
) -> ResponseReturnValue:
    support = trouble_of(row)
    page = render_template(
        "contributions/pay.html",
        support=support,
        is_open=may_be_paid_now(State(row.state), row.failed_at, row.ends_at),
        is_live=State(row.state) in LIVE,
        card=queries.cards_of([row.id]).get(row.id),
        patron_until=_patron_until(),
        problem=problem,
    )
    return page, status, {"Retry-After": str(retry_after)} if retry_after else {}


def _patron_until() -> datetime | None:
    standing = standing_of(current_user.id, clock.now())
    return standing.until if standing.is_patron else None


def trouble_of(row: Contribution) -> dict[str, Any]:
    """What pages say of a support in trouble."""
    return {
        "reference": row.reference,
        "charge": row.charge,
        "rhythm": row.rhythm,
        "state": row.state,
        "why": class_of_failure(row.failure_reason, needs_action=bool(row.needs_action)).value,
        "failed_at": row.failed_at,
        "next_try_at": row.next_try_at,
        "attempt": secrets.token_urlsafe(12),
    }


def _keep_page(choice: doubling.Choice, token: str, problem: str | None = None) -> str:
    pairs = ((choice.newer, choice.older), (choice.older, choice.newer))
    return render_template(
        "contributions/keep.html",
        supports=[
            {
                "row": row,
                "is_live": State(row.state) in LIVE and row.stop_asked_at is None,
                "other_double": doubling.find_double(choice, other.reference),
                "other_until": doubling.find_paid_until(other.reference),
            }
            for row, other in pairs
        ],
        is_open=choice.is_open,
        token=token,
        problem=problem,
    )


@bp.app_context_processor
def _for_every_page() -> dict[str, Any]:
    return {
        "cards_in_use": cards_in_use,
        "list_trouble": list_trouble,
        "list_pending": list_pending,
        "list_choices": list_choices,
    }


def list_trouble() -> list[dict[str, Any]]:
    """The signed-in member's supports with an open payment, for the banner and the line in the header.

    Empty where nothing is wrong, nobody is signed in, or the database cannot be asked: a page that says so still comes.
    """
    if "trouble" not in g:
        g.trouble = []
        with suppress(SQLAlchemyError):
            if current_user and current_user.is_authenticated:
                g.trouble = [trouble_of(row) for row in queries.list_in_trouble(current_user.id)]
    return list(g.trouble)


def cards_in_use() -> dict[str, Card]:
    """The card that each running support of the signed-in member is charged with, by the support's reference."""
    rows = {row.id: row for row in queries.contributions_of(current_user.id) if State(row.state) in LIVE}
    return {rows[row_id].reference: card for row_id, card in queries.cards_of(list(rows)).items()}


def list_pending() -> Sequence[Contribution]:
    """First debits of the signed-in member that are on their way."""
    return queries.list_pending(current_user)


def list_choices(references: list[str]) -> list[dict[str, Any]]:
    """Pairs among these supports of which one may be kept, each with the address of the choice."""
    found = (doubling.find_choice(reference) for reference in references)
    return [
        {"choice": choice, "url": doubling.keep_url(choice.newer.reference)}
        for choice in found
        if choice is not None and choice.is_open
    ]
