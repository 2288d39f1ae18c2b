"""What rooms above billing hold of things at the provider: `HOLDINGS` in wiring.py."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from membership.billing.port import Fact


@dataclass(frozen=True, slots=True)
class Holdings:
    """What one room can tell.

    `differences(facts)`: of subscriptions and checkouts (by their id at the provider) that are held otherwise than
    `facts` say, in words. `live_after(subscription_id, limit)`: the ids of subscriptions that are believed to go on,
    in order, those behind `subscription_id` ("" for the first).
    """

    differences: Callable[[Sequence[Fact]], dict[str, str]]
    live_after: Callable[[str, int], list[str]]
