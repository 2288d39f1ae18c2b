"""What we ask the provider to do with support that runs: change, pause, end, collect, give back.

Every function is called outside a transaction. It writes an intent, commits, asks the provider with the intent's
idempotency key, writes the answer down, and reads the thing again: what we know follows from that reading and never
from the ask. The same `attempt_key` never does a thing twice; after a certain refusal it asks anew.

All raise ProviderFailed where no answer came (asking again with the same key is safe; the sweeper does it as well)
and Conflict: "not_possible_now" where the provider's state does not allow it, "other_request" where the key belongs to
another wish.
"""

from datetime import datetime

import structlog
from flask import current_app

from membership.billing import ledger
from membership.billing.intents import rows
from membership.billing.intents.kinds import KINDS, Words, freeze, frozen_money
from membership.billing.intents.pages import opened_page
from membership.billing.models import ProviderIntent
from membership.billing.port import CardRequest, ObjectKind, OpenedCheckout, PaymentProvider, PayOutcome
from membership.billing.services import sync
from membership.db import outside_call
from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput, NotFound, ProviderFailed
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm

log = structlog.get_logger(__name__)


def change(subscription_id: str, charge: Money, rhythm: Rhythm, attempt_key: str) -> None:
    """Charge `charge` from the next payment on; nothing is charged or credited now.

    Another rhythm begins when the time that is paid is over. The currency cannot change (Conflict).
    """
    wanted = {"subscription_id": subscription_id, "charge": frozen_money(charge), "rhythm": rhythm.value}
    _ask("change", attempt_key, wanted)


def pause(subscription_id: str, until: datetime, attempt_key: str) -> None:
    """Charge nothing before `until` (business clock, ahead; else InvalidInput); then it goes on by itself."""
    if until <= clock.now():
        raise InvalidInput("not_ahead", "A pause must end in the future.", field="until")
    wanted = {
        "subscription_id": subscription_id,
        "until": until.isoformat(),
        "until_day": until.date().isoformat(),
    }
    _ask("pause", attempt_key, wanted)


def resume(subscription_id: str, attempt_key: str) -> None:
    """End a pause now, ours or one that was made at the provider; without one it changes nothing."""
    _ask("resume", attempt_key, {"subscription_id": subscription_id})


def cancel(subscription_id: str, attempt_key: str) -> None:
    """End it when the time that is paid is over."""
    _ask("cancel", attempt_key, {"subscription_id": subscription_id})


def keep(subscription_id: str, attempt_key: str) -> None:
    """Take back a `cancel` whose end has not come."""
    _ask("keep", attempt_key, {"subscription_id": subscription_id})


def cancel_now(subscription_id: str, attempt_key: str) -> None:
    """End it at once, without giving anything back; one that has ended already stays so."""
    _ask("cancel_now", attempt_key, {"subscription_id": subscription_id})


def pay_open(subscription_id: str, attempt_key: str) -> PayOutcome:
    """Try the open payment of it again, with the card that is in use by now.

    That it was declined is an answer as well: the same key gives it again, a new try needs a new key. Conflict where
    nothing is open.
    """
    wanted: Words = {"subscription_id": subscription_id, "open_payment_id": None}
    known = rows.find("pay_open", attempt_key)
    if known is None or known.state == "refused":
        wanted["open_payment_id"] = _find_open_payment(subscription_id)
    intent = _ask("pay_open", attempt_key, wanted)
    if intent.result is None:
        raise Conflict("not_possible_now", "This try was made more than 30 days ago.")
    return PayOutcome(**intent.result)


def _find_open_payment(subscription_id: str) -> str:
    with outside_call("stripe.pay_open.find"):
        found = _provider().find_open_payment(subscription_id)
    if found is None:
        raise Conflict("not_possible_now", "Nothing is open that could be paid.")
    return found


def open_card_page(request: CardRequest, attempt_key: str) -> OpenedCheckout:
    """Open a hosted page that takes a new card; nothing is charged there.

    The same key gives the same page until that runs out; then a new one.
    """
    return opened_page(rows.ask("open_card_page", attempt_key, freeze(request), reference=request.reference))


def use_new_card(checkout_id: str) -> bool:
    """After that page: make the card the one of the support and the customer's default; True once it is done.

    It also happens by itself, from the notice of the finished page. False while the page is not finished, or
    somebody else is at it.
    """
    sync(ObjectKind.CHECKOUT, checkout_id)
    if rows.find("use_card", checkout_id) is None:
        return False
    try:
        _ask("use_card", checkout_id, {"checkout_id": checkout_id})
    except ProviderFailed as failed:
        if failed.code == "still_asking":
            return False
        raise
    return True


def refund(payment_id: str, amount: Money, attempt_key: str) -> None:
    """Give back `amount` of the payment whose `provider_id` is `payment_id`.

    Booked when the refund is seen to have succeeded, at once or days later. NotFound for a payment that we do not
    know, InvalidInput for an amount that is not above zero and within the payment, in its currency; Conflict for money
    that came another way.
    """
    payment = ledger.find_payment(payment_id)
    if payment is None:
        raise NotFound("no_payment", f"There is no payment {payment_id} in the books.")
    if amount.currency != payment.currency or not 0 < amount.minor <= payment.charged_minor:
        raise InvalidInput("not_within_payment", "Only what was paid can be given back.", field="amount")
    if payment.way != "card":
        raise Conflict("not_possible_now", "This payment did not come through the provider: it is given back by hand.")
    wanted = {
        "payment_id": payment_id,
        "amount": frozen_money(amount),
        "reference": payment.reference,
        "mark": attempt_key,
    }
    _ask("refund", attempt_key, wanted, reference=payment.reference)


def forget_customer(customer_id: str, attempt_key: str) -> None:
    """Erase a customer at the provider; live support of theirs ends at once. Nobody there is as good as erased."""
    _ask("forget_customer", attempt_key, {"customer_id": customer_id})


def rename_customer(customer_id: str, email: str, attempt_key: str) -> None:
    """Give a customer another address, to which the provider writes from now on. Nobody there is as good as done."""
    _ask("rename_customer", attempt_key, {"customer_id": customer_id, "email": email})


def _ask(kind: str, attempt_key: str, wanted: Words, *, reference: str = "") -> ProviderIntent:
    """Ask, and read again what it changed. A reading that fails is no failure of the ask: notices bring it as well."""
    intent = rows.ask(kind, attempt_key, wanted, reference=reference)
    for ref in KINDS[kind].again(intent):
        try:
            sync(ref.kind, ref.id)
        except ProviderFailed as failed:
            log.warning("not_read_again", kind=kind, object_id=ref.id, code=failed.code)
    return intent


def _provider() -> PaymentProvider:
    provider: PaymentProvider = current_app.extensions["membership.provider"]
    return provider
