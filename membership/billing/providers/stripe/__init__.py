"""Stripe behind our own words; beside the sandbox the only importer of `stripe`."""

from membership.billing.providers.stripe.provider import StripeProvider

__all__ = ["StripeProvider"]
