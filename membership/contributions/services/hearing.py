"""What news of money does: coverage, standing of the contribution, movements, mails, timeline.

Each function is told of a fact that billing has just booked, inside the booking transaction (`wiring`): all of
it is written, or none. Facts may come in any order and more than once; the end is the same.
"""

from datetime import datetime

from membership.accounts import services as accounts
from membership.accounts.models import Person
from membership.billing.port import (
    CheckoutExpired,
    CheckoutFinished,
    NotKnownYet,
    PaymentFailed,
    PaymentReceived,
    PaymentReversed,
    SubscriptionSeen,
    SubscriptionStatus,
)
from membership.billing.queries import is_wholly_returned
from membership.contributions.models import Contribution
from membership.contributions.queries import find_by_reference
from membership.contributions.rules import LIVE, UNPAID, State, may_become, state_of_subscription, yearly_level
from membership.db import db
from membership.kernel import clock
from membership.kernel.rhythm import Rhythm
from membership.mail import services as mail
from membership.newsroom.rules import whole_cups
from membership.patrons import services as patrons
from membership.patrons.rules import Cause, months_for_gift
from membership.web import settings


def hear_checkout_finished(news: CheckoutFinished) -> None:
    """The reader completed the payment page; money may still be on its way."""
    contribution = _get(news.reference)
    contribution.checkout_id = contribution.checkout_id or news.checkout_id
    contribution.customer_id = news.customer_id or contribution.customer_id
    contribution.subscription_id = news.subscription_id or contribution.subscription_id
    # The page is done with: what is missing now is money, and news of that comes by itself.
    contribution.checkout_url = contribution.checkout_expires_at = None


def hear_checkout_expired(news: CheckoutExpired) -> None:
    """The payment page closed unpaid."""
    contribution = _get(news.reference)
    if contribution.checkout_id in {None, news.checkout_id}:
        contribution.checkout_url = None
        _move(contribution, State.ABANDONED, clock.now())


def hear_payment(news: PaymentReceived) -> None:
    """Money arrived: cover, thank, and say so. Told once per payment.

    What was given for somebody else covers nobody here and welcomes nobody; the room of gifts hears of it next.
    """
    contribution = _get(news.reference)
    person = _person_of(contribution, news.paid_at)
    contribution.subscription_id = news.subscription_id or contribution.subscription_id
    is_first = State(contribution.state) in UNPAID
    accounts.note(
        person.id,
        "payment_received",
        news.paid_at,
        {"receipt": news.receipt_number, "minor": news.charged.minor, "currency": news.charged.currency},
    )
    is_own = contribution.purpose == "self"
    if is_own:
        _cover(contribution, person, news)
    if is_first:
        first_state = State.PAID if news.rhythm is Rhythm.ONCE else State.ACTIVE
        _move(contribution, first_state, news.paid_at)
    if is_first and is_own:
        mail.send(
            "contributions/welcome",
            person.email,
            contribution.locale,
            {"contribution_id": contribution.id},
            once_key=f"welcome:{person.id}",
        )
    if is_first and news.rhythm is not Rhythm.ONCE:
        level = yearly_level(State.ACTIVE, contribution.charge, contribution.rhythm_word)
        patrons.move_to(person.id, contribution.reference, level, news.paid_at)
    mail.send(
        "contributions/receipt",
        person.email,
        contribution.locale,
        {"contribution_id": contribution.id, "receipt": news.receipt_number},
        once_key=f"receipt:{news.payment_id}",
    )


def _cover(contribution: Contribution, person: Person, news: PaymentReceived) -> None:
    cause_ref = f"payment:{news.payment_id}"
    if news.period_start is not None and news.period_end is not None:
        patrons.grant_period(
            person.id,
            Cause.PAID,
            cause_ref,
            paid_at=news.paid_at,
            starts_at=news.period_start,
            ends_at=news.period_end,
        )
        return
    # What came counts, should it ever be less than what was promised.
    given = contribution.gift if news.charged == contribution.charge else news.charged
    n_cups = whole_cups(given, Rhythm.ONCE, contribution.cup) if given.currency == contribution.currency else 0
    n_months = months_for_gift(n_cups)
    if n_months:
        patrons.grant_months(person.id, Cause.PAID, cause_ref, paid_at=news.paid_at, n_months=n_months)


