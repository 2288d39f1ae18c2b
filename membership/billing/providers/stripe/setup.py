"""What must stand at Stripe before a newsroom can take money: made where it is missing, mended where it is wrong.

A second run changes nothing. Nothing here is asked for by a reader; `membership setup stripe` does it once, and after
an upgrade that listens to more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from membership.billing.port import APP_STAMP
from membership.billing.providers.stripe.caller import StripeCaller
from membership.billing.providers.stripe.client import API_VERSION, is_missing
from membership.billing.providers.stripe.notices import EVENTS
from membership.billing.providers.stripe.pages import product_name
from membership.config import Settings
from membership.kernel.errors import ProviderFailed

STAMP = {"app": APP_STAMP}
# Cancelling, another card, and receipts; terms are changed on our own pages only.
PORTAL: dict[str, dict[str, Any]] = {
    "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
    "payment_method_update": {"enabled": True},
    "invoice_history": {"enabled": True},
}
PORTAL_OFF = ("subscription_update", "subscription_pause")
NAMES_OF_SECRETS = "STRIPE_WEBHOOK_SECRET"


class Mark(StrEnum):
    """What became of a step. LEFT: it would have been changed, but we were only to check."""

    FINE = "fine"
    DONE = "done"
    LEFT = "left"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing looked at: what was found or done, as a sentence, and what to do next (None: nothing)."""

    mark: Mark
    what: str
    then: str | None = None
    secret: str | None = None
    """The signing secret of a new webhook endpoint: Stripe shows it this once."""


