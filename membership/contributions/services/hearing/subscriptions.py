"""News of a running support, as the provider has it now."""

from datetime import datetime

from membership.accounts import services as accounts
from membership.billing.port import SubscriptionSeen, SubscriptionStatus
from membership.contributions.models import Contribution
from membership.contributions.rules import LIVE, State, Terms, state_of_subscription, yearly_level
from membership.contributions.services.hearing import trouble
from membership.contributions.services.hearing.rows import get_row, move, open_grace
from membership.contributions.services.hearing.telling import tell_of_state, tell_of_terms
from membership.db import hint
from membership.kernel import clock
from membership.kernel.money import Money
from membership.patrons import services as patrons
from membership.patrons.rules import Loss


def hear_subscription(news: SubscriptionSeen) -> None:
    """The provider's word on a running contribution. It never shortens paid coverage (decision 10)."""
    contribution = get_row(news.reference)
    if _is_over(contribution):
        return  # an old word, which was long on its way, revives nothing
    contribution.subscription_id = news.subscription_id
    contribution.customer_id = news.customer_id or contribution.customer_id
    at = news.ended_at or clock.now()
    if contribution.is_unpaid or contribution.person_id is None:
        if news.status is SubscriptionStatus.ENDED:  # its first payment never came
            contribution.stop_asked_at = contribution.pending_at = None
            move(contribution, State.ABANDONED, at)
        return  # money itself makes the patron; after booking it the subscription is read again
    before, is_stopped = State(contribution.state), contribution.stop_asked_at is not None
    trouble.follow_card(contribution, news.card, clock.now())
    state = state_of_subscription(
        news.status,
        before,
        is_cancelling=news.cancel_at is not None,
        is_chosen=contribution.cancel_reason is not None,
        is_given_up=news.is_given_up,
    )
    if state is None:
        return
    if news.status is SubscriptionStatus.PAST_DUE:
        open_grace(contribution, at)
    elif contribution.pending_at is None or state not in LIVE:  # a wish for later takes nothing from a slow bank
        patrons.close_grace(contribution.reference, at)
    has_moved = move(contribution, state, at)
    _follow_dates(contribution, news, State(contribution.state))
    if has_moved:
        if before is State.CANCELLING and state is not State.ENDED:
            contribution.cancel_reason = None  # it is kept: why it was to end is no longer true
        tell_of_state(contribution, before)
    trouble.note_state(contribution, before, at)
    if (before in LIVE) is not (State(contribution.state) in LIVE):
        hint("contributions.flag_seconds")  # one less or one more beside the others
    _follow_terms(contribution, news, at)
    _follow_level(contribution, contribution.person_id, news, at, is_stopped=is_stopped)


def _is_over(contribution: Contribution) -> bool:
    """Whether it ended for good: by wish, or because the provider closed it after its last try."""
    state = State(contribution.state)
    return state is State.ENDED or (state is State.LAPSED and contribution.ends_at is not None)


def _follow_dates(contribution: Contribution, news: SubscriptionSeen, state: State) -> None:
    goes_on = state in {State.ACTIVE, State.PAST_DUE}
    contribution.next_payment_at = news.current_period_end if goes_on else None
    # An end that was planned is none yet for what has lapsed unpaid: it may still be paid late (`_is_over`).
    contribution.ends_at = news.ended_at or (None if state is State.LAPSED else news.cancel_at)
    is_paused = news.status is SubscriptionStatus.PAUSED
    contribution.paused_until = news.paused_until if is_paused else None


def _follow_level(
    contribution: Contribution, person_id: int, news: SubscriptionSeen, at: datetime, *, is_stopped: bool
) -> None:
    level = yearly_level(State(contribution.state), news.amount, contribution.rhythm_word)
    if news.status is SubscriptionStatus.PAUSED:  # also while it is paused and cancelled: it brings nothing
        level = Money(0, news.amount.currency)
    cause = Loss.CHOSEN
    if news.status is SubscriptionStatus.PAUSED:
        cause = Loss.PAUSED
    elif contribution.state == State.LAPSED:
        cause = Loss.FAILED
    elif is_stopped and contribution.cancel_reason is None:
        cause = Loss.STOPPED
    patrons.move_to(person_id, contribution.reference, level, at, milli_cups=contribution.milli_cups, cause=cause)


def _follow_terms(contribution: Contribution, news: SubscriptionSeen, at: datetime) -> None:
    """What pages say is what will be charged, whoever changed it: the giver, our staff, or somebody at the provider."""
    rhythm = news.rhythm or contribution.rhythm_word
    wished = contribution.next_terms
    is_as_wished = wished is not None and news.amount == wished.charge and rhythm is wished.rhythm
    is_known = news.amount == contribution.charge and rhythm is contribution.rhythm_word
    if is_known and not is_as_wished:
        return
    if news.amount.currency != contribution.currency or news.amount.minor <= 0:
        return
    if wished is not None and is_as_wished:
        contribution.terms = wished
        contribution.next_terms = None
    else:
        # Whether such an amount still holds a covered fee nobody knows: all of it counts as the gift.
        contribution.terms = Terms(news.amount, news.amount, contribution.cup, rhythm)
    if contribution.person_id is not None and not is_known:
        _note_amount(contribution, contribution.person_id, at)
        tell_of_terms(contribution, at)


def _note_amount(contribution: Contribution, person_id: int, at: datetime) -> None:
    details: dict[str, str | int] = {
        "minor": contribution.charge_minor,
        "currency": contribution.currency,
        "rhythm": contribution.rhythm,
    }
    accounts.note(person_id, "contribution_amount", at, details)
