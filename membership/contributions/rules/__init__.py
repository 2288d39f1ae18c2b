"""Decisions about contributions, as pure functions of values: `states` (where one stands), `wishes` (what is asked)."""

from membership.contributions.rules.states import (
    LIVE,
    NEXT,
    UNPAID,
    State,
    may_become,
    state_of_subscription,
    thanks_state,
    yearly_level,
)
from membership.contributions.rules.wishes import (
    LONGEST_PUBLIC_NAME,
    Wish,
    choice_of,
    clean_attribution,
    clean_public_name,
    gift_from,
)

__all__ = [
    "LIVE",
    "LONGEST_PUBLIC_NAME",
    "NEXT",
    "UNPAID",
    "State",
    "Wish",
    "choice_of",
    "clean_attribution",
    "clean_public_name",
    "gift_from",
    "may_become",
    "state_of_subscription",
    "thanks_state",
    "yearly_level",
]
