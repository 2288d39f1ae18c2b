"""What everything that talks to Stripe shares: the settings, and one way to ask."""

from collections.abc import Callable
from typing import Any

from membership.billing.providers.stripe.client import Calls
from membership.config import Settings


class StripeCaller:
    """The lowest part of `StripeProvider`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._calls = Calls(settings)

    def _ask(self, endpoint: str, question: Callable[[Any], Any]) -> dict[str, Any]:
        """One call, its answer as plain JSON; see `client.Calls.ask`."""
        answer: dict[str, Any] = self._calls.ask(endpoint, question).to_dict()
        return answer
