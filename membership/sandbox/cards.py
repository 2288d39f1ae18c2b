"""Test cards and test accounts, and how each of them behaves. The numbers are Stripe's published ones."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from membership.sandbox.ways import LATE, REDIRECTING

Outcome = Literal["succeeded", "declined", "requires_action", "processing"]


@dataclass(frozen=True)
class Card:
    """A card or, with another kind, an account or a wallet (`ways.WAYS`).

    `decline` is the reason of every refusal, `first_works` means that it is refused only off session (at a
    renewal), `asks` that the bank wants a confirmation: "once" on session, "always" off session as well.
    `refunds` says what becomes of a refund, `disputed` how the payer disputes each charge ("" is not at all),
    `warned` that the bank warns early of fraud, `fails_later` that a debit is returned in the end.
    """

    number: str
    brand: str = "visa"
    kind: str = "card"
    decline: str | None = None
    first_works: bool = False
    asks: Literal["never", "once", "always"] = "never"
    refunds: Literal["succeeded", "pending", "failed"] = "succeeded"
    disputed: Literal["", "chargeback", "inquiry"] = ""
    warned: bool = False
    fails_later: bool = False

    @property
    def last4(self) -> str:
        """The last four digits."""
        return self.number[-4:]


_CARDS = [
    Card("4242424242424242"),
    Card("4000056655665556"),
    Card("5555555555554444", "mastercard"),
    Card("5200828282828210", "mastercard"),
    Card("5105105105105100", "mastercard"),
    Card("378282246310005", "amex"),
    Card("6011111111111117", "discover"),
    Card("3056930009020004", "diners"),
    Card("3566002020360505", "jcb"),
    Card("6200000000000005", "unionpay"),
    Card("4000000000000002", decline="generic_decline"),
    Card("4000000000009995", decline="insufficient_funds"),
    Card("4000000000009987", decline="lost_card"),
    Card("4000000000009979", decline="stolen_card"),
    Card("4000000000000069", decline="expired_card"),
    Card("4000000000000127", decline="incorrect_cvc"),
    Card("4000000000000119", decline="processing_error"),
    Card("4000000000000341", decline="generic_decline", first_works=True),
    Card("4000002500003155", asks="once"),
    Card("4000002760003184", asks="always"),
    Card("4000000000000259", disputed="chargeback"),
    Card("4000000000002685", disputed="chargeback"),
    Card("4000000000001976", disputed="inquiry"),
    Card("4000000000005423", warned=True),
    Card("4000000000007726", refunds="pending"),
    Card("4000000000005126", refunds="failed"),
    Card("AT611904300234573201", "sepa", "sepa_debit"),
    Card("AT861904300235473202", "sepa", "sepa_debit", fails_later=True),
]
CARDS = {card.number: card for card in _CARDS}

# What `pm_card_…` stands for; the one card that fails after being saved is refused at every charge by API.
TOKENS = {
    "pm_card_visa": CARDS["4242424242424242"],
    "pm_card_visa_debit": CARDS["4000056655665556"],
    "pm_card_mastercard": CARDS["5555555555554444"],
    "pm_card_mastercard_debit": CARDS["5200828282828210"],
    "pm_card_mastercard_prepaid": CARDS["5105105105105100"],
    "pm_card_amex": CARDS["378282246310005"],
    "pm_card_discover": CARDS["6011111111111117"],
    "pm_card_diners": CARDS["3056930009020004"],
    "pm_card_jcb": CARDS["3566002020360505"],
    "pm_card_unionpay": CARDS["6200000000000005"],
    "pm_card_chargeDeclined": CARDS["4000000000000002"],
    "pm_card_visa_chargeDeclined": CARDS["4000000000000002"],
    "pm_card_visa_chargeDeclinedInsufficientFunds": CARDS["4000000000009995"],
    "pm_card_visa_chargeDeclinedLostCard": CARDS["4000000000009987"],
    "pm_card_visa_chargeDeclinedStolenCard": CARDS["4000000000009979"],
    "pm_card_chargeDeclinedExpiredCard": CARDS["4000000000000069"],
    "pm_card_chargeDeclinedIncorrectCvc": CARDS["4000000000000127"],
    "pm_card_chargeDeclinedProcessingError": CARDS["4000000000000119"],
    "pm_card_chargeCustomerFail": replace(CARDS["4000000000000341"], first_works=False),
    "pm_card_authenticationRequiredOnSetup": CARDS["4000002500003155"],
    "pm_card_authenticationRequired": CARDS["4000002760003184"],
    "pm_card_threeDSecure2Required": CARDS["4000002760003184"],
    "pm_card_createDispute": CARDS["4000000000000259"],
    "pm_card_createDisputeProductNotReceived": CARDS["4000000000002685"],
    "pm_card_createDisputeInquiry": CARDS["4000000000001976"],
    "pm_card_createIssuerFraudRecord": CARDS["4000000000005423"],
    "pm_card_pendingRefund": CARDS["4000000000007726"],
    "pm_card_refundFail": CARDS["4000000000005126"],
    "pm_sepaDebit": CARDS["AT611904300234573201"],
}

# What can be attached to a customer although every charge of it is refused.
SAVED_BUT_REFUSED = "4000000000000341"

MESSAGES = {
    "generic_decline": ("card_declined", "Your card was declined."),
    "insufficient_funds": ("card_declined", "Your card has insufficient funds."),
    "lost_card": ("card_declined", "Your card was declined."),
    "stolen_card": ("card_declined", "Your card was declined."),
    "expired_card": ("expired_card", "Your card has expired."),
    "incorrect_cvc": ("incorrect_cvc", "Your card's security code is incorrect."),
    "processing_error": (
        "processing_error",
        "An error occurred while processing your card. Try again in a little bit.",
    ),
    "authentication_required": (
        "authentication_required",
        "Your card was declined. This transaction requires authentication.",
    ),
}


_FINAL = frozenset({"lost_card", "stolen_card", "expired_card", "incorrect_cvc"})
_NETWORK_CODES = {"insufficient_funds": "51", "lost_card": "41", "stolen_card": "43", "expired_card": "54"}


def refusal(reason: str) -> dict[str, Any]:
    """What Stripe says of a card that is refused for a reason out of `MESSAGES`."""
    code, message = MESSAGES[reason]
    return {
        "advice_code": "do_not_try_again" if reason in _FINAL else "try_again_later",
        "code": code,
        "decline_code": reason,
        "message": message,
        "network_decline_code": _NETWORK_CODES.get(reason, "01"),
        "type": "card_error",
    }


def by_number(typed: str) -> Card | None:
    """The card that a person typed, blanks allowed; None for a number that is no test card or account."""
    return CARDS.get("".join(typed.split()).upper())


def outcome(
    card: Card, *, on_session: bool, confirmed: bool = False, saved: bool = False
) -> tuple[Outcome, str | None]:
    """What a charge of the card comes to, and the reason where it is refused.

    `on_session` means that the person is present, `confirmed` that they just confirmed at their bank, `saved`
    that the card was confirmed when it was saved.
    """
    if card.decline and not (card.first_works and on_session):
        return "declined", card.decline
    wants = card.asks == "always" or card.kind in REDIRECTING or (card.asks == "once" and not saved)
    if wants and not confirmed:
        return ("requires_action", None) if on_session else ("declined", "authentication_required")
    return ("processing", None) if card.kind in LATE else ("succeeded", None)
