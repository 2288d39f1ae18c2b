"""What we ask the provider to do with support that runs: change, pause, end, collect, give back.

Every function is called outside a transaction. It writes an intent, commits, asks the provider with the intent's
idempotency key, writes the answer down, and reads the thing again: what we know follows from that reading and never
from the ask. The same `attempt_key` never does a thing twice; after a certain refusal it asks anew.

All raise ProviderFailed where no answer came (asking again with the same key is safe) and Conflict with the code
"not_possible_now" where the provider's state does not allow it.
"""

from datetime import datetime

from membership.billing.port import CardRequest, OpenedCheckout, PayOutcome
from membership.kernel.errors import ProviderFailed
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm


def change(subscription_id: str, charge: Money, rhythm: Rhythm, attempt_key: str) -> None:
    """Charge `charge` from the next payment on; nothing is charged or credited now.

    Another rhythm begins when the time that is paid is over. The currency cannot change.
    """
    raise _not_yet()


def pause(subscription_id: str, until: datetime, attempt_key: str) -> None:
    """Charge nothing before `until` (business clock, ahead); then it goes on by itself."""
    raise _not_yet()


def resume(subscription_id: str, attempt_key: str) -> None:
    """End a pause now, ours or one that was made at the provider."""
    raise _not_yet()


def cancel(subscription_id: str, attempt_key: str) -> None:
    """End it when the time that is paid is over."""
    raise _not_yet()


def keep(subscription_id: str, attempt_key: str) -> None:
    """Take back a `cancel` whose end has not come."""
    raise _not_yet()


def cancel_now(subscription_id: str, attempt_key: str) -> None:
    """End it at once, without giving anything back; one that has ended already stays so."""
    raise _not_yet()


def pay_open(subscription_id: str, attempt_key: str) -> PayOutcome:
    """Try the open payment of it again, with the card that is in use by now.

    That it was declined is an answer as well: the same key gives it again, a new try needs a new key. Conflict where
    nothing is open.
    """
    raise _not_yet()


def open_card_page(request: CardRequest, attempt_key: str) -> OpenedCheckout:
    """Open a hosted page that takes a new card; nothing is charged there. The same key gives the same page."""
    raise _not_yet()


def use_new_card(checkout_id: str) -> bool:
    """After that page: make the card the one of the support and the customer's default; True once it is done.

    It also happens by itself, from the notice of the finished page. False while the page is not finished, or
    somebody else is at it.
    """
    raise _not_yet()


def refund(payment_id: str, amount: Money, attempt_key: str) -> None:
    """Give back `amount` of the payment whose `provider_id` is `payment_id`.

    Booked when the refund is seen to have succeeded, at once or days later. NotFound for a payment that we do not
    know.
    """
    raise _not_yet()


def forget_customer(customer_id: str, attempt_key: str) -> None:
    """Erase a customer at the provider; live support of theirs ends at once."""
    raise _not_yet()


def _not_yet() -> ProviderFailed:
    return ProviderFailed("not_built_yet", "Asks are being built.", retryable=True)
