"""What the newsroom sets for itself, as values; what may be set, and what a change means. Pure functions of values."""

from membership.newsroom.rules.offer import (
    CUPS_OFFERED,
    MONTHS_A_YEAR,
    MOST_CUPS,
    Choice,
    Offer,
    build_offer,
    milli_cups,
    whole_cups,
)

__all__ = ["CUPS_OFFERED", "MONTHS_A_YEAR", "MOST_CUPS", "Choice", "Offer", "build_offer", "milli_cups", "whole_cups"]
