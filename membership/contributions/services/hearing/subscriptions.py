"""News of a running support, as the provider has it now."""

from datetime import datetime

from membership.accounts import services as accounts
from membership.billing.port import SubscriptionSeen, SubscriptionStatus
from membership.contributions.models import Contribution
from membership.contributions.rules import State, state_of_subscription, yearly_level
from membership.contributions.services.hearing.rows import get_row, move, open_grace
from membership.kernel import clock
from membership.patrons import services as patrons


def hear_subscription(news: SubscriptionSeen) -> None:
    """The provider's word on a running contribution. It never shortens paid coverage (decision 10)."""
    contribution = get_row(news.reference)
    contribution.subscription_id = news.subscription_id
    contribution.customer_id = news.customer_id or contribution.customer_id
    at = news.ended_at or clock.now()
    if contribution.is_unpaid or contribution.person_id is None:
        if news.status is SubscriptionStatus.ENDED:  # its first payment never came
            move(contribution, State.ABANDONED, at)
        return  # money itself makes the patron; after booking it the subscription is read again
    state = state_of_subscription(news.status, State(contribution.state), is_cancelling=news.cancel_at is not None)
    if state is None:
        return
    goes_on = state in {State.ACTIVE, State.PAST_DUE}
    contribution.next_payment_at = news.current_period_end if goes_on else None
    contribution.ends_at = news.ended_at or news.cancel_at
    if state is State.PAST_DUE:
        open_grace(contribution, at)
    else:
        patrons.close_grace(contribution.reference, at)
    move(contribution, state, at)
    _follow_amount(contribution, news, at)
    level = yearly_level(State(contribution.state), news.amount, contribution.rhythm_word)
    patrons.move_to(contribution.person_id, contribution.reference, level, at)


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
