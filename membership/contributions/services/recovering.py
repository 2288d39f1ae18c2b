"""Mending a payment that failed: try it again now, or take another card first.

Every function here calls the provider, outside any transaction; what we know afterwards comes from reading again.
"""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import select

from membership.accounts import services as accounts
from membership.accounts.queries import public_id_of
from membership.audit.services import record
from membership.billing import asks
from membership.billing.port import CardRequest, PayOutcome
from membership.billing.queries import has_opened_card_page
from membership.contributions.models import Card, Contribution
from membership.contributions.queries import get_by_reference, is_known_giver
from membership.contributions.rules import LIVE, State
from membership.contributions.rules.defence import SHORT, Stance
from membership.contributions.rules.failing import may_be_paid_now
from membership.contributions.services.defending import stance_now
from membership.contributions.services.hearing.trouble import send_mail
from membership.db import db, transaction
from membership.kernel import clock
from membership.kernel.errors import Conflict, NotFound, ProviderFailed, TooMany
from membership.web.i18n import current_locale
from membership.web.links import absolute

log = structlog.get_logger(__name__)

CARD_PAGE_OPEN_FOR = timedelta(minutes=60)
CHECKOUT_MARK = "{CHECKOUT_SESSION_ID}"
AT_A_TIME = 50


def pay_now(reference: str, attempt: str) -> PayOutcome:
    """Try the open payment of a support once more, with the card that is in use.

    `attempt` names one press of one button: the same again gives the same answer and charges nothing twice. Raises
    Conflict `nothing_open` where there is nothing to pay (any more), ProviderFailed where no answer came.
    """
    row = get_by_reference(reference)
    if not may_be_paid_now(State(row.state), row.failed_at, row.ends_at) or row.subscription_id is None:
        raise Conflict("nothing_open", "Nothing is open: there is nothing to pay.")
    try:
        return asks.pay_open(row.subscription_id, f"pay:{reference}:{attempt}")
    except Conflict as error:
        raise Conflict("nothing_open", "Nothing is open: there is nothing to pay.") from error


def retry(reference: str, attempt: str, *, actor: str, reason: str, at: datetime) -> PayOutcome:
    """The same by staff, who say why; it stands in the timeline whatever comes of it. Raises as `pay_now` does."""
    outcome = pay_now(reference, f"staff:{attempt}")
    with transaction("contributions.retried"):
        row = get_by_reference(reference)
        details = {"reason": reason[:200], "is_paid": outcome.is_paid}
        if row.person_id is not None:
            accounts.note(row.person_id, "payment_retried", at, details, actor)
        record(
            "payment.retried",
            ("contribution", reference),
            actor=actor,
            about=public_id_of(row.person_id),
            reason=reason,
            after={"is_paid": outcome.is_paid},
        )
    return outcome


def mail_again(reference: str, token: str, *, reason: str, actor: str, at: datetime) -> None:
    """Mail the giver once more what is open and how to mend it; `token` names one press of one button.

    Raises Conflict `nothing_open` where nothing is open any more, `nobody_to_mail` where nobody is behind it.
    """
    with transaction("contributions.mail_again"):
        row = get_by_reference(reference)
        row = db.session.get_one(Contribution, row.id, populate_existing=True, with_for_update=True)
        if not may_be_paid_now(State(row.state), row.failed_at, row.ends_at) or row.stop_asked_at is not None:
            raise Conflict("nothing_open", "Nothing is open: there is nothing to pay.")
        if row.person_id is None:
            raise Conflict("nobody_to_mail", "Nobody is behind this support.")
        kind = "action_needed" if row.needs_action else "payment_failed"
        if send_mail(row, "lapsed" if row.state == State.LAPSED else kind, f"failed-again:{token}"):
            row.failure_mailed_at = at
            accounts.note(row.person_id, "failure_mailed", at, {"reason": reason, "reference": reference}, actor)
            whose = public_id_of(row.person_id)
            record("support.mailed", ("contribution", reference), actor=actor, about=whose, reason=reason)


def open_card_page(reference: str, attempt: str) -> str:
    """The address of a page of the provider that takes a new card for this support; nothing is charged there.

    Raises Conflict `no_card_wanted` where the support is over or has no card, ProviderFailed; TooMany while card
    testers are about, for whoever has never given.
    """
    row = get_by_reference(reference)
    if not is_known_giver(row.person_id) and stance_now() is not Stance.NORMAL:
        wait = int(SHORT.total_seconds())
        raise TooMany("guarded", "Card testers are about; please try again later.", retry_after=wait)
    may_pay = may_be_paid_now(State(row.state), row.failed_at, row.ends_at)
    if not (State(row.state) in LIVE or may_pay) or row.subscription_id is None or row.customer_id is None:
        raise Conflict("no_card_wanted", "This support is not paid by card, or is over.")
    request = CardRequest(
        reference=reference,
        customer_id=row.customer_id,
        subscription_id=row.subscription_id,
        locale=current_locale(),
        success_url=f"{absolute('recovering.card_done', reference=reference)}?session={CHECKOUT_MARK}",
        cancel_url=absolute("contributions.account"),
        expires_at=clock.now() + CARD_PAGE_OPEN_FOR,
    )
    return asks.open_card_page(request, f"card:{reference}:{attempt}").url


def take_new_card(reference: str, checkout_id: str) -> PayOutcome | None:
    """After that page: use the card, and pay with it what is open. None where nothing was open.

    Conflict `card_not_there_yet` where the page is not finished or its card is being taken at this moment; it
    also happens by itself, from the notice of the page. Raises ProviderFailed; NotFound, without asking anybody, for a
    page that we did not open for this support.
    """
    if not has_opened_card_page(reference, checkout_id):
        raise NotFound("no_such_checkout", "We do not know this payment page.")
    if not asks.use_new_card(checkout_id):
        raise Conflict("card_not_there_yet", "We do not have the new card yet.")
    return try_new_card(get_by_reference(reference).id)


def try_new_card(contribution_id: int) -> PayOutcome | None:
    """Pay what is open with a card that has just taken the place of another; None where nothing is open.

    Once per card and open payment, however often it is called: the page that comes back and the worker do it both.
    """
    row = db.session.get_one(Contribution, contribution_id, populate_existing=True)
    card = db.session.scalar(select(Card).where(Card.contribution_id == contribution_id))
    outcome = None
    if card is not None and may_be_paid_now(State(row.state), row.failed_at, row.ends_at):
        card_id = card.card_id
        try:
            outcome = pay_now(row.reference, f"card:{card_id}:{row.failed_payment_id}")
        except Conflict:
            outcome = None
    with transaction("contributions.new_card_tried"):
        tried = db.session.scalar(select(Card).where(Card.contribution_id == contribution_id).with_for_update())
        if tried is not None:
            tried.is_to_try = False
    return outcome


def try_new_cards(now: datetime) -> int:
    """Do that for every new card whose owner did not come back from the page; how many."""
    del now
    query = select(Card.contribution_id).where(Card.is_to_try).order_by(Card.since_at).limit(AT_A_TIME)
    ids = db.session.scalars(query).all()
    for contribution_id in ids:
        try:
            try_new_card(contribution_id)
        except ProviderFailed as failed:
            log.warning("new_card_not_tried_yet", contribution_id=contribution_id, code=failed.code)
    return len(ids)