def hear_payment_reversed(news: PaymentReversed) -> None:
    """Money left again, or came back. A payment that is wholly returned covers nothing from then on; a part
    returned stays between the reader and the newsroom and changes no coverage.
    """
    contribution = _get(news.reference)
    cause_ref = f"payment:{news.payment_id}"
    if is_wholly_returned(news.payment_id):
        patrons.revoke(cause_ref, news.at)
    else:
        patrons.restore(cause_ref)
    if contribution.person_id is not None:
        details: dict[str, str | int] = {
            "minor": news.amount.minor,
            "currency": news.amount.currency,
            "reason": news.reason,
        }
        accounts.note(contribution.person_id, "payment_reversed", news.at, details)


def hear_payment_failed(news: PaymentFailed) -> None:
    """A charge failed: a renewal opens grace, counted from that moment; a one-time debit that bounced is over."""
    contribution = _get(news.reference)
    if contribution.is_unpaid or contribution.person_id is None:
        if news.subscription_id is None:
            _move(contribution, State.ABANDONED, news.failed_at)
        return
    accounts.note(
        contribution.person_id,
        "payment_failed",
        news.failed_at,
        {"minor": news.amount.minor, "currency": news.amount.currency, "reason": news.reason},
    )
    if State(contribution.state) in LIVE:
        _grace(contribution, news.failed_at)


def hear_subscription(news: SubscriptionSeen) -> None:
    """The provider's word on a running contribution. It never shortens paid coverage (decision 10)."""
    contribution = _get(news.reference)
    contribution.subscription_id = news.subscription_id
    contribution.customer_id = news.customer_id or contribution.customer_id
    at = news.ended_at or clock.now()
    if contribution.is_unpaid or contribution.person_id is None:
        if news.status is SubscriptionStatus.ENDED:  # its first payment never came
            _move(contribution, State.ABANDONED, at)
        return  # money itself makes the patron; after booking it the subscription is read again
    state = state_of_subscription(news.status, State(contribution.state), is_cancelling=news.cancel_at is not None)
    if state is None:
        return
    goes_on = state in {State.ACTIVE, State.PAST_DUE}
    contribution.next_payment_at = news.current_period_end if goes_on else None
    contribution.ends_at = news.ended_at or news.cancel_at
    if state is State.PAST_DUE:
        _grace(contribution, at)
    else:
        patrons.close_grace(contribution.reference, at)
    _move(contribution, state, at)
    _follow_amount(contribution, news, at)
    level = yearly_level(State(contribution.state), news.amount, contribution.rhythm_word)
    patrons.move_to(contribution.person_id, contribution.reference, level, at)


def _grace(contribution: Contribution, at: datetime) -> None:
    if contribution.person_id is not None:
        days = settings().grace_days
        patrons.open_grace(contribution.person_id, contribution.reference, opened_at=at, days=days)


def _follow_amount(contribution: Contribution, news: SubscriptionSeen, at: datetime) -> None:
    """Staff may change amount or rhythm at the provider; what pages say is what will be charged."""
    rhythm = news.rhythm or contribution.rhythm_word
    if news.amount == contribution.charge and rhythm is contribution.rhythm_word:
        return
    if news.amount.currency != contribution.currency or news.amount.minor <= 0 or contribution.person_id is None:
        return
    # Whether a changed amount still holds a covered fee nobody knows: all of it counts as the gift.
    contribution.charge_minor = contribution.gift_minor = news.amount.minor
    contribution.rhythm = rhythm.value
    details: dict[str, str | int] = {
        "minor": news.amount.minor,
        "currency": news.amount.currency,
        "rhythm": rhythm.value,
    }
    accounts.note(contribution.person_id, "contribution_amount", at, details)


def _get(reference: str) -> Contribution:
    contribution = find_by_reference(reference)
    if contribution is None:
        raise NotKnownYet(reference)
    db.session.refresh(contribution, with_for_update=True)
    return contribution


def _person_of(contribution: Contribution, at: datetime) -> Person:
    """Whose contribution it is: bound by our reference, never by what was typed at the payment page."""
    if contribution.person_id is None:
        person = accounts.ensure_person(
            contribution.email, contribution.locale, at, public_name=contribution.public_name
        )
        contribution.person_id = person.id
        return person
    person = db.session.get_one(Person, contribution.person_id)
    if contribution.public_name and State(contribution.state) in UNPAID:
        person.public_name = contribution.public_name
    return person


def _move(contribution: Contribution, state: State, at: datetime) -> None:
    now = State(contribution.state)
    if not may_become(now, state):
        return
    contribution.state, contribution.state_at = state.value, at
    if contribution.person_id is not None:
        details: dict[str, str | int] = {
            "state": state.value,
            "minor": contribution.charge_minor,
            "currency": contribution.currency,
            "rhythm": contribution.rhythm,
        }
        accounts.note(contribution.person_id, "contribution_state", at, details)
