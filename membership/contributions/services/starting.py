"""From the pressed button to the payment page, and what happens when nobody pays there."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import force_locale, gettext
from sqlalchemy.exc import IntegrityError

from membership.billing import intents
from membership.billing import services as billing
from membership.billing.port import CheckoutRequest, OpenedCheckout
from membership.contributions.models import Contribution
from membership.contributions.queries import (
    find_by_reference,
    find_live_support,
    is_known_giver,
    list_overdue_checkouts,
    tries_of,
)
from membership.contributions.rules import State, Wish, choice_of
from membership.contributions.rules.defence import Stance
from membership.contributions.services import defending
from membership.db import db, transaction
from membership.kernel import clock
from membership.kernel.errors import Conflict, ProviderFailed
from membership.kernel.ids import new_public_id
from membership.kernel.rhythm import Rhythm
from membership.newsroom.queries import newsroom
from membership.web.links import absolute

# Longer than the provider's least (30 minutes), so that a repeated call with the same words is still valid.
CHECKOUT_OPEN_FOR = timedelta(minutes=60)
# How long after its end a checkout may stay without news before we ask ourselves.
NEWS_MAY_TAKE = timedelta(minutes=5)
CHECKOUT_MARK = "{CHECKOUT_SESSION_ID}"
# Purpose -> the pages after the payment, and for who leaves it unpaid. A gift's form finds what was typed by itself.
THANKS = {"self": "contributions.thanks", "gift": "gifts.thanks"}
BACK = {"self": "contributions.contribute", "gift": "gifts.gift"}
Also = Callable[[Contribution], None]


@dataclass(frozen=True, slots=True)
class Visit:
    """What belongs to the visit rather than to the wish."""

    form_token: str
    person_id: int | None
    locale: str
    attribution: dict[str, str]
    # Many payment pages were asked for in this minute: whoever has never given confirms the address first.
    is_crowded: bool = False
    # The neighbourhood that it comes from, such as "192.0.2.0/24".
    network: str = ""


def start(wish: Wish, visit: Visit, also: Also | None = None) -> str:
    """Open the payment page for `wish` and return its address.

    `also` writes what belongs to the contribution (a gift, to whom it goes) in the same transaction, also where the
    row was there already and is still unpaid.

    The same wish from the same form again (double click, second tab, retry after a failure) leads to the same
    page; another wish closes the earlier page first, so that only one can be paid. If the earlier one turns
    out to be paid, the address is that of its thanks page.

    Raises Conflict where a signed-in member already supports; ProviderFailed where the provider gave no page:
    then nothing was charged, and pressing again is safe.
    """
    contribution, others = _write_down(wish, visit, also)
    if contribution.state != State.STARTED:
        return _thanks_for(contribution)
    for other in others:
        if not _replace(other):
            _give_up(contribution)
            return _thanks_for(other)
    if contribution.checkout_url:
        return contribution.checkout_url
    if not is_known_giver(visit.person_id):
        stance = defending.stance_now()
        if visit.is_crowded or stance is not Stance.NORMAL:
            return defending.ask_to_confirm(contribution.id, stance, visit.network)
    return open_page(contribution)


def go_on(reference: str) -> str:
    """Open the payment page of a wish whose address was just confirmed by mail, and return its address.

    Raises NotFound where it is over; ProviderFailed as `start` does.
    """
    contribution = defending.confirm(reference, CHECKOUT_OPEN_FOR)
    if contribution.state != State.STARTED:
        return _thanks_for(contribution)
    return contribution.checkout_url or open_page(contribution)


def open_page(contribution: Contribution) -> str:
    """Open the payment page of a wish that is written down."""
    request = _request(contribution)
    opened = intents.open_checkout(request, attempt_key=contribution.reference)
    if _remember(contribution.id, opened):
        return opened.url
    # Another tab replaced this wish while its page was being opened: nobody is to pay there.
    return (
        request.cancel_url
        if intents.close_checkout(opened.provider_id)
        else _thanks_url(contribution.purpose, opened.provider_id)
    )


def _remember(contribution_id: int, opened: OpenedCheckout) -> bool:
    """Write down where this wish can be paid; False where it is over, or paid already."""
    with transaction("contributions.remember_checkout"):
        row = _locked(contribution_id)
        if row.state != State.STARTED:
            return False
        row.checkout_id, row.checkout_url = opened.provider_id, opened.url
    return True


def _replace(contribution: Contribution) -> bool:
    """Close the page of what was begun, also one that opens meanwhile, and end it; False where it is paid already."""
    row_id, closed_id = contribution.id, None
    while True:
        with transaction("contributions.give_up"):
            row = _locked(row_id)
            checkout_id = row.checkout_id
            if not row.is_unpaid:
                return False
            if checkout_id == closed_id:
                _abandon(row, clock.now())
                return True
        if checkout_id is None or not intents.close_checkout(checkout_id):
            return False
        closed_id = checkout_id


def _locked(contribution_id: int) -> Contribution:
    """The row, with nobody else changing it until the end of the transaction."""
    return db.session.get_one(Contribution, contribution_id, populate_existing=True, with_for_update=True)


def _write_down(wish: Wish, visit: Visit, also: Also | None) -> tuple[Contribution, list[Contribution]]:
    """The row of this wish, new or found again (or one that is paid already), and the open rows that it replaces."""
    try:
        return _write_once(wish, visit, also)
    except IntegrityError:  # the other half of a double click was quicker: its row is ours as well
        return _write_once(wish, visit, also)


def _write_once(wish: Wish, visit: Visit, also: Also | None) -> tuple[Contribution, list[Contribution]]:
    with transaction("contributions.start"):
        now = clock.now()
        _refuse_second_support(wish, visit.person_id)
        tries = tries_of(visit.form_token)
        paid = [row for row in tries if not row.is_unpaid]
        if paid:
            return paid[0], []
        begun = [row for row in tries if row.state == State.STARTED]
        contribution = next((row for row in begun if _is_same(row, wish, now)), None)
        if contribution is None:
            contribution = _new(wish, visit, n=1 + max((row.form_try for row in tries), default=0), now=now)
            db.session.add(contribution)
        if also is not None:
            also(contribution)
    return contribution, [row for row in begun if row is not contribution]


def _new(wish: Wish, visit: Visit, *, n: int, now: datetime) -> Contribution:
    return Contribution(
        reference=new_public_id("con"),
        form_token=visit.form_token,
        form_try=n,
        person_id=visit.person_id,
        email=wish.email,
        public_name=wish.public_name,
        locale=visit.locale,
        rhythm=wish.rhythm.value,
        currency=wish.charge.currency,
        gift_minor=wish.gift.minor,
        charge_minor=wish.charge.minor,
        cup_minor=wish.cup.minor,
        purpose=wish.purpose,
        state=State.STARTED.value,
        state_at=now,
        created_at=now,
        checkout_expires_at=now + CHECKOUT_OPEN_FOR,
        attribution=visit.attribution,
    )


def _give_up(contribution: Contribution) -> None:
    """What was begun and replaced is over; unless news of its money came in the meantime."""
    with transaction("contributions.give_up"):
        row = find_by_reference(contribution.reference)
        if row is not None:
            _abandon(row, clock.now())


def _refuse_second_support(wish: Wish, person_id: int | None) -> None:
    if person_id is None or wish.rhythm is Rhythm.ONCE:
        return
    if find_live_support(person_id) is not None:
        raise Conflict("already_supporting", "You support us already; your account page shows how to change it.")


def _is_same(contribution: Contribution, wish: Wish, now: datetime) -> bool:
    return (
        contribution.state == State.STARTED
        and contribution.checkout_expires_at is not None
        and now < contribution.checkout_expires_at
        and contribution.email == wish.email
        and contribution.rhythm == wish.rhythm
        and contribution.gift == wish.gift
        and contribution.charge == wish.charge
        and contribution.public_name == wish.public_name
        and contribution.purpose == wish.purpose
    )


def _request(contribution: Contribution) -> CheckoutRequest:
    if contribution.checkout_expires_at is None:
        raise RuntimeError(f"{contribution.reference} has no end for its payment page.")
    # Made of the row alone: a second press from another tab or language must ask for the very same page.
    back = {"came_back": "1", "currency": contribution.currency}
    if contribution.purpose == "self":
        back |= choice_of(contribution.gift, contribution.rhythm_word, contribution.cup)
        back |= {"covers_fees": "y"} if contribution.charge != contribution.gift else {}
    with force_locale(contribution.locale):
        if contribution.purpose == "gift":
            description = gettext("A membership of %(newsroom)s as a gift", newsroom=newsroom().name)
        else:
            description = gettext("Support for %(newsroom)s", newsroom=newsroom().name)
    return CheckoutRequest(
        reference=contribution.reference,
        rhythm=contribution.rhythm_word,
        charge=contribution.charge,
        email=contribution.email,
        locale=contribution.locale,
        newsroom_name=newsroom().name,
        description=description,
        success_url=_thanks_url(contribution.purpose, CHECKOUT_MARK),
        cancel_url=absolute(BACK[contribution.purpose], **(contribution.attribution | back)),
        expires_at=contribution.checkout_expires_at,
        metadata={f"from_{key}": value for key, value in contribution.attribution.items()},
    )


def _thanks_for(contribution: Contribution) -> str:
    return _thanks_url(contribution.purpose, contribution.checkout_id or "")


def _thanks_url(purpose: str, checkout_id: str) -> str:
    return f"{absolute(THANKS[purpose])}?session={checkout_id}"


def _abandon(contribution: Contribution, at: datetime) -> None:
    if contribution.state == State.STARTED:
        contribution.state, contribution.state_at = State.ABANDONED.value, at
        contribution.checkout_url = None


def abandon_overdue(now: datetime) -> int:
    """Close what was started and never paid; returns how many were looked at.

    News of an expired payment page may be lost, so each is read again from the provider first: if it was paid
    after all, that is booked instead. A start that never got a page is simply over.
    """
    overdue = list_overdue_checkouts(now - NEWS_MAY_TAKE)
    for reference, checkout_id in [(row.reference, row.checkout_id) for row in overdue]:
        if checkout_id is not None:
            try:
                billing.sync("checkout_session", checkout_id)
            except ProviderFailed:  # the next sweep asks again; until then it stays started, which is true
                continue
            continue
        with transaction("contributions.abandon"):
            row = find_by_reference(reference)
            if row is not None and row.checkout_id is None:
                _abandon(row, now)
    return len(overdue)
