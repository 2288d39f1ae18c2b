"""What we ask a provider for, and what it answers at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm

APP_STAMP = "reader-membership"
"""What `metadata["app"]` says on everything we make at a provider; objects without it are foreign (W8)."""


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """One hosted page on which a reader pays `charge` once, or every month or year from now on.

    `reference` is our public id of the contribution (at most 200 characters, no personal data); it comes
    back in every event. `charge` is above zero. `locale` is "en" or "uk". `description` is the line that the
    reader sees on the page. `success_url` contains the provider's own place-holder
    `{CHECKOUT_SESSION_ID}`. `expires_at` lies 30 minutes to 24 hours ahead on the business clock. `metadata`
    is kept by the provider on everything that the page makes: short strings, no personal values; the keys
    "app" and "reference" are ours.
    """

    reference: str
    rhythm: Rhythm
    charge: Money
    email: str
    locale: str
    newsroom_name: str
    description: str
    success_url: str
    cancel_url: str
    expires_at: datetime
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OpenedCheckout:
    """A hosted page that is open: its id at the provider and the address to send the reader to."""

    provider_id: str
    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CardRequest:
    """One hosted page that takes a new card for recurring support; nothing is charged there.

    `reference` is our public id of the contribution, `customer_id` and `subscription_id` are the provider's.
    `locale` is "en" or "uk". `success_url` contains the provider's own place-holder `{CHECKOUT_SESSION_ID}`.
    `expires_at` lies 30 minutes to 24 hours ahead on the business clock.
    """

    reference: str
    customer_id: str
    subscription_id: str
    locale: str
    success_url: str
    cancel_url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PayOutcome:
    """How a new attempt to collect an open payment ended; all false while the money is on its way (bank debits).

    `reason` is a machine word such as "insufficient_funds" where it was declined, else None. `action_url` is the
    provider's hosted page where the payer confirms the payment (3-D Secure) or pays with another card; whoever has
    the address can pay there, so it is shown to the payer only. None where nothing is left to do, or there is none.
    """

    is_paid: bool
    is_declined: bool
    reason: str | None
    action_url: str | None


@dataclass(frozen=True, slots=True)
class MadeRefund:
    """A refund that the provider has taken on: its id, and the thing to read again to see how it stands."""

    refund_id: str
    charge_id: str
