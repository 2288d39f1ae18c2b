"""The pages of contributions: `giving` (the ask, the thanks, the account, receipts)."""

from membership.contributions.views.giving import bp

BLUEPRINTS = (bp,)

__all__ = ["BLUEPRINTS", "bp"]