class StripeSetup(StripeCaller):
    """Product, portal and webhook endpoint of one installation; with `is_check` nothing is changed."""

    def __init__(self, settings: Settings, webhook_url: str, newsroom_name: str, *, is_check: bool) -> None:
        super().__init__(settings)
        self._url, self._name, self._is_check = webhook_url, newsroom_name, is_check

    def steps(self) -> Iterator[Step]:
        """Look at everything, one step after the other. Raises ProviderFailed where Stripe cannot be asked."""
        yield self._product()
        yield self._portal()
        yield from self._endpoint()

    def _changed(self, made: str, wanted: str) -> Step:
        """The step of a change that was made, or that would have been."""
        if self._is_check:
            return Step(Mark.LEFT, wanted, "Run this command without --check.")
        return Step(Mark.DONE, made)

    # The product

    def _product(self) -> Step:
        product_id = self._settings.stripe_product_id
        params = {"id": product_id, "name": product_name(self._name), "metadata": STAMP}
        try:
            product = self._ask("products", lambda v1: v1.products.retrieve(product_id))
        except ProviderFailed as failed:
            if not is_missing(failed):
                raise
            if not self._is_check:
                self._ask("products.create", lambda v1: v1.products.create(params=params))
            return self._changed(f"Made the product {product_id}.", f"There is no product {product_id} yet.")
        if not product.get("active"):
            if not self._is_check:
                self._ask("products.update", lambda v1: v1.products.update(product_id, params={"active": True}))
            return self._changed(
                f"Took the product {product_id} out of the archive.", f"The product {product_id} is archived."
            )
        return self._product_name(product)

    def _product_name(self, product: dict[str, Any]) -> Step:
        """The newsroom may have another name by now. A name that somebody gave the product at Stripe stays."""
        product_id, wanted, name = str(product["id"]), product_name(self._name), str(product.get("name"))
        is_ours = (product.get("metadata") or {}).get("app") == APP_STAMP and name.startswith(product_name(""))
        if name == wanted or not is_ours:
            return Step(Mark.FINE, f"The product {product_id} is there.")
        if not self._is_check:
            self._ask("products.update", lambda v1: v1.products.update(product_id, params={"name": wanted}))
        return self._changed(
            f"The product {product_id} is called “{wanted}” now.", f"The product {product_id} is called “{name}”."
        )

    # The portal

    def _portal(self) -> Step:
        """A customer portal of ours, as a way out when our own pages cannot be used."""
        asked = {"active": True, "limit": 100}
        listed = self._ask("portal", lambda v1: v1.billing_portal.configurations.list(params=asked))
        ours = next((one for one in listed["data"] if (one.get("metadata") or {}).get("app") == APP_STAMP), None)
        if ours is not None and _offers_ours(ours["features"]):
            return Step(Mark.FINE, f"The customer portal is set up ({ours['id']}).")
        features = PORTAL | {name: {"enabled": False} for name in PORTAL_OFF}
        params: Any = {"features": features, "metadata": STAMP, "default_return_url": self._settings.public_url}
        if self._is_check:
            return self._changed("", "The customer portal is not set up as it should be.")
        if ours is None:
            made = self._ask("portal", lambda v1: v1.billing_portal.configurations.create(params=params))
            return Step(Mark.DONE, f"Set up a customer portal ({made['id']}): cancelling, another card, receipts.")
        self._ask("portal", lambda v1: v1.billing_portal.configurations.update(ours["id"], params=params))
        return Step(Mark.DONE, f"Mended the customer portal ({ours['id']}).")

    # The webhook endpoint

    def _endpoint(self) -> Iterator[Step]:
        """One endpoint for our address, in our version, with exactly our events.

        The version of an endpoint cannot be changed: a new one is made beside it, and the old one goes in the next
        run, when the new secret is known here. Until then both send, which is the same as one (W2).
        """
        listed = self._ask("webhook_endpoints", lambda v1: v1.webhook_endpoints.list(params={"limit": 100}))
        here = [one for one in listed["data"] if one["url"] == self._url]
        right = [one for one in here if one.get("api_version") == API_VERSION]
        for old in here:
            if old.get("api_version") != API_VERSION:
                yield self._other_version(old, is_replaced=bool(right))
        yield self._mended(right[0]) if right else self._new_endpoint()

    def _other_version(self, old: dict[str, Any], *, is_replaced: bool) -> Step:
        words = f"The webhook endpoint {old['id']} speaks {old.get('api_version')} instead of {API_VERSION}"
        if not is_replaced:
            return Step(
                Mark.LEFT, f"{words}.", "Set the new secret, restart, and run this command again: it goes then."
            )
        if not self._is_check:
            self._ask("webhook_endpoints", lambda v1: v1.webhook_endpoints.delete(old["id"]))
        return self._changed(f"Removed the old webhook endpoint {old['id']}.", f"{words} and is replaced.")

    def _new_endpoint(self) -> Step:
        if self._is_check:
            return self._changed("", f"There is no webhook endpoint for {self._url}.")
        params: Any = {
            "url": self._url,
            "enabled_events": sorted(EVENTS),
            "api_version": API_VERSION,
            "description": f"{self._name}: reader support",
            "metadata": STAMP,
        }
        made = self._ask("webhook_endpoints", lambda v1: v1.webhook_endpoints.create(params=params))
        return Step(
            Mark.DONE,
            f"Made the webhook endpoint {made['id']} for {self._url}.",
            f"Put the secret below into {NAMES_OF_SECRETS} (a list, by commas: keep the old one beside it until its"
            " endpoint is gone), restart web server and worker, and run this command again. It is shown only now.",
            secret=str(made["secret"]),
        )

    def _mended(self, endpoint: dict[str, Any]) -> Step:
        sends, wanted = set(endpoint.get("enabled_events") or ()), set(EVENTS)
        is_off = endpoint.get("status") != "enabled"
        if sends == wanted and not is_off:
            return Step(Mark.FINE, f"The webhook endpoint {endpoint['id']} sends what we listen to, to {self._url}.")
        changes = [words for words, is_so in (
            (f"adds {_names(wanted - sends)}", bool(wanted - sends)),
            (f"drops {_names(sends - wanted)}", bool(sends - wanted)),
            ("switches it on", is_off),
        ) if is_so]  # fmt: skip
        if not self._is_check:
            params: Any = {"enabled_events": sorted(EVENTS)} | ({"disabled": False} if is_off else {})
            self._ask("webhook_endpoints", lambda v1: v1.webhook_endpoints.update(endpoint["id"], params=params))
        words = f"the webhook endpoint {endpoint['id']}: {'; '.join(changes)}."
        return self._changed(f"Mended {words}", f"This command would mend {words}")


def _names(types: set[str]) -> str:
    return ", ".join(sorted(types))


def _offers_ours(features: dict[str, Any]) -> bool:
    is_on = all(
        (features.get(name) or {}).get(field) == value
        for name, fields in PORTAL.items()
        for field, value in fields.items()
    )
    return is_on and not any((features.get(name) or {}).get("enabled") for name in PORTAL_OFF)
