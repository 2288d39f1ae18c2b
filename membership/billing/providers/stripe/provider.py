"""Stripe as a payment provider: our questions in its words, its answers in ours."""

from datetime import datetime

from membership.billing.port import Diagnosis, Notice, ObjectKind
from membership.billing.providers.stripe import notices
from membership.billing.providers.stripe.diagnosis import diagnose
from membership.billing.providers.stripe.giving_back import StripeRefunds
from membership.billing.providers.stripe.listing import StripeLists
from membership.billing.providers.stripe.pages import StripePages
from membership.billing.providers.stripe.reading import StripeReading
from membership.kernel import clock


class StripeProvider(StripePages, StripeRefunds, StripeReading, StripeLists):
    """Satisfies `billing.port.PaymentProvider`.

    `pages`: hosted pages. `asking`: changes of running support. `giving_back`: refunds. `reading`: things read again.
    `listing`: lists, for comparing. `notices`: webhooks. `translate`: Stripe's objects in our words.
    """

    name = "stripe"
    tries = notices.TRIES

    # Notices, books, health

    def open_notice(self, raw: bytes, signature: str, at: datetime) -> Notice:
        """Check and open a webhook body; see `notices.open_notice`."""
        secrets = (secret.get_secret_value() for secret in self._settings.stripe_webhook_secret)
        return notices.open_notice(raw, signature, at, secrets, is_live=self._settings.is_live)

    def diagnose(self) -> list[Diagnosis]:
        """Key, webhook endpoint and clock, as sentences."""
        return diagnose(self._calls, self._settings, clock.real_now)

    def kind_of(self, notice_type: str) -> ObjectKind | None:
        """By the table of what we listen to."""
        return notices.EVENTS.get(notice_type)
