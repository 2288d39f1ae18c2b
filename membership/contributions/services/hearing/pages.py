"""News of the payment page."""

from membership.billing.port import CheckoutExpired, CheckoutFinished
from membership.contributions.rules import State
from membership.contributions.services.hearing.rows import get_row, move
from membership.contributions.services.hearing.trouble import note_pending
from membership.kernel import clock


def hear_checkout_finished(news: CheckoutFinished) -> None:
    """The reader completed the payment page; money may still be on its way."""
    contribution = get_row(news.reference)
    contribution.checkout_id = contribution.checkout_id or news.checkout_id
    contribution.customer_id = news.customer_id or contribution.customer_id
    contribution.subscription_id = news.subscription_id or contribution.subscription_id
    # The page is done with: what is missing now is money, and news of that comes by itself.
    contribution.checkout_url = contribution.checkout_expires_at = None
    if news.is_pending and State(contribution.state) is State.STARTED:
        note_pending(contribution, clock.now())


def hear_checkout_expired(news: CheckoutExpired) -> None:
    """The payment page closed unpaid."""
    contribution = get_row(news.reference)
    if contribution.checkout_id in {None, news.checkout_id}:
        contribution.checkout_url = None
        move(contribution, State.ABANDONED, clock.now())
