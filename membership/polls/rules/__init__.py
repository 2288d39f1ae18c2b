"""Decisions about polls as pure functions: `choices` (what a ballot may say), `lots` (published orders), `chain`
(what can be checked), `windows` (when).
"""

from membership.polls.rules.choices import (
    ballot_kind,
    check_choice,
    choice_text,
    named_in,
    parse_choice,
    weights_of,
)
from membership.polls.rules.lots import lot_order, shown_order
from membership.polls.rules.windows import FEW, is_reminder_due, refuse_unless_open

__all__ = [
    "FEW",
    "ballot_kind",
    "check_choice",
    "choice_text",
    "is_reminder_due",
    "lot_order",
    "named_in",
    "parse_choice",
    "refuse_unless_open",
    "shown_order",
    "weights_of",
]
