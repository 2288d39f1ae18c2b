"""What reconcile asks of contributions: what they hold otherwise than the provider, and which are believed to go on."""

from collections.abc import Sequence

from sqlalchemy import func, select

from membership.billing.port import CheckoutFact, Fact, SubscriptionFact, SubscriptionStatus
from membership.contributions.models import Contribution
from membership.contributions.rules import LIVE, State, state_of_subscription
from membership.db import db

UNKNOWN = "nobody here knows the reference {reference}"


def differences(facts: Sequence[Fact]) -> dict[str, str]:
    """Subscriptions and finished checkouts that are held otherwise than `facts` say, by their id at the provider."""
    told = [fact for fact in facts if isinstance(fact, SubscriptionFact | CheckoutFact)]
    if not told:
        return {}
    query = select(Contribution).where(Contribution.reference.in_({fact.reference for fact in told}))
    known = {row.reference: row for row in db.session.scalars(query)}
    found: dict[str, str] = {}
    for fact in told:
        provider_id = fact.checkout_id if isinstance(fact, CheckoutFact) else fact.subscription_id
        row = known.get(fact.reference)
        if row is None:
            found[provider_id] = UNKNOWN.format(reference=fact.reference)
            continue
        words = _of_checkout(row, fact) if isinstance(fact, CheckoutFact) else _of_subscription(row, fact)
        if words:
            found[provider_id] = words
    db.session.expunge_all()
    return found


def _of_checkout(row: Contribution, fact: CheckoutFact) -> str | None:
    if not fact.is_finished:
        return None
    if row.checkout_url is not None and row.checkout_id == fact.checkout_id:
        return "its payment page is finished, and counts as open here"
    if fact.is_paid and row.is_unpaid:
        return "it was paid, and counts as unpaid here"
    return None


def _of_subscription(row: Contribution, fact: SubscriptionFact) -> str | None:
    has_ended = fact.status is SubscriptionStatus.ENDED
    if row.subscription_id not in {None, fact.subscription_id}:
        return None if has_ended else f"it belongs to {fact.reference}, which has another one here"
    if row.is_unpaid or row.person_id is None:
        is_open = has_ended and row.state == State.STARTED
        return "its first payment never came, and counts as awaited here" if is_open else None
    if row.subscription_id is None:
        return "which subscription it is is not known here"
    return _of_state(row, fact) or _of_terms(row, fact)


def _of_state(row: Contribution, fact: SubscriptionFact) -> str | None:
    state = state_of_subscription(
        fact.status,
        State(row.state),
        is_cancelling=fact.cancel_at is not None,
        is_chosen=row.cancel_reason is not None,
        is_given_up=fact.is_given_up,
    )
    if state is not None and state != row.state:
        return f"it is {state.value}, and {row.state} here"
    if state in LIVE and row.ends_at != (fact.ended_at or fact.cancel_at):
        return "it ends at another time than here"
    if state in {State.ACTIVE, State.PAST_DUE} and row.next_payment_at != fact.current_period_end:
        return "it is charged next at another time than here"
    return None


def _of_terms(row: Contribution, fact: SubscriptionFact) -> str | None:
    """What is asked for and not yet charged is looked at by who asked for it."""
    is_comparable = fact.amount.currency == row.currency and fact.amount.minor > 0 and row.next_charge_minor is None
    if State(row.state) not in LIVE or not is_comparable:
        return None
    if fact.amount != row.charge:
        return f"{fact.amount} are charged, and {row.charge} here"
    if fact.rhythm is not None and fact.rhythm is not row.rhythm_word:
        return f"it is {fact.rhythm.value}, and {row.rhythm} here"
    return None


def live_after(subscription_id: str, limit: int) -> list[str]:
    """Ids of the subscriptions of live contributions, in order, those behind `subscription_id`."""
    # As a value, not as a column: by the index of states SQLite would sort all live ones for every page of them.
    state = func.coalesce(Contribution.state, "")
    query = (
        select(Contribution.subscription_id)
        .where(state.in_(LIVE), Contribution.subscription_id > subscription_id)
        .order_by(Contribution.subscription_id)
        .limit(limit)
    )
    return [found for found in db.session.scalars(query) if found is not None]
