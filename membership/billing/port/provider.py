"""What every payment company must be able to do for us, in our words."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from membership.billing.port.asking import CardRequest, CheckoutRequest, MadeRefund, OpenedCheckout, PayOutcome
from membership.billing.port.facts import Diagnosis, Notice, ObjectKind, ObjectRef, Reading
from membership.billing.port.listing import Lists
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm


class PaymentProvider(Lists, Protocol):
    """A payment company behind our words. Found at `current_app.extensions["membership.provider"]`.

    Every method that reaches out raises `ProviderFailed`: `retryable` where the same call may go through
    later, `outcome_unknown` where it may have been carried out although no answer came. `details["spent"]` is
    true where the provider has stored a failure under the idempotency key, so that only a new key can succeed.
    None is called inside a transaction.

    What changes something takes an `idempotency_key`: the same key with the same words does it once. Asks raise
    Conflict "not_possible_now" where the provider's state does not allow it; then nothing was changed.
    """

    name: str
    tries: Mapping[str, str]
    """Types of notices by what they tell about tries: "paid", "declined" (any charge), "card_refused" (where
    nothing was to be charged), "renewal_failed"."""

    def open_checkout(self, request: CheckoutRequest, idempotency_key: str) -> OpenedCheckout:
        """Open a hosted page. The same key with the same request gives the same page again."""

    def close_checkout(self, checkout_id: str, idempotency_key: str) -> bool:
        """Close an open page; True if nobody can pay there any more, False if somebody already has."""

    def change(self, subscription_id: str, charge: Money, rhythm: Rhythm, idempotency_key: str) -> None:
        """Charge `charge` from the next payment on; nothing is charged or credited now.

        Another rhythm begins when the time that is paid is over.
        """

    def pause(self, subscription_id: str, until: datetime, idempotency_key: str) -> None:
        """Charge nothing before `until` (business clock); then it goes on by itself."""

    def resume(self, subscription_id: str, idempotency_key: str) -> None:
        """End a pause of either kind; without one it changes nothing."""

    def cancel(self, subscription_id: str, idempotency_key: str) -> None:
        """End it when the time that is paid is over."""

    def keep(self, subscription_id: str, idempotency_key: str) -> None:
        """Take back a `cancel` whose end has not come."""

    def cancel_now(self, subscription_id: str, idempotency_key: str) -> None:
        """End it at once, without giving anything back; one that has ended already stays so."""

    def find_open_payment(self, subscription_id: str) -> str | None:
        """The newest payment of it that is open (tried in vain, or not yet); None where nothing is."""

    def pay(self, open_payment_id: str, idempotency_key: str) -> PayOutcome:
        """Try to collect what `find_open_payment` found, with the card that is in use by now."""

    def open_card_page(self, request: CardRequest, idempotency_key: str) -> OpenedCheckout:
        """Open a hosted page that takes a new card."""

    def use_card(self, checkout_id: str, idempotency_key: str) -> tuple[str, ...]:
        """Make the card of a finished page the customer's default and that of all their live support of ours.

        Returns the ids of those subscriptions.
        """

    def refund(self, payment_id: str, amount: Money, reference: str, mark: str, idempotency_key: str) -> MadeRefund:
        """Give back `amount` of a payment. `mark` (at most 255 characters) is kept on the refund, to find it by."""

    def find_refund(self, payment_id: str, mark: str) -> MadeRefund | None:
        """The refund of a payment that carries `mark` and was not cancelled; None where there is none."""

    def forget_customer(self, customer_id: str, idempotency_key: str) -> None:
        """Delete what the provider may delete of a customer; live support of theirs ends at once."""

    def rename_customer(self, customer_id: str, email: str, idempotency_key: str) -> None:
        """Give a customer another address. Nobody there is as good as renamed."""

    def kind_of(self, notice_type: str) -> ObjectKind | None:
        """What is read again for notices of this type; None for those that are kept or not listened to."""

    def read(self, ref: ObjectRef) -> Reading:
        """Read one thing again from the provider and say in our words what is to be known of it."""

    def open_notice(self, raw: bytes, signature: str, at: datetime) -> Notice:
        """Check the signature over the raw bytes and say what the notice is about; reaches nobody.

        `at` is real time. InvalidInput for whatever is not a genuine, fresh, well-formed notice of this
        account and mode.
        """

    def ensure_product(self, newsroom_name: str | None = None) -> None:
        """Make the one fixed product that every price hangs on, if it is missing. Safe to repeat."""

    def diagnose(self) -> list[Diagnosis]:
        """What is right and what is wrong between us and the provider; never raises."""
